package ws

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// conn is one connection: a WebSocket, or a stream of events. Of many connections there is nothing else, so it is small.
type conn struct {
	// immutable
	server    *Server
	shard     *shard
	session   *hub.Session
	snapshots *snapshots // of a stream of snapshots: which; otherwise nil
	speaks    encoding
	index     int32 // in server.conns; guarded by the server's mu

	// owned by the shard's loop
	forgotten   bool  // the connection has ended: it is not to be greeted again
	greeted     int32 // index in shard.greeted, or -1
	marked      uint64
	memberships []membership

	reading reading // owned by whoever reads
	engine  perConn // of the engine

	mu      sync.Mutex
	queue   sendQueue // guarded by mu
	started bool      // the connection has its socket; guarded by mu
	closing *closing  // nil until the connection is to be closed; guarded by mu, what it points to is immutable
}

// closing is how a connection is to be closed.
type closing struct {
	code   protocol.Code
	reason string
	silent bool // the connection is dead: write nothing more
}

// push appends a block that must not be dropped. Where the queue is full of such frames, the connection is closed. It is
// called by the shard's loop or by whoever reads the connection, pushSpan, pushAll and close by the shard's loop, and before
// start all of them by whoever makes the connection.
func (c *conn) push(b *block) { c.pushSpan(b.whole()) }

func (c *conn) pushSpan(s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	c.queue.append(s)
	c.bound()
	c.wake()
}

// pushPong answers a ping (RFC 6455 §5.5.3).
func (c *conn) pushPong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	if !c.queue.repong(payload) {
		c.queue.append(pongBlock(payload).whole())
	}
	c.bound()
	c.wake()
}

// pushAll appends blocks.
func (c *conn) pushAll(blocks []*block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	for _, b := range blocks {
		c.queue.append(b.whole())
	}
	c.bound()
	c.wake()
}

// bound drops the oldest messages not yet begun where the queue holds more than it may, a quarter of it at once, so
// that a connection which stays slow is not searched for each frame. It is called with mu held.
func (c *conn) bound() {
	limit := c.server.options.SendQueue
	q := &c.queue
	if !q.slow && q.bytes > limit/2 {
		q.slow = true
		c.server.metrics.slow.Add(1)
	}
	if q.bytes <= limit || len(q.spans) == 1 && q.spans[0].to-q.spans[0].from == 1 {
		return // one frame may be larger than the limit, or it could never be sent
	}
	dropped := q.drop(limit*3/4, c.speaks)
	c.server.metrics.dropped(hub.DropSendQueue, dropped)
	if q.bytes > limit {
		c.closeLocked(closing{code: protocol.CodeTooSlow, reason: "the client reads too slowly"})
	}
}

// wake has the engine write what waits. It is called with mu held.
func (c *conn) wake() {
	if c.started {
		c.shard.engine.wake(c)
	}
}

// close has what waits written, then a close frame with code and reason. The first call counts.
func (c *conn) close(code protocol.Code, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(closing{code: code, reason: reason})
}

// abort ends the connection without another byte. It may be called by any goroutine.
func (c *conn) abort(code protocol.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		code = c.closing.code // it was closing in order, with some time left
	}
	c.closing = &closing{code: code, silent: true}
	c.queue.discard()
	c.hurry()
}

// closeLocked is called with mu held.
func (c *conn) closeLocked(how closing) {
	if c.closing != nil {
		return
	}
	c.closing = &how
	if how.code == protocol.CodeTooSlow {
		c.queue.trim()
	}
	c.hurry()
}

// hurry has the engine do what is left, within its time. It is called with mu held. Before start, start sees to it.
func (c *conn) hurry() {
	if c.started {
		c.shard.engine.hurry(c)
	}
}

// howClosed returns how the connection is to be closed, or nil.
func (c *conn) howClosed() *closing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// written says that n bytes of what was taken from the queue were written, and returns how many wait there. It has done
// called for each span of frames that were written as a whole.
func (c *conn) written(n int, done func(span)) (waits int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.wrote(n, done)
	if c.queue.bytes == 0 {
		c.endSlowLocked()
	}
	return c.queue.bytes
}

// endSlow takes the connection out of the count of slow consumers.
func (c *conn) endSlow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endSlowLocked()
}

func (c *conn) endSlowLocked() {
	if c.queue.slow {
		c.queue.slow = false
		c.server.metrics.slow.Add(-1)
	}
}

// end returns what is written last, and says that nothing more comes, and why.
func (c *conn) end(how *closing) *block {
	if c.speaks == events {
		return closeComment(how.code, how.reason)
	}
	return closeBlock(how.code, how.reason)
}

// mayReturn reports whether a client whose connection is closed like this is likely to be back in a moment: it did not
// say good-bye, and was not sent away. One that was displaced is back, and may not be in its rooms yet.
func mayReturn(how closing) bool {
	if how.code == protocol.CodeDisplaced {
		return true
	}
	return how.code != protocol.CodeNormal && how.code != protocol.CodeNoStatus && how.code.Reconnect()
}

// lost returns how a connection ends from which nothing more can be read.
func (c *conn) lost(err error) closing {
	if c.speaks == events && errors.Is(err, io.EOF) {
		return closing{code: protocol.CodeNoStatus, silent: true} // as streams do
	}
	return closing{code: protocol.CodeAbnormal, silent: true}
}

// clock returns the time since the server was made: smaller than a time.Time, and never set back.
func (s *Server) clock() time.Duration { return time.Since(s.made) }

var pingBlock = newBlock(ws.OpPing, nil)
