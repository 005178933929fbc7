package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// logRoom is what a client keeps of a room.
type logRoom struct {
	name   string
	cursor protocol.Position
	outbox []*outMessage
	shown  map[string]bool              // ids shown without a position; true where a reset came since
	texts  map[string]string            // of those
	have   map[string]protocol.Position // by text, what is on the screen, one's own too; zero without a position
	there  bool                         // there came, since it joined over this connection
	live   bool                         // so did subscribed
	full   bool                         // it joined as one that takes nothing without a position
}

// outMessage is a message that is not known to be stored.
type outMessage struct {
	key   string
	frame protocol.Frame
	tries int
	again time.Time // when it is to be sent again
	kept  bool      // a hub said that it keeps it
}

func newLogRoom(name string) *logRoom {
	return &logRoom{name: name, shown: map[string]bool{}, texts: map[string]string{}, have: map[string]protocol.Position{}}
}

func (r *logRoom) clone() logRoom {
	c := *r
	c.outbox, c.shown, c.texts, c.have = slices.Clone(r.outbox), maps.Clone(r.shown), maps.Clone(r.texts), maps.Clone(r.have)
	return c
}

func (c *logClient) roomNames() []string { return slices.Sorted(maps.Keys(c.rooms)) }

// take does what a frame asks for.
func (c *logClient) take(f *protocol.Frame) {
	c.note(got, "", f)
	switch f.Type {
	case protocol.TypeWelcome:
		c.welcome(f)
		return
	case protocol.TypeStatus:
		c.isolated = f.Isolated != nil && *f.Isolated
		return
	case protocol.TypeBye:
		if f.Retry != nil {
			c.bye = time.Duration(*f.Retry) * time.Millisecond
		}
		return
	}
	r := c.rooms[f.Room]
	if r == nil {
		return
	}
	at, _ := protocol.ParsePosition(f.Position) // zero where there is none
	c.mu.Lock()
	if !r.there && f.Type != protocol.TypeThere && f.Type != protocol.TypeAck && f.Type != protocol.TypeError {
		c.mu.Unlock()
		return // it was on its way when the client left
	}
	switch f.Type {
	case protocol.TypeThere:
		r.there = true
	case protocol.TypeSubscribed:
		r.cursor, r.live = at, true
		c.wait = 0
	case protocol.TypeOrphans:
		r.cursor = at
		maps.DeleteFunc(r.have, func(_ string, had protocol.Position) bool { return had.Offset > at.Offset })
	case protocol.TypeReset:
		r.cursor = at
		maps.DeleteFunc(r.have, func(_ string, had protocol.Position) bool { return !had.IsZero() })
		for id := range r.shown {
			r.shown[id] = true
		}
	case protocol.TypeMessage:
		r.message(f, at)
	case protocol.TypeAck:
		c.ack(r, f, at)
	case protocol.TypeError:
		c.refused(r, f)
	}
	full := c.role.room > 0 && len(r.shown) >= c.role.room && !r.full
	c.mu.Unlock()
	if full { // it comes back as one that takes no more
		c.send(&protocol.Frame{Type: protocol.TypeLeave, Room: r.name})
		c.join(r)
	}
}

// join subscribes to a room, where the client is.
func (c *logClient) join(r *logRoom) {
	j := &protocol.Frame{Type: protocol.TypeJoin, Room: r.name, History: c.role.history}
	c.mu.Lock()
	r.there, r.live = false, false
	if !r.cursor.IsZero() {
		j.Position = r.cursor.String()
	}
	if r.full = c.role.room > 0 && len(r.shown) >= c.role.room; r.full {
		j.Provisional = new(false)
	}
	c.mu.Unlock()
	c.send(j)
}

// welcome joins the rooms, and sends again what is not known to be stored.
func (c *logClient) welcome(f *protocol.Frame) {
	if c.creds != nil && c.creds.ID != f.Client.ID { // a new client: nothing of the old one counts
		c.mu.Lock()
		for name := range c.rooms {
			c.rooms[name] = newLogRoom(name)
		}
		c.mu.Unlock()
		c.put = nil
	}
	c.creds, c.ready = f.Client, true
	c.mu.Lock()
	c.addr = c.conn.addr
	c.mu.Unlock()
	for _, name := range c.roomNames() {
		r := c.rooms[name]
		if c.role.subscribes {
			c.join(r)
		} else {
			c.wait = 0
		}
	}
	for _, name := range c.roomNames() {
		for _, m := range c.rooms[name].outbox {
			c.try(c.rooms[name], m)
		}
	}
}

// message takes in what was published.
func (r *logRoom) message(f *protocol.Frame, at protocol.Position) {
	var text string
	_ = json.Unmarshal(f.Data, &text) // the checker looks at the data
	switch {
	case at.IsZero():
		if _, ok := r.have[text]; !ok {
			r.shown[f.ID], r.texts[f.ID], r.have[text] = false, text, at
		}
		return
	case !f.Past && at.Offset > r.cursor.Offset:
		r.cursor = at
	}
	delete(r.shown, f.ID)
	r.have[text] = at
}

