//go:build !short

package redistest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServerLives(t *testing.T) {
	t.Parallel()
	s := Prepare(t, Options{})
	if _, err := net.Dial("tcp", s.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial before the start: %v, want connection refused", err)
	}
	s.Start()
	addr := s.Addr()
	if got := s.Do("SET", "a", "b"); got != "OK" {
		t.Fatalf("SET: %q", got)
	}
	s.Kill()
	s.Kill()
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial after Kill: %v, want connection refused", err)
	}
	s.Start()
	if s.Addr() != addr {
		t.Fatalf("address after Start: %s, was %s", s.Addr(), addr)
	}
	if got := s.Do("GET", "a"); got != "" {
		t.Fatalf("GET after a restart: %q, want nothing", got)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.Pause()
	if _, err := conn.Write(command("PING")); err != nil {
		t.Fatal(err)
	}
	// That nothing comes can only be seen by waiting for it a little.
	b := make([]byte, 16)
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read from a paused server: %q, %v", b[:n], err)
	}
	s.Resume()
	conn.SetReadDeadline(time.Now().Add(patience))
	if n, err := conn.Read(b); err != nil || string(b[:n]) != "+PONG\r\n" {
		t.Fatalf("read after Resume: %q, %v", b[:n], err)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	if got := s.CommandCalls("publish"); got != 0 {
		t.Fatalf("calls before any: %d", got)
	}
	for range 3 {
		s.Do("PUBLISH", "room", "hello")
	}
	s.Do("CLIENT", "SETNAME", "x")
	if got := s.CommandCalls("PUBLISH"); got != 3 {
		t.Fatalf("calls: %d, want 3", got)
	}
	if got := s.CommandCalls("client|setname"); got != 1 {
		t.Fatalf("calls of the subcommand: %d, want 1", got)
	}
	s.ResetCalls()
	if got := s.CommandCalls("publish"); got != 0 {
		t.Fatalf("calls after ResetCalls: %d", got)
	}
	if got := s.Info("server")["redis_mode"]; got != "standalone" {
		t.Fatalf("redis_mode: %q", got)
	}
	if got := s.Clients(); len(got) != 0 {
		t.Fatalf("clients: %q", got)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := New(t, Options{Password: "secret", Users: []string{"hub on >word resetchannels &rh:* -@all +ping"}})
	if got, want := s.URL(), "redis://:secret@"+s.Addr(); got != want {
		t.Errorf("URL: %s, want %s", got, want)
	}
	if got, want := s.URLFor("hub", "word"), "redis://hub:word@"+s.Addr(); got != want {
		t.Errorf("URLFor: %s, want %s", got, want)
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	conn.Write(append(command("PING"), append(command("AUTH", "hub", "word"), command("GET", "a")...)...))
	var got strings.Builder
	for b := make([]byte, 512); strings.Count(got.String(), "\n") < 3; {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(b[:n])
	}
	lines := strings.Split(got.String(), "\r\n")
	for i, want := range []string{"-NOAUTH", "+OK", "-NOPERM"} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("reply %d: %q, want %s", i, lines[i], want)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := New(t, Options{TLS: true})
	if !strings.HasPrefix(s.URL(), "rediss://127.0.0.1:") {
		t.Errorf("URL: %s", s.URL())
	}
	for _, c := range []struct {
		name, file string
		want       error
	}{
		{name: "its authority", file: s.CAFile()},
		{name: "a strange authority", file: StrangeCAFile(t), want: x509.UnknownAuthorityError{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(text) {
				t.Fatalf("%s holds no certificate", c.file)
			}
			conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: pool})
			if err == nil {
				conn.Close()
			}
			if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown != (c.want != nil) || err != nil && !unknown {
				t.Fatalf("dial: %v, want %v", err, c.want)
			}
		})
	}
}
