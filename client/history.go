package client

import (
	"fmt"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxHistory is how many messages of history may be asked for (docs/protocol.md).
const maxHistory = 1000

// JoinOption changes how [Client.Join] joins a room.
type JoinOption func(*joinOptions)

type joinOptions struct{ history int }

// WithHistory asks for the newest n messages of a log room that were published before the client joined, its own among
// them. They are the first that [Room.Messages] gives, oldest first, with Past set; what comes meanwhile waits behind
// them. There are fewer where the log has fewer, and at most 256 and about 128 KiB; in a live room there are none. n is
// 0 to 1,000. A room that was joined before gets no more of it.
func WithHistory(n int) JoinOption { return func(o *joinOptions) { o.history = n } }

// check returns what is wrong with the options.
func (o *joinOptions) check() error {
	if o.history < 0 || o.history > maxHistory {
		return &Refused{
			Code:    protocol.ErrBadPosition,
			Message: fmt.Sprintf("the history asked for is %d", o.history),
			Fix:     fmt.Sprintf("ask for 0 to %d messages", maxHistory),
		}
	}
	return nil
}

// history is what a room was asked for that was not answered in full yet. A hub gives it behind subscribed, and
// meanwhile what is published; to the program it comes first.
type history struct {
	count int
	since protocol.Position // what is beyond comes by the stream; zero before subscribed
	held  *buffer           // what came by the stream; nil before subscribed
	had   shown             // what the program was given already: of the history, and without a position before
}

// start says that what comes from now on is the stream, which is beyond since.
func (h *history) start(since protocol.Position, limit int) {
	if h.held == nil {
		h.since, h.held = since, newBuffer(limit)
	}
}

// setBack says that the stream goes on from at.
func (h *history) setBack(at protocol.Position, reset bool) {
	if reset || at.Offset < h.since.Offset {
		h.since = at
	}
}

// has reports whether the program has the past message m, or gets it by the stream.
func (h *history) has(m *Message) bool {
	_, had := h.had[m.ID]
	return had || !h.since.IsZero() && m.Position.Offset > h.since.Offset
}

// add records that the program was given the message with this id.
func (h *history) add(id string) {
	if !h.had.full() {
		h.had[id] = time.Now()
	}
}

// put gives i to the program, once it has the history. The caller holds client.mu.
func (r *Room) put(i item) {
	if r.history != nil && r.history.held != nil {
		r.history.held.put(i)
		return
	}
	r.buffer.put(i)
}

// putPast gives the program a message of the history. The caller holds client.mu.
func (r *Room) putPast(m *Message) {
	if r.history == nil || r.history.has(m) || r.settle(m.ID) {
		return
	}
	r.history.add(m.ID)
	r.buffer.put(item{message: m})
}

// settle takes note that the message with this id has a position, and reports whether the program was shown it before.
// The caller holds client.mu.
func (r *Room) settle(id string) bool {
	if !r.shown.settle(id) {
		return false
	}
	if r.history != nil {
		r.history.add(id)
	}
	return true
}

// release ends the history: what came meanwhile follows it. The caller holds client.mu.
func (r *Room) release() {
	h := r.history
	r.history = nil
	if h == nil || h.held == nil {
		return
	}
	for {
		i, ok := h.held.next()
		if !ok {
			return
		}
		r.buffer.put(i)
	}
}

// recalled records that all of the history came.
func (c *Client) recalled(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil && r.in {
		r.release()
	}
}
