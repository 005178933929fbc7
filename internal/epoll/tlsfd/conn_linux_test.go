package tlsfd

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// sides are what may be on the descriptor.
var sides = map[string]bool{"server": true, "client": false}

// pair returns both ends of a connection over TLS after the handshake: the server's or the client's on a bare descriptor,
// and the other.
func pair(t *testing.T, server bool) (*Conn, *tls.Conn) {
	t.Helper()
	sample := httptest.NewUnstartedServer(nil)
	sample.StartTLS()
	defer sample.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: sample.TLS.Certificates, InsecureSkipVerify: true}
	l := Listen(plain, config)
	if !server {
		l = plain
	}
	defer l.Close()
	dialed := make(chan *tls.Conn, 1) // sent once, when the handshake is done or failed
	go func() {
		var conn *tls.Conn // nil where it failed
		nc, err := net.Dial("tcp", plain.Addr().String())
		if err == nil {
			if conn = tls.Client(&chopper{Conn: nc}, config); !server {
				conn = Client(nc, config)
			}
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
	if !server {
		nc = tls.Server(&chopper{Conn: nc}, config)
	}
	if err := nc.(*tls.Conn).Handshake(); err != nil {
		t.Fatal(err)
	}
	own, peer := nc.(*tls.Conn), <-dialed
	if peer == nil {
		t.FailNow()
	}
	if !server {
		own, peer = peer, own
	}
	fd, c, err := Detach(own)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { epoll.Close(fd) })
	t.Cleanup(func() { _ = peer.Close() })
	return c, peer
}

// TestGoesOn pins what the package stands on: crypto/tls goes on after a read found nothing, or a part of a record.
func TestGoesOn(t *testing.T) {
	for name, server := range sides {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t, server)
			b := make([]byte, 64)
			for range 3 {
				if n, err := c.Read(b); n != 0 || !errors.Is(err, epoll.ErrAgain) {
					t.Fatalf("read %d bytes, %v, where there are none", n, err)
				}
			}
			peer.NetConn().(*chopper).after = func() { // after each byte of the record but the last
				if n, err := c.Read(b); n != 0 || !errors.Is(err, epoll.ErrAgain) {
					t.Fatalf("read %d bytes, %v, where there is a part of a record", n, err)
				}
			}
			if _, err := peer.Write([]byte("whole")); err != nil {
				t.Fatal(err)
			}
			readAll(t, c, "whole")
		})
	}
}

// TestFull writes more than the socket takes: what is on its way comes, and not a byte more or less.
func TestFull(t *testing.T) {
	c, peer := pair(t, true)
	data := make([]byte, 16<<20) // more than the buffers of both sockets hold
	_, _ = rand.Read(data)
	sent, full := 0, false
	got := make(chan []byte, 1) // sent once, when the peer has read all
	for sent < len(data) {
		n, err := c.Write(data[sent:])
		if sent += n; err == nil {
			break
		}
		if !errors.Is(err, epoll.ErrAgain) {
			t.Fatal(err)
		}
		if !c.Waits() || n%Record > 0 && sent < len(data) {
			t.Fatalf("the socket is full after %d bytes, and nothing waits", n)
		}
		if !full {
			full = true
			go func() { // ends when all has come, or the connection is closed
				b := make([]byte, len(data))
				_, _ = io.ReadFull(peer, b)
				got <- b
			}()
		}
	}
	for c.Waits() {
		if _, err := c.Write(nil); err != nil && !errors.Is(err, epoll.ErrAgain) {
			t.Fatal(err)
		}
	}
	if !full {
		t.Fatal("the socket was never full")
	}
	if !bytes.Equal(<-got, data) {
		t.Error("something else came")
	}
}

// TestEnd closes both directions, one after the other.
func TestEnd(t *testing.T) {
	c, peer := pair(t, true)
	if _, err := c.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	if b, err := io.ReadAll(peer); err != nil || string(b) != "last" {
		t.Fatalf("the peer gets %q, %v", b, err)
	}
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b, err := make([]byte, 1), epoll.ErrAgain
	for deadline := time.Now().Add(time.Minute); errors.Is(err, epoll.ErrAgain) && time.Now().Before(deadline); {
		_, err = c.Read(b)
	}
	if err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestDetachOthers leaves what is no TLS as it is, and refuses TLS on what has no descriptor.
func TestDetachOthers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fd, c, err := Detach(nc)
	if err != nil || c != nil {
		t.Fatalf("%v, error %v", c, err)
	}
	epoll.Close(fd)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, _, err := Detach(tls.Client(a, &tls.Config{InsecureSkipVerify: true})); err == nil {
		t.Error("a pipe has no descriptor")
	}
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
func readAll(t *testing.T, c *Conn, want string) {
	t.Helper()
	var got []byte
	b := make([]byte, 64)
	for string(got) != want {
		n, err := c.Read(b)
		if err != nil && !errors.Is(err, epoll.ErrAgain) {
			t.Fatalf("got %q, then %v", got, err)
		}
		got = append(got, b[:n]...)
	}
}
