package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errClosed is returned for the close frame of a server.
type errClosed struct{ code int }

func (e *errClosed) Error() string { return fmt.Sprintf("the server closed with %d", e.code) }

// receive works on all whole frames in b, which came to c until now. It returns how many bytes it has taken; what is
// left is the beginning of a frame, which in all has need bytes, or 0 where that is not known yet. After an error the
// connection is of no more use.
func (l *load) receive(c *conn, b []byte, now int64) (taken, need int, err error) {
	for {
		f, ok, err := readFrame(b[taken:])
		if err != nil {
			return taken, 0, err
		}
		if !ok {
			return taken, 0, nil
		}
		size := f.header + f.length
		if len(b)-taken < size {
			return taken, size, nil
		}
		payload := b[taken+f.header : taken+size]
		taken += size
		if f.op == Text || f.op == Binary {
			if f.fin && c.fragment == opContinuation {
				err = c.peer.Receive(l.at(c, now), f.op, payload)
			} else {
				err = l.receiveFragment(c, f, payload, now)
			}
		} else {
			err = l.receiveOther(c, f, payload, now)
		}
		if err != nil {
			return taken, 0, err
		}
	}
}

// receiveFragment works on a part of a message that comes in fragments (RFC 6455 §5.4).
func (l *load) receiveFragment(c *conn, f frame, payload []byte, now int64) error {
	switch first := f.op != opContinuation; {
	case first && c.fragment != opContinuation:
		return errors.New("a message began inside of another")
	case first:
		c.fragment = f.op
	case c.fragment == opContinuation:
		return errors.New("a continuation of nothing")
	}
	if len(c.fragments)+len(payload) > maxPayload {
		return fmt.Errorf("a message of more than %d bytes", maxPayload)
	}
	c.fragments = append(c.fragments, payload...)
	if !f.fin {
		return nil
	}
	op, whole := c.fragment, c.fragments
	c.fragment, c.fragments = opContinuation, c.fragments[:0]
	return c.peer.Receive(l.at(c, now), op, whole)
}

// receiveOther works on a continuation or a control frame.
func (l *load) receiveOther(c *conn, f frame, payload []byte, now int64) error {
	switch f.op {
	case opContinuation:
		return l.receiveFragment(c, f, payload, now)
	case opPing:
		l.counts.pings++
		c.out = appendFrame(c.out, opPong, payload, l.mask())
		l.touch(c)
	case opPong:
		if c.awaitsPong {
			c.awaitsPong = false
			l.setReady(c)
		}
	case opClose:
		closed := &errClosed{1005} // no code (RFC 6455 §7.4.1)
		if len(payload) >= 2 {
			closed.code = int(binary.BigEndian.Uint16(payload))
		}
		return closed
	}
	return nil
}
