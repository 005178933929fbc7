package ws

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// tlsPair returns both ends of a connection over TLS after the handshake, the first on a bare descriptor.
func tlsPair(t *testing.T) (*secure, *tls.Conn) {
	t.Helper()
	sample := httptest.NewUnstartedServer(nil)
	sample.StartTLS()
	defer sample.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := ListenTLS(plain, &tls.Config{Certificates: sample.TLS.Certificates})
	defer l.Close()
	dialed := make(chan *tls.Conn, 1) // sent once, when the handshake is done or failed
	go func() {
		var conn *tls.Conn // nil where it failed
		nc, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			conn = tls.Client(&chopper{Conn: nc}, &tls.Config{InsecureSkipVerify: true})
			err = conn.Handshake()
		}
		if err != nil {
			t.Error(err)
		}
		dialed <- conn
	}()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.(*tls.Conn).Handshake(); err != nil {
		t.Fatal(err)
	}
	fd, s, err := detach(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { epoll.Close(fd) })
	peer := <-dialed
	if peer == nil {
		t.FailNow()
	}
	t.Cleanup(func() { _ = peer.Close() })
	return s, peer
}

// TestTLSGoesOn pins what the loop stands on: crypto/tls goes on after a read found nothing, or a part of a record.
func TestTLSGoesOn(t *testing.T) {
	s, peer := tlsPair(t)
	b := make([]byte, 64)
	for range 3 {
		if n, err := s.conn.Read(b); n != 0 || !errors.Is(err, epoll.ErrAgain) {
			t.Fatalf("read %d bytes, %v, where there are none", n, err)
		}
	}
	peer.NetConn().(*chopper).after = func() { // after each byte of the record but the last
		if n, err := s.conn.Read(b); n != 0 || !errors.Is(err, epoll.ErrAgain) {
			t.Fatalf("read %d bytes, %v, where there is a part of a record", n, err)
		}
	}
	if _, err := peer.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	readAll(t, s, "whole")
}

// chopper is a connection that writes byte by byte once it has something to do after each.
type chopper struct {
	net.Conn
	after func()
}

func (c *chopper) Write(b []byte) (int, error) {
	if c.after == nil {
		return c.Conn.Write(b)
	}
	for i := range b {
		if i > 0 {
			c.after()
		}
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// readAll reads up to what is wanted.
func readAll(t *testing.T, s *secure, want string) {
	t.Helper()
	var got []byte
	b := make([]byte, 64)
	for string(got) != want {
		n, err := s.conn.Read(b)
		if err != nil && !errors.Is(err, epoll.ErrAgain) {
			t.Fatalf("got %q, then %v", got, err)
		}
		got = append(got, b[:n]...)
	}
}
