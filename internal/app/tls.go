package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// secure has s speak TLS with the certificate and key in these files. It comes before handle.
func (s *httpServer) secure(cert, key string, log *slog.Logger) error {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(); err != nil {
		return err
	}
	s.listener = ws.ListenTLS(s.listener, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"}, // connections of HTTP/2 cannot be taken over for WebSockets and streams
		GetCertificate: c.get,
		// Records of a hub are batches already. Small ones at first would help pages to begin, and cost more writes.
		DynamicRecordSizingDisabled: true,
	})
	return nil
}

// certificate is one in files, which is read again when they have changed: those of today last weeks, and a hub must not
// be stopped for a new one. Its methods may be called by several goroutines at once.
type certificate struct {
	// immutable
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	now     *tls.Certificate // guarded by mu
	changed time.Time        // when the file that now was read from was changed; guarded by mu
	looked  time.Time        // guarded by mu
}

// lookEvery is how often the file is looked at.
const lookEvery = 10 * time.Second

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) > lookEvery {
		if err := c.load(); err != nil {
			c.log.Warn("the new certificate cannot be used: the one before goes on", "why", err)
		}
	}
	return c.now, nil
}

// load reads the files if they have changed. It is called with mu held, or before others know of c.
func (c *certificate) load() error {
	c.looked = time.Now()
	info, err := os.Stat(c.cert)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	if info.ModTime().Equal(c.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read the certificate %s with its key: %w", c.cert, err)
	}
	c.now, c.changed = &pair, info.ModTime()
	return nil
}
