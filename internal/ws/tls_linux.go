package ws

import (
	"net"

	"github.com/soumya-codes/realtime-hub/internal/epoll/tlsfd"
)

// secure is what does TLS in the loop, on the bare descriptor. The handshake was done in a goroutine of net/http's.
type secure struct{ conn *tlsfd.Conn }

// record is how many bytes are encrypted at once.
const record = tlsfd.Record

// detach takes the descriptor out of a connection, and what does TLS on it, where that is so.
func detach(nc net.Conn) (fd int, s *secure, err error) {
	fd, conn, err := tlsfd.Detach(nc)
	if conn != nil {
		s = &secure{conn}
	}
	return fd, s, err
}

// write encrypts and writes what the spans have, without the first begun bytes, and returns how much of that is on its way,
// with epoll.ErrAgain where the socket is full. Scratch has record bytes.
func (s *secure) write(spans []span, begun int, scratch []byte) (n int, err error) {
	if _, err := s.conn.Write(nil); err != nil { // what still waits
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
			m, err := s.conn.Write(scratch[:filled])
			if n += m; err != nil {
				return n, err
			}
			filled = 0
		}
	}
	return n, nil
}

// closeWrite says that nothing more comes.
func (s *secure) closeWrite() { s.conn.CloseWrite() }

// readSecure reads until nothing is left, or c's turn is over: what TLS has decrypted is not told of by the kernel.
func (l *loop) readSecure(c *conn) {
	p := &c.engine.polled
	for p.secure != nil && !p.readDone && !p.paused {
		if l.turn.left <= 0 {
			l.pause(c)
			break
		}
		into, borrowed := l.into(c)
		n, err := p.secure.conn.Read(into)
		if !l.took(c, into, n, err, borrowed) {
			return
		}
	}
	if p.secure != nil && p.secure.conn.Waits() { // what TLS answered of itself
		c.mu.Lock()
		l.wake(c)
		c.mu.Unlock()
	}
}
