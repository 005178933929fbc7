package ws

import (
	"errors"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file has what is read from a client, and what follows from silence, for both engines.

// reading is the state of the reading side of a connection. Times are by the server's clock.
type reading struct {
	decoder *decoder      // of a WebSocket; on the epoll engine nil where nothing was received in part
	heard   time.Duration // when bytes were last received
	look    time.Duration // when the time is looked at next
	pinged  bool          // since bytes were last received
}

// newDecoder returns a decoder for what c's client sends.
func (c *conn) newDecoder() *decoder {
	limit := c.server.hub.MaxMessage()
	if c.speaks == v1 {
		// A frame may need six bytes for one of the data, and some for itself. The hub counts the data.
		limit = 6*limit + 4<<10
	}
	return &decoder{limit: limit}
}

// received says that n bytes were put where the decoder wanted them.
func (c *conn) received(n int) {
	c.reading.heard, c.reading.pinged = c.server.clock(), false
	c.reading.decoder.received(n)
}

// decode takes what was received, frame by frame, and returns how the connection is to be closed; false where it is
// not. peerDone says that nothing more is to be expected of the peer: it sent its close frame. Before each frame may is
// asked; where it says no, decode returns, and is called again later.
func (c *conn) decode(h *headers, may func() bool) (how closing, peerDone, ended bool) {
	d := c.reading.decoder
	for {
		if d.start < d.end && !may() {
			return closing{}, false, false
		}
		e, ok, err := d.next(h)
		if err == nil && ok {
			if e.opcode == ws.OpClose {
				return closing{code: closeCode(e.payload)}, true, true
			}
			err = c.receive(e)
		}
		if err != nil {
			return closeFor(err), false, true
		}
		if !ok {
			return closing{}, false, false
		}
	}
}

// receive handles one event that is not a close. Messages that come after the connection was closed from here are
// ignored (RFC 6455 §1.4).
func (c *conn) receive(e event) error {
	switch e.opcode {
	case ws.OpPing:
		c.pushPong(e.payload)
		return nil
	case ws.OpPong, ws.OpContinuation:
		return nil
	}
	if c.howClosed() != nil {
		return nil
	}
	return c.session.Receive(e.payload, e.opcode == ws.OpBinary)
}

// silence looks at the time: silence is answered with a ping, and more of it ends the connection, and so does a token that
// has ended. It returns how the connection is to be closed, or when to look again. A stream's client says nothing, so
// it is not asked: what keeps the stream alive is to be acknowledged by TCP.
func (c *conn) silence() (how closing, ended bool) {
	o, r, now := &c.server.options, &c.reading, c.server.clock()
	if !c.session.Opened() {
		return closing{code: protocol.CodeNoPong, reason: "no hello came in time"}, true
	}
	if end := c.session.Expires(); !end.IsZero() && !time.Now().Before(end) {
		return closing{code: protocol.CodeExpired, reason: hub.ExpiredReason}, true
	}
	if c.speaks == events {
		c.push(keepAlive)
		r.look = c.before(now + o.PingInterval)
		return closing{}, false
	}
	due := r.heard + o.PingInterval
	if r.pinged {
		due += o.PongTimeout
	}
	switch {
	case now < due:
	case r.pinged:
		return closing{code: protocol.CodeNoPong, reason: "nothing was heard, not even a pong"}, true
	default:
		r.pinged = true
		c.push(pingBlock)
		due += o.PongTimeout
	}
	r.look = c.before(due)
	return closing{}, false
}

// before returns due, or when the token ends, if that is earlier.
func (c *conn) before(due time.Duration) time.Duration {
	if end := c.session.Expires(); !end.IsZero() {
		return min(due, end.Sub(c.server.made))
	}
	return due
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
