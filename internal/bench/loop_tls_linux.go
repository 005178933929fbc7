package bench

import (
	"errors"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// readTLS reads until nothing is left: the poller does not tell of what TLS has decrypted. What is in several records is
// put together, as it came in one read of the socket most often.
func (p *loop) readTLS(c *conn) {
	for c.tls != nil {
		held := copy(p.buffer, c.carry)
		n, err := 0, error(nil)
		for err == nil && held+n < len(p.buffer) {
			var more int
			more, err = c.tls.Read(p.buffer[held+n:])
			n += more
		}
		if p.took(c, held, n, err); err != nil {
			break
		}
	}
	if c.tls != nil && c.tls.Waits() { // what TLS answered of itself
		p.load.touch(c)
	}
}

// writeTLS writes what is to be written. What is encrypted is on its way: a part of it may wait in c.tls.
func (p *loop) writeTLS(c *conn) {
	n, err := c.tls.Write(c.out)
	if err != nil && !errors.Is(err, epoll.ErrAgain) {
		p.drop(c, 0, err)
		return
	}
	if n > 0 {
		p.wrote(c, n)
	}
	p.watch(c, err != nil)
}

// last writes the last frame, where the socket takes it at once.
func (p *loop) last(c *conn, frame []byte) {
	if c.tls != nil {
		_, _ = c.tls.Write(frame)
		return
	}
	_, _ = epoll.Write(c.fd, frame)
}
