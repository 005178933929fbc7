package logroom_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// kind says what a client does.
type kind int

const (
	both      kind = iota // subscribes and publishes
	reader                // subscribes, and sometimes goes back to what it was before
	publisher             // publishes without being subscribed
	plain                 // cannot resume, has no outbox: the hub makes its keys
)

// kinds has each kind as often as it comes.
var kinds = []kind{both, both, both, both, reader, reader, publisher, plain}

// client is a model of a client: what the contract asks of one, and a record of all that it was shown.
type client struct {
	w    *world
	id   string
	kind kind
	room int
	conn *conn
	keys int

	// What a client keeps, together.
	cursor logroom.Position
	outbox []*sent
	shown  map[string]time.Duration // without a position; since when

	// The record: what is on the screen. A position where it has one.
	screen      map[string]logroom.Position
	unconfirmed map[string]bool // on the screen, and declared so: it may come again, or be confirmed after all
	told        bool            // live at least once

	before *client // a reader's earlier self
	acked  []logroom.Entry
}

// sent is a message in a client's outbox.
type sent struct {
	message  *protocol.Message
	birth    logroom.Position
	made     time.Duration
	last     time.Duration // attempt
	attempts int
}

// conn is a connection of a client to a hub: what is sent arrives in its order, or not at all.
type conn struct {
	client *client
	hub    *hub
	number uint64
	open   bool
	up     time.Duration // when the last that was sent to the hub arrives
	down   time.Duration // and to the client
	queued int           // frames on their way to the client
	full   bool          // the client keeps no more ids
}

func (c *conn) String() string { return fmt.Sprintf("%s#%d", c.client.id, c.number) }

func newClient(w *world, i int) *client {
	c := &client{w: w, id: fmt.Sprint("c", i), kind: kinds[w.rng.IntN(len(kinds))], room: w.rng.IntN(w.config.rooms)}
	if i < 2 {
		c.kind, c.room = both, 0
	}
	c.empty()
	w.after(w.between(0, time.Second), c.tick)
	return c
}

// empty makes it one that knows nothing.
func (c *client) empty() {
	c.cursor = logroom.Position{}
	c.shown, c.screen, c.unconfirmed = map[string]time.Duration{}, map[string]logroom.Position{}, map[string]bool{}
}

// connect opens a connection to any hub that is up, and joins.
func (c *client) connect() {
	if c.conn != nil {
		return
	}
	w := c.w
	h := w.hubs[w.rng.IntN(len(w.hubs))]
	if !h.up {
		c.again()
		return
	}
	w.count++
	k := &conn{client: c, hub: h, number: w.count, open: true}
	c.conn = k
	c.told = false
	if c.kind == plain {
		c.id = fmt.Sprintf("plain%d", w.count) // a client for each connection
		c.empty()
	}
	w.trace("%v connects to %s at %v", k, h.name, c.cursor)
	cursor, provisional := c.cursor, c.kind == plain || len(c.shown) < w.config.shown
	k.full = !provisional
	if c.kind != publisher {
		j := logroom.Join{Session: k, Publisher: c.id, Cursor: cursor, Provisional: provisional}
		if w.chance(30) {
			j.History = 1 + w.rng.IntN(30)
		}
		k.toHub(func() { h.room(c.room).join(k, j) })
	}
	for _, s := range c.outbox {
		c.attempt(s)
	}
}

func (c *client) again() {
	c.w.after(c.w.between(10*time.Millisecond, 500*time.Millisecond), c.connect)
}

// cut ends a connection. The hub notices at once or late; what is on its way is lost, to the hub not always.
func (k *conn) cut() {
	if !k.open {
		return
	}
	k.open = false
	w := k.client.w
	w.trace("%v is cut", k)
	if k.client.conn == k {
		k.client.conn = nil
		k.client.again()
	}
	h, life := k.hub, k.hub.life
	h.later(w.between(0, 500*time.Millisecond), func() {
		if r := h.rooms[k.client.room]; h.life == life && r != nil && slices.Contains(r.joined, k) {
			r.leave(k)
		}
	})
}

