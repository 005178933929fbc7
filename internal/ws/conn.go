package ws

import (
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// conn is one connection: a WebSocket, or a stream of events. Its two goroutines are readLoop and writeLoop.
type conn struct {
	// immutable once the goroutines run
	server    *Server
	shard     *shard
	session   *hub.Session
	speaks    encoding
	snapshots *snapshots    // of a stream of snapshots: which; otherwise nil
	wake      chan struct{} // one slot; sent by whoever puts into the queue, received by the writer; never closed
	written   chan struct{} // closed by the writer as it ends

	// owned by the shard's loop
	memberships []membership
	greeted     int  // index in shard.greeted, or -1
	forgotten   bool // the connection has ended: it is not to be greeted again

	// owned by the reader
	decoder decoder   // of a WebSocket
	heard   time.Time // when bytes were last received
	pinged  bool      // since then
	look    time.Time // when fill looks at the time next: no later than the read deadline

	// nc is set once, by connect, before the goroutines run; before, it is nil, and guarded by mu
	nc net.Conn

	mu      sync.Mutex
	queue   []*frame // what waits to be written, in order; guarded by mu
	bytes   int      // of queue, and of what the writer is writing now; guarded by mu
	waiting bool     // the writer waits for wake; guarded by mu
	slow    bool     // counted as a slow consumer; guarded by mu
	closing *closing // nil until the connection is to be closed; guarded by mu, what it points to is immutable
}

// closing is how a connection is to be closed.
type closing struct {
	code   protocol.Code
	reason string
	silent bool // the connection is dead: write nothing more
}

// push appends a frame that must not be dropped. Where the queue is full of such frames, the connection is closed.
func (c *conn) push(f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	c.append(f)
	c.bound()
	c.wakeWriter()
}

// pushBatch appends the batch's frames in this connection's encoding. Of what the connection has it gets the position
// alone, or nothing.
func (c *conn) pushBatch(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	for i, f := range b.frames[c.speaks] {
		if o := &b.ops[i]; o.held(c) {
			f = o.own(c)
		}
		if f != nil {
			c.append(f)
		}
	}
	c.bound()
	c.wakeWriter()
}

// pushAll appends frames that must not be dropped.
func (c *conn) pushAll(frames []*frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	for _, f := range frames {
		c.append(f)
	}
	c.bound()
	c.wakeWriter()
}

// append is called with mu held.
func (c *conn) append(f *frame) {
	c.queue = append(c.queue, f)
	c.bytes += len(f.bytes)
}

// wakeWriter is called with mu held.
func (c *conn) wakeWriter() {
	if !c.waiting {
		return
	}
	c.waiting = false
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close has the writer write what waits, then a close frame with code and reason. The first call counts.
func (c *conn) close(code protocol.Code, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(closing{code: code, reason: reason})
}

// abort ends the connection without another byte.
func (c *conn) abort(code protocol.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing == nil {
		c.closeLocked(closing{code: code, silent: true})
		return
	}
	c.closing = &closing{code: c.closing.code, silent: true} // it was closing in order, with some time left
	c.discard()
	if c.nc != nil {
		c.hurry()
	}
}

// closeLocked is called with mu held.
func (c *conn) closeLocked(how closing) {
	if c.closing != nil {
		return
	}
	c.closing = &how
	if how.silent || how.code == protocol.CodeTooSlow {
		c.discard()
	}
	if c.nc == nil {
		return // connect goes on from here
	}
	c.hurry()
	c.wakeWriter()
}

// hurry limits the time for what is left to do, once the connection is to be closed. It is called with mu held.
func (c *conn) hurry() {
	if c.closing.silent {
		_ = c.nc.SetDeadline(aLongTimeAgo) // what is being read and written ends as well
	} else {
		// A peer that does not read must not hold this up; what is being written had a longer time-out.
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.server.options.closeTimeout()))
	}
}

// connect gives the connection its socket. It may be that it is to be closed already.
func (c *conn) connect(nc net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc = nc
	if c.closing != nil {
		c.hurry()
	}
}

// discard empties the queue. It is called with mu held.
func (c *conn) discard() {
	for _, f := range c.queue {
		c.bytes -= len(f.bytes)
	}
	clear(c.queue)
	c.queue = nil
}

// howClosed returns how the connection is to be closed, or nil.
func (c *conn) howClosed() *closing {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// pong answers a ping with its payload (RFC 6455 §5.5.3).
func (c *conn) pong(payload []byte) { c.push(newFrame(ws.OpPong, payload)) }

var pingFrame = newFrame(ws.OpPing, nil)