// ack takes in what the hub says of a message, one's own or another's.
func (c *logClient) ack(r *logRoom, f *protocol.Frame, at protocol.Position) {
	if f.Scope == protocol.ScopeHub {
		for _, m := range r.outbox {
			m.kept = m.kept || m.key == f.Key
		}
		return
	}
	next := at.Offset > r.cursor.Offset
	if next && r.there && !r.cursor.IsZero() {
		r.cursor = at
	}
	if f.Key == "" {
		if next && !r.there {
			return // it comes again
		}
		delete(r.shown, f.ID)
		if text, ok := r.texts[f.ID]; ok {
			r.have[text] = at
		}
		return
	}
	r.outbox = slices.DeleteFunc(r.outbox, func(m *outMessage) bool {
		if m.key == f.Key {
			var text string
			_ = json.Unmarshal(m.frame.Data, &text) // it was marshalled here
			r.have[text] = at
			c.stored++
		}
		return m.key == f.Key
	})
}

// refused takes in an error.
func (c *logClient) refused(r *logRoom, f *protocol.Frame) {
	r.outbox = slices.DeleteFunc(r.outbox, func(m *outMessage) bool {
		switch {
		case m.key != f.Key:
		case f.Code == protocol.ErrUnknown || f.Code == protocol.ErrOutboxFull || f.Code == protocol.ErrRefused && m.tries > 1:
			m.again = time.Now().Add(logAgain)
		default:
			return true
		}
		return false
	})
}

// save puts by what the client keeps.
func (c *logClient) save() {
	c.order(func() {
		c.note(saved, "", nil)
		c.put = map[string]logRoom{}
		for name, r := range c.rooms {
			c.put[name] = r.clone()
		}
	})
}

// rewind cuts the connection and has the client go on from what it had put by last, as a program does whose state on
// disk is older than what it showed. What it made since stays in its outbox.
func (c *logClient) rewind() {
	c.order(func() {
		if c.put == nil {
			return
		}
		c.hangUp("rewind", true)
		c.note(rewound, "", nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		for name, old := range c.put {
			r := old.clone()
			for _, m := range c.rooms[name].outbox {
				if !slices.Contains(r.outbox, m) {
					r.outbox = append(r.outbox, m)
				}
			}
			c.rooms[name] = &r
		}
	})
}

// cut ends the connection, as a network does or in order; the client connects again.
func (c *logClient) cut(rst bool) { c.order(func() { c.hangUp("cut", rst) }) }

// goTo has the client go to another hub.
func (c *logClient) goTo(h *hub) {
	c.order(func() {
		c.hangUp("go to "+h.Addr(), false)
		slices.SortStableFunc(c.hubs, func(a, b string) int {
			return strings.Compare(fmt.Sprint(a != h.Addr()), fmt.Sprint(b != h.Addr()))
		})
	})
}

// publishEvery has the client make a message again and again; with 0 it stops.
func (c *logClient) publishEvery(pace time.Duration) {
	c.order(func() { c.pace, c.due = pace, time.Now() })
}

// publish makes one message now, and returns its text.
func (c *logClient) publish(room string) (text string) {
	c.order(func() { text = c.makeIn(c.rooms[room]) })
	return text
}

// has returns where the client has the message with this text: the position is zero where it was shown without one.
func (c *logClient) has(room, text string) (at protocol.Position, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok = c.rooms[room].have[text]
	return at, ok
}

// rest returns an error as long as the client is not at the log's top, with an empty outbox.
func (c *logClient) rest(room string, top uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	switch {
	case len(r.outbox) > 0:
		return fmt.Errorf("%s: %d messages wait in the outbox for room %s, the first %s", c.name, len(r.outbox), room, r.outbox[0].frame.Data)
	case c.role.subscribes && !r.live:
		return fmt.Errorf("%s is not subscribed to %s", c.name, room)
	case c.role.subscribes && r.cursor.Offset != top:
		return fmt.Errorf("%s is at %v of %s, whose log ends at %d", c.name, r.cursor, room, top)
	}
	return nil
}

// settled returns an error as long as the client shows a message without a position that is in the log, and that no reset
// may have hidden from it.
func (c *logClient) settled(room string, log []stored) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, hidden := range c.rooms[room].shown {
		if !hidden && slices.ContainsFunc(log, func(s stored) bool { return s.id == id }) {
			return fmt.Errorf("%s still shows %s of %s without a position", c.name, id, room)
		}
	}
	return nil
}

// hub returns the address of the hub that it is connected to, or "".
func (c *logClient) hub() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// progress returns how many of its messages are known to be stored, and how many of others it was shown without a
// position and still has none of.
func (c *logClient) progress() (acknowledged, provisional int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rooms {
		provisional += len(r.shown)
	}
	return c.stored, provisional
}

// isLive reports whether it is subscribed to all of its rooms, or connected where it only publishes.
func (c *logClient) isLive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rooms {
		if c.role.subscribes && !r.live {
			return false
		}
	}
	return c.addr != ""
}