// toHub sends something to the hub.
func (k *conn) toHub(do func()) {
	w, life := k.client.w, k.hub.life
	k.up = max(k.up, w.now+w.between(50*time.Microsecond, 5*time.Millisecond))
	k.hub.later(k.up-w.now, func() {
		if k.open && k.hub.life == life {
			do()
		}
	})
}

// send sends something to the client. One that is too slow is closed.
func (k *conn) send(do func()) {
	w := k.client.w
	if !k.open {
		return
	}
	d := w.between(50*time.Microsecond, 5*time.Millisecond)
	if !w.calm && w.chance(w.config.slow) {
		d = w.between(0, 300*time.Millisecond)
	}
	if k.queued++; k.queued > w.config.queue {
		w.trace("%v is too slow", k)
		w.after(0, k.cut)
		return
	}
	k.down = max(k.down, w.now+d)
	w.after(k.down-w.now, func() {
		k.queued--
		if k.open && k.client.conn == k {
			do()
		}
	})
}

// whenRead tells the hub that all that was sent is on its way.
func (k *conn) whenRead(do func()) {
	w, life := k.client.w, k.hub.life
	k.hub.later(max(0, k.down-w.now), func() {
		if k.open && k.hub.life == life {
			do()
		}
	})
}

// publish makes a message and sends it.
func (c *client) publish() {
	c.keys++
	w, key := c.w, fmt.Sprint("m", c.keys)
	m := &protocol.Message{ID: protocol.MessageID(c.id, key), From: protocol.Client{ID: c.id}, Kind: protocol.Text}
	if c.kind == plain {
		if k := c.conn; k != nil {
			k.toHub(func() { k.hub.room(c.room).step(logroom.Publish{Message: m, Own: true}) })
		}
		return
	}
	if len(c.outbox) >= 20 {
		return
	}
	s := &sent{message: m, birth: c.cursor, made: w.now}
	c.outbox = append(c.outbox, s)
	w.trace("%s makes %s at %v", c.id, m.ID, c.cursor)
	c.attempt(s)
}

// attempt sends a message, again and again under its key.
func (c *client) attempt(s *sent) {
	k := c.conn
	if k == nil {
		return
	}
	s.last = c.w.now
	s.attempts++
	birth := s.birth
	if c.w.off("client: birth of the retry") {
		birth = c.cursor
	}
	k.toHub(func() {
		k.hub.room(c.room).step(logroom.Publish{Message: s.message, Birth: birth, Reply: k})
	})
}

// tick sends again what was not answered, and gives up what is too old.
func (c *client) tick() {
	w, now := c.w, c.w.now
	c.outbox = slices.DeleteFunc(c.outbox, func(s *sent) bool { return now-s.made > w.config.giveUp })
	for _, s := range slices.Clone(c.outbox) {
		if now-s.last > 1500*time.Millisecond {
			c.attempt(s)
		}
	}
	if c.told {
		for _, id := range slices.Sorted(maps.Keys(c.shown)) {
			if now-c.shown[id] > w.config.giveUp+w.config.maxAge+w.config.delays {
				delete(c.shown, id) // no outbox can have it any more
				c.unconfirmed[id] = true
			}
		}
	}
	if c.kind == reader && w.chance(5) {
		c.before = &client{
			cursor: c.cursor, shown: maps.Clone(c.shown), screen: maps.Clone(c.screen), unconfirmed: maps.Clone(c.unconfirmed),
		}
	}
	w.after(500*time.Millisecond, c.tick)
}

// rewind has a reader resume from what it knew some time ago.
func (c *client) rewind() {
	if c.before == nil || c.kind != reader {
		return
	}
	if c.conn != nil {
		c.conn.cut()
	}
	c.w.trace("%s goes back to %v", c.id, c.before.cursor)
	c.cursor, c.shown = c.before.cursor, maps.Clone(c.before.shown)
	c.screen, c.unconfirmed = maps.Clone(c.before.screen), maps.Clone(c.before.unconfirmed)
}
