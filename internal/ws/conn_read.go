package ws

import (
	"errors"
	"os"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// lingerMost is how many bytes are read and thrown away after a close frame was sent, while waiting for the peer's.
const lingerMost = 1 << 20

// readLoop reads until the connection ends, by either side, and then clears up. Server.Shutdown waits for it.
func (c *conn) readLoop() {
	defer c.server.forget(c)
	how, peerDone := closing{}, true
	if c.speaks == events {
		how = c.watch()
	} else {
		how, peerDone = c.read()
	}
	c.session.Closed(mayReturn(how)) // before anything that may take time: whoever is gone is gone at once
	if how.silent {
		c.abort(how.code)
	} else {
		c.shard.Close(c.session, how.code, how.reason) // after what the hub sent it up to now
	}
	<-c.written
	c.decoder = decoder{} // who still knows of the session keeps no message of it
	c.shard.forget(c)
	if !peerDone {
		c.linger()
	}
	_ = c.nc.Close()
	c.server.metrics.closed(c.howClosed().code)
}

// mayReturn reports whether a client whose connection is closed like this is likely to be back in a moment: it did not
// say good-bye, and was not sent away. One that was displaced is back, and may not be in its rooms yet.
func mayReturn(how closing) bool {
	if how.code == protocol.CodeDisplaced {
		return true
	}
	return how.code != protocol.CodeNormal && how.code != protocol.CodeNoStatus && how.code.Reconnect()
}

// read takes messages until the connection is to be closed, and returns how. peerDone says that nothing more is to be
// expected of the peer: it sent its close frame, or its end of the connection is gone.
func (c *conn) read() (how closing, peerDone bool) {
	c.heard = time.Now()
	for {
		for {
			e, ok, err := c.decoder.next()
			if err == nil && ok {
				if e.opcode == ws.OpClose {
					return closing{code: closeCode(e.payload)}, true
				}
				err = c.receive(e)
			}
			if err != nil {
				return closeFor(err), false
			}
			if !ok {
				break
			}
		}
		if how, ok := c.fill(); !ok {
			return how, how.code != protocol.CodeExpired // whose peer may be talking
		}
	}
}

// receive handles one event that is not a close. Messages that come after the connection was closed from here are
// ignored (RFC 6455 §1.4).
func (c *conn) receive(e event) error {
	switch e.opcode {
	case ws.OpPing:
		c.pong(e.payload)
		return nil
	case ws.OpPong:
		return nil
	}
	if c.howClosed() != nil {
		return nil
	}
	c.shard.Pace()
	err := c.session.Receive(e.payload, e.opcode == ws.OpBinary)
	if end := c.session.Expires(); !end.IsZero() && end.Before(c.look) {
		c.setReadDeadline(end)
	}
	return err
}

// fill reads more bytes. Silence is answered with a ping, and more silence ends the connection; ok is then false.
func (c *conn) fill() (how closing, ok bool) {
	o := &c.server.options
	for {
		n, err := c.nc.Read(c.decoder.space())
		if n > 0 {
			c.heard, c.pinged = time.Now(), false
			c.decoder.received(n)
			return closing{}, true
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return closing{code: protocol.CodeAbnormal, silent: true}, false
		}
		if closing := c.howClosed(); closing != nil {
			select {
			case <-c.written: // and this was its deadline for the peer's close frame
				return *closing, false
			default:
			}
			<-c.written
			continue
		}
		now := time.Now()
		if !c.session.Opened() {
			return closing{code: protocol.CodeNoPong, reason: "no hello came in time"}, false
		}
		if how, expired := c.expired(now); expired {
			return how, false
		}
		due := c.heard.Add(o.PingInterval)
		if c.pinged {
			due = due.Add(o.PongTimeout)
		}
		switch {
		case now.Before(due):
		case c.pinged:
			return closing{code: protocol.CodeNoPong, reason: "nothing was heard, not even a pong"}, false
		default:
			c.pinged = true
			c.push(pingFrame)
			due = due.Add(o.PongTimeout)
		}
		c.setReadDeadline(c.before(due))
	}
}

// expired reports whether the token has ended, and how the connection is then to be closed.
func (c *conn) expired(now time.Time) (closing, bool) {
	end := c.session.Expires()
	return closing{code: protocol.CodeExpired, reason: hub.ExpiredReason}, !end.IsZero() && !now.Before(end)
}

// before returns due, or when the token ends, if that is earlier.
func (c *conn) before(due time.Time) time.Time {
	if end := c.session.Expires(); !end.IsZero() && end.Before(due) {
		return end
	}
	return due
}

// setReadDeadline sets when fill looks at the time again. Once the connection is to be closed, the writer's deadline
// stands. A deadline that is too early costs one more look, so none is set for each message.
func (c *conn) setReadDeadline(at time.Time) {
	c.look = at
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing == nil {
		_ = c.nc.SetReadDeadline(at)
	}
}

// linger reads and throws away what the peer still sends, until it closes its end or the writer's deadline passes. A
// socket that is closed with unread bytes in it sends a reset, which can destroy the close frame on its way.
func (c *conn) linger() {
	buf := make([]byte, smallBuffer)
	for total := 0; total < lingerMost; {
		n, err := c.nc.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}

// closeCode returns the code with which a close frame is answered: its own (RFC 6455 §5.5.1).
func closeCode(payload []byte) protocol.Code {
	if len(payload) < 2 {
		return protocol.CodeNoStatus
	}
	code, _ := ws.ParseCloseFrameData(payload)
	return protocol.Code(code)
}

// closeFor returns how to close a connection on which err came up.
func closeFor(err error) closing {
	var ce *hub.CloseError
	if errors.As(err, &ce) {
		return closing{code: ce.Code, reason: ce.Reason}
	}
	return closing{code: protocol.CodeInternal, reason: "the hub failed"}
}
