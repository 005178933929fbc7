package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/internal/tlstest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// writeCertificate writes a new certificate for loopback, and returns what trusts it.
func writeCertificate(t *testing.T, cert, key string, changed time.Time) *x509.CertPool {
	t.Helper()
	made, pool := tlstest.Certificate(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: made.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

// TestHubServerTLS has a hub that speaks TLS, with either engine, and a message over it.
func TestHubServerTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	trusted := writeCertificate(t, cert, key, time.Now())
	for _, engine := range []string{"auto", "goroutine"} {
		t.Run(engine, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ready, ended := make(chan string, 1), make(chan error, 1) // each sent once
			go func() {                                               // ends with ctx; the test waits for it
				c := config.Default[config.HubServer]()
				c.Listen, c.TLSCert, c.TLSKey, c.Hub.Engine = "127.0.0.1:0", cert, key, engine
				ended <- RunHubServer(ctx, c, Env{
					Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler),
					Ready: func(a Addresses) { ready <- a.Hubs[0] },
				})
			}()
			var url string
			select {
			case addr := <-ready:
				url = "https://" + addr
			case err := <-ended:
				t.Fatal(err)
			}
			var all []*client.Client
			for range 2 {
				c, err := client.Dial(t.Context(), url, client.WithTLS(&tls.Config{RootCAs: trusted}))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, c)
			}
			room, err := all[1].Join(t.Context(), "live.r")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := all[0].Publish(t.Context(), "live.r", protocol.Text, []byte("secret")); err != nil {
				t.Fatal(err)
			}
			for m, err := range room.Messages(t.Context()) {
				if err != nil || string(m.Data) != "secret" {
					t.Errorf("got %+v, %v", m, err)
				}
				break
			}
			for _, c := range all {
				_ = c.Close()
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCertificateChanges has the files change: a new certificate is used, and one that cannot be read is not.
func TestCertificateChanges(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	began := time.Now().Add(-time.Hour).Truncate(time.Second)
	writeCertificate(t, cert, key, began)
	var logged bytes.Buffer
	c := &certificate{cert: cert, key: key, log: slog.New(slog.NewTextHandler(&logged, nil))}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	now := func() *tls.Certificate {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := now()
	writeCertificate(t, cert, key, began.Add(time.Minute))
	if now() != first {
		t.Error("the file is looked at for each connection")
	}
	c.looked = time.Time{}
	second := now()
	if second == first || bytes.Equal(second.Certificate[0], first.Certificate[0]) {
		t.Error("the new certificate is not used")
	}
	if err := os.WriteFile(key, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(cert, began.Add(time.Hour), began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.looked = time.Time{}
	if now() != second || !strings.Contains(logged.String(), "cannot be used") {
		t.Errorf("with a key that is none; logged %q", logged.String())
	}
}
