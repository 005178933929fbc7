package ws

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// TLS runs in the loop too: the handshake in a goroutine of net/http's, on a connection of package net; what comes
// after it on the bare descriptor, which never blocks. Package crypto/tls goes on after an error of a read whose Temporary
// says true, with what it has of a record until then (TestTLSGoesOn pins that); of a write it would not, so a write here
// takes everything.

// ListenTLS returns a listener whose connections speak TLS as configured, and can be taken over by either engine.
func ListenTLS(l net.Listener, config *tls.Config) net.Listener { return tlsListener{l, config} }

type tlsListener struct {
	net.Listener
	config *tls.Config
}

func (l tlsListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(&wire{Conn: nc, fd: -1}, l.config), nil
}

// wire is what TLS reads and writes: a connection, and from detach on a bare descriptor.
type wire struct {
	net.Conn        // until detach
	fd       int    // from then on; before, -1
	waits    []byte // what the socket did not take yet
}

// detach takes the descriptor out of a connection, and what does TLS on it, where that is so.
func detach(nc net.Conn) (fd int, s *secure, err error) {
	conn, ok := nc.(*tls.Conn)
	if !ok {
		fd, err = epoll.Detach(nc)
		return fd, nil, err
	}
	w, ok := conn.NetConn().(*wire)
	if !ok {
		return -1, nil, fmt.Errorf("TLS on a %T cannot be taken over: listen with ListenTLS", conn.NetConn())
	}
	if fd, err = epoll.Detach(w.Conn); err != nil {
		return -1, nil, err
	}
	w.fd = fd
	return fd, &secure{conn, w}, nil
}

func (w *wire) Read(b []byte) (int, error) {
	if w.fd < 0 {
		return w.Conn.Read(b)
	}
	n, err := epoll.Read(w.fd, b)
	switch {
	case err != nil:
		return 0, readError{err}
	case n == 0 && len(b) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// readError is what the socket says, as crypto/tls wants it: a net.Error.
type readError struct{ error }

func (e readError) Unwrap() error   { return e.error }
func (e readError) Timeout() bool   { return false }
func (e readError) Temporary() bool { return e.error == epoll.ErrAgain }

// Write takes all of b: what the socket does not take waits for push.
func (w *wire) Write(b []byte) (int, error) {
	if w.fd < 0 {
		return w.Conn.Write(b)
	}
	n := 0
	if len(w.waits) == 0 {
		var err error
		if n, err = epoll.Write(w.fd, b); err != nil && err != epoll.ErrAgain {
			return 0, err
		}
	}
	w.waits = append(w.waits, b[n:]...)
	return len(b), nil
}

// push writes what waits, and returns epoll.ErrAgain where some still does.
func (w *wire) push() error {
	for len(w.waits) > 0 {
		n, err := epoll.Write(w.fd, w.waits)
		if err != nil {
			return err
		}
		w.waits = w.waits[n:]
	}
	w.waits = nil
	return nil
}

// secure does TLS on a descriptor. Nothing is encrypted while ciphertext waits, which so is that of one record at most,
// and what crypto/tls sends of itself.
type secure struct {
	conn *tls.Conn
	wire *wire
}

// record is how many bytes are encrypted at once: as much as a record holds (RFC 8446 §5.1).
const record = 16 << 10

// write encrypts and writes what the spans have, without the first begun bytes, and returns how much of that is on its way,
// with epoll.ErrAgain where the socket is full. Scratch has record bytes.
func (s *secure) write(spans []span, begun int, scratch []byte) (n int, err error) {
	if err := s.wire.push(); err != nil {
		return 0, err
	}
	filled := 0
	for i := range spans {
		b := spans[i].bytes()
		if i == 0 {
			b = b[begun:]
		}
		for len(b) > 0 {
			m := copy(scratch[filled:], b)
			filled, b = filled+m, b[m:]
			if filled < len(scratch) && (len(b) > 0 || i < len(spans)-1) {
				continue
			}
			if _, err := s.conn.Write(scratch[:filled]); err != nil {
				return n, err
			}
			n, filled = n+filled, 0
			if len(s.wire.waits) > 0 {
				return n, epoll.ErrAgain
			}
		}
	}
	return n, nil
}

// closeWrite says that nothing more comes. Where the socket is full the peer sees it only by the end.
func (s *secure) closeWrite() {
	_ = s.conn.CloseWrite() // the peer may be gone already
	if len(s.wire.waits) == 0 {
		epoll.CloseWrite(s.wire.fd)
	}
}

// readSecure reads until nothing is left: what TLS has decrypted is not told of by the kernel.
func (l *loop) readSecure(c *conn) {
	p := &c.engine.polled
	for p.secure != nil && !p.readDone && !p.paused {
		into, borrowed := l.into(c)
		n, err := p.secure.conn.Read(into)
		if !l.took(c, into, n, err, borrowed) {
			return
		}
	}
	if p.secure != nil && len(p.secure.wire.waits) > 0 { // what TLS answered of itself
		c.mu.Lock()
		l.wake(c)
		c.mu.Unlock()
	}
}
