package ws

import (
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// bound drops the oldest messages not yet begun where the queue holds more than it may, a quarter of it at once, so
// that a connection which stays slow is not searched for each frame. It is called with mu held.
func (c *conn) bound() {
	limit := c.server.options.SendQueue
	if !c.slow && c.bytes > limit/2 {
		c.slow = true
		c.server.metrics.slow.Add(1)
	}
	if c.bytes <= limit || len(c.queue) == 1 && c.bytes == len(c.queue[0].bytes) {
		return // one frame may be larger than the limit, or it could never be sent
	}
	dropped := c.drop(limit * 3 / 4)
	c.server.metrics.dropped(hub.DropSendQueue, dropped)
	if c.bytes > limit {
		c.closeLocked(closing{code: protocol.CodeTooSlow, reason: "the client reads too slowly"})
	}
}

// drop drops the oldest messages that may be dropped until the queue holds at most so many bytes, and returns how many
// they were. In the place of the first of a room comes a gap, which counts them. As the oldest go first, no message of
// the room is before its gap; so there is one a room, however often this happens while it waits. It is called with mu
// held.
func (c *conn) drop(most int) (dropped int) {
	kept := c.queue[:0] // grows no faster than the queue is read: a gap takes the place of a message
	holes := holes{at: make(map[string]int)}
	for _, f := range c.queue {
		switch {
		case f.droppable() && c.bytes > most:
			c.bytes -= len(f.bytes)
			dropped++
			if f.room == "" {
				continue // nobody can be told
			}
			i, ok := holes.at[f.room]
			if !ok {
				i = len(holes.found)
				holes.at[f.room] = i
				holes.found = append(holes.found, hole{room: f.room, index: len(kept)})
				kept = append(kept, nil)
			}
			holes.found[i].lost++
			continue
		case f.lost > 0:
			holes.at[f.room] = len(holes.found)
			holes.found = append(holes.found, hole{room: f.room, index: len(kept), told: f, lost: f.lost})
		case f.room != "" && !f.droppable():
			delete(holes.at, f.room) // joined anew: what is lost behind this is told behind it
		}
		kept = append(kept, f)
	}
	clear(c.queue[len(kept):])
	c.queue = kept
	for _, h := range holes.found {
		if h.told != nil && h.told.lost == h.lost {
			continue
		}
		f := c.gapFrame(h.room, h.lost)
		c.bytes += len(f.bytes)
		if h.told != nil {
			c.bytes -= len(h.told.bytes)
		}
		c.queue[h.index] = f
	}
	return dropped
}

// holes are where messages are missing in a queue.
type holes struct {
	found []hole
	at    map[string]int // by room: the one in found that messages which are dropped now belong to
}

type hole struct {
	room  string
	index int    // in the queue
	told  *frame // the gap that stood there before; nil for none
	lost  int
}

// gapFrame tells of messages that were dropped.
func (c *conn) gapFrame(room string, lost int) *frame {
	var f *frame
	if c.speaks == events {
		f = gapEvent(lost)
	} else {
		f = newFrame(ws.OpText, (&protocol.Frame{Type: protocol.TypeGap, Room: room, Count: &lost}).Encode())
	}
	f.room, f.lost = room, lost
	return f
}
