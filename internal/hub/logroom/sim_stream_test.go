package logroom_test

import (
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// own reports whether the client published a message.
func (c *client) own(id string) bool { return strings.HasPrefix(id, c.id+"/") }

// full reports whether the client can keep no more ids, and its connection does not know.
func (c *client) full() bool {
	return c.kind != plain && len(c.shown) >= c.w.config.shown && !c.conn.full
}

// attached says that the client is live.
func (c *client) attached(e logroom.Attach) {
	c.told = true
	if e.Fresh {
		c.cursor = e.At
	} else if !c.w.truth.same(c.cursor, e.At) {
		c.w.fail("I2", "%s is at %v and live at %v", c.id, c.cursor, e.At)
	}
}

// entry is the next of the stream: whole, or as its position alone.
func (c *client) entry(e logroom.Entry, held bool) {
	w, id := c.w, e.Message.ID
	w.trace("%s gets %s at %v held %v", c.id, id, e.At, held)
	if err := w.truth.check(c.room, c.cursor, e.At, id); err != nil {
		w.fail("stream", "%s in room %d: %v", c.id, c.room, err)
		return
	}
	c.cursor = e.At
	w.stats.Delivered++
	_, onScreen := c.screen[id]
	_, shown := c.shown[id]
	switch {
	case c.own(id):
		if !held {
			w.fail("I11", "%s gets its own %s whole", c.id, id)
		}
		c.settle(id, e.At)
		return
	case held && !onScreen:
		w.fail("I4", "%s gets the position %v of %s, which it was not shown", c.id, e.At, id)
	case !held && onScreen && !shown && !c.unconfirmed[id]:
		w.fail("I3", "%s is shown %s a second time, at %v; it has it at %v", c.id, id, e.At, c.screen[id])
	}
	delete(c.shown, id)
	delete(c.unconfirmed, id)
	c.screen[id] = e.At
}

// history is what was before, beside the stream: the client leaves out what it has.
func (c *client) history(entries []logroom.Entry) {
	w := c.w
	w.trace("%s gets history %v", c.id, entries)
	for i, e := range entries {
		id := e.Message.ID
		if w.truth.entries[place{c.room, e.At}] != id || i > 0 && e.At.Offset != entries[i-1].At.Offset+1 {
			w.fail("I1", "%s gets a history with %s at %v", c.id, id, e.At)
		}
		if e.At.Offset > c.cursor.Offset {
			w.fail("I2", "%s gets a history with %v and is at %v", c.id, e.At, c.cursor)
		}
		w.stats.Recalled++
		if _, ok := c.screen[id]; !ok && !c.own(id) || c.screen[id].IsZero() {
			c.settle(id, e.At)
			c.screen[id] = e.At
		}
	}
}

// provisional is a message without a position.
func (c *client) provisional(m *protocol.Message) {
	w := c.w
	w.trace("%s is shown %s", c.id, m.ID)
	if c.own(m.ID) {
		w.fail("I11", "%s is shown its own %s", c.id, m.ID)
	}
	if _, ok := c.shown[m.ID]; ok {
		return
	}
	if at, ok := c.screen[m.ID]; ok && !c.unconfirmed[m.ID] {
		w.fail("I3", "%s is shown %s without a position, and has it at %v", c.id, m.ID, at)
	}
	w.stats.Shown++
	c.shown[m.ID] = w.now
	delete(c.unconfirmed, m.ID)
	c.screen[m.ID] = logroom.Position{}
	if c.kind != plain && len(c.shown) > w.config.shown {
		w.fail("I8", "%s keeps %d ids", c.id, len(c.shown))
	}
	if c.full() {
		c.conn.cut() // to come back as one that takes no more
	}
}

// settle takes the position of what the client has, without moving the cursor.
func (c *client) settle(id string, at logroom.Position) {
	for i, s := range c.outbox {
		if s.message.ID == id {
			c.outbox = append(c.outbox[:i:i], c.outbox[i+1:]...)
			break
		}
	}
	if _, ok := c.screen[id]; ok {
		c.screen[id] = at
		delete(c.shown, id)
		delete(c.unconfirmed, id)
	}
}

// settled is the position of what was shown without one.
func (c *client) settled(id string, at logroom.Position) {
	w := c.w
	w.stats.Settled++
	if got := w.truth.entries[place{c.room, at}]; got != id {
		w.fail("I1", "%s is told that %s is at %v, where %q is", c.id, id, at, got)
	}
	if at.Offset > c.cursor.Offset {
		w.fail("I2", "%s is told of %s at %v, and is at %v", c.id, id, at, c.cursor)
	}
	c.settle(id, at)
}

// outcome answers a publication.
func (c *client) outcome(e logroom.Outcome) {
	w := c.w
	w.trace("%s learns that %s is %v at %v", c.id, e.ID, e.Result, e.At)
	switch e.Result {
	case logroom.Stored:
		w.stats.Stored++
		if e.Duplicate {
			w.stats.Duplicates++
		}
		if got := w.truth.entries[place{c.room, e.At}]; got != e.ID {
			w.fail("I6", "%s is told that %s is stored at %v, where %q is", c.id, e.ID, e.At, got)
		}
		if c.kind != publisher && e.At.Offset > c.cursor.Offset {
			// The next entry of the stream, as far as the client knows.
			if err := w.truth.check(c.room, c.cursor, e.At, e.ID); err != nil {
				w.fail("outcome", "%s in room %d: %v", c.id, c.room, err)
			}
			c.cursor = e.At
		}
		c.acked = append(c.acked, logroom.Entry{At: e.At})
		c.settle(e.ID, e.At)
	case logroom.Full, logroom.Refused:
		w.stats.Refused++
		for i, s := range c.outbox {
			if s.message.ID == e.ID && s.attempts == 1 {
				c.outbox = append(c.outbox[:i:i], c.outbox[i+1:]...) // final: nothing was shown or stored
				break
			}
		}
	case logroom.Unknown:
		w.stats.Unknown++
	}
}

// orphans sets the client back: what it has beyond is declared lost.
func (c *client) orphans(e logroom.Orphans) {
	w := c.w
	w.trace("%s is told of orphans after %v to %d", c.id, e.At, e.To)
	w.stats.Orphans++
	if e.To != c.cursor.Offset || e.At.Offset >= e.To {
		w.fail("I4", "%s is told of orphans (%v, %d] and is at %v", c.id, e.At, e.To, c.cursor)
	}
	if !w.truth.forked(c.cursor, e.At.Offset) {
		w.fail("I4", "%s is told that %v is lost after %v, and no log left it there", c.id, c.cursor, e.At)
	}
	if w.config.lossless {
		w.fail("I4", "%s is told of orphans after %v where nothing was lost", c.id, e.At)
	}
	c.cursor = e.At
	for id, at := range c.screen {
		if !at.IsZero() && at.Offset > e.At.Offset {
			delete(c.screen, id)
		}
	}
}

// reset has the client begin anew: all that has a position may come again.
func (c *client) reset(e logroom.Reset) {
	w := c.w
	w.trace("%s is reset to %v", c.id, e.At)
	w.stats.Resets++
	if w.config.lossless && w.config.keepsAll() {
		w.fail("I4", "%s is reset from %v to %v where nothing was lost", c.id, c.cursor, e.At)
	}
	c.cursor = e.At
	for id, at := range c.screen {
		if !at.IsZero() {
			delete(c.screen, id)
		}
	}
}
