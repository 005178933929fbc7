package tlsfd

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// Record is how many bytes are encrypted at once: as much as a record holds (RFC 8446 §5.1).
const Record = 16 << 10

// Conn does TLS on a descriptor. Nothing is encrypted while ciphertext waits, which so is that of one record at most, and
// what crypto/tls sends of itself. It is used by one goroutine at a time.
type Conn struct {
	tls  *tls.Conn
	wire *wire
}

// Detach takes the descriptor out of a connection, as epoll.Detach does, and of one that speaks TLS what does that on it;
// of others that is nil. The handshake must be done. What was received until then may wait in c: the poller does not tell
// of it, so c is read once before it is waited for.
func Detach(nc net.Conn) (fd int, c *Conn, err error) {
	conn, ok := nc.(*tls.Conn)
	if !ok {
		fd, err = epoll.Detach(nc)
		return fd, nil, err
	}
	w, ok := conn.NetConn().(*wire)
	if !ok {
		return -1, nil, fmt.Errorf("TLS on a %T has no descriptor of its own", conn.NetConn())
	}
	if fd, err = epoll.Detach(w.Conn); err != nil {
		return -1, nil, err
	}
	w.fd = fd
	return fd, &Conn{conn, w}, nil
}

// Read reads at most one record. Its error is epoll.ErrAgain, wrapped, where nothing is left or only a part of a record,
// and io.EOF at the end. A poller tells of what comes after an ErrAgain; of what c has already decrypted it does not, so
// c is to be read until then.
func (c *Conn) Read(b []byte) (int, error) { return c.tls.Read(b) }

// Write writes what still waits, then encrypts and writes b. It returns how much of b is on its way, with epoll.ErrAgain
// where the socket is full: the rest of that then waits, and is to be written by another Write, be it of nothing, when
// the socket takes more.
func (c *Conn) Write(b []byte) (n int, err error) {
	if err := c.wire.push(); err != nil {
		return 0, err
	}
	for n < len(b) {
		m := min(len(b)-n, Record)
		if _, err := c.tls.Write(b[n : n+m]); err != nil {
			return n, err
		}
		if n += m; c.Waits() {
			return n, epoll.ErrAgain
		}
	}
	return n, nil
}

// Waits reports whether ciphertext waits for the socket to take more. That may be so after Read too, where TLS has answered
// something of itself.
func (c *Conn) Waits() bool { return len(c.wire.waits) > 0 }

// CloseWrite says that nothing more comes. Where the socket is full the peer sees it only by the end.
func (c *Conn) CloseWrite() {
	_ = c.tls.CloseWrite() // the peer may be gone already
	if !c.Waits() {
		epoll.CloseWrite(c.wire.fd)
	}
}
