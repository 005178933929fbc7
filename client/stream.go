package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file has what comes in a room, and where that leaves its cursor (docs/protocol.md, "What a client of log rooms
// does").

// errManyShown is why a room is left and joined again: without positions no more can be taken.
var errManyShown = errors.New("too many messages that are not stored yet")

// handleStream does what f, which is about a room's messages, asks for. Its error says what is wrong with f.
func (l *link) handleStream(f *protocol.Frame) error {
	c := l.client
	var at protocol.Position
	sets := f.Type == protocol.TypeSubscribed || f.Type == protocol.TypeOrphans || f.Type == protocol.TypeReset
	if f.Position != "" || sets {
		var err error
		if at, err = protocol.ParsePosition(f.Position); err != nil {
			return fmt.Errorf("position of a frame %s: %w", f.Type, err)
		}
	}
	switch f.Type {
	case protocol.TypeMessage:
		m, err := f.DecodeMessage()
		if err != nil {
			return err
		}
		c.deliver(&Message{Message: *m, Position: at, Past: f.Past, Provisional: f.Scope == protocol.ScopeHub})
	case protocol.TypeAck:
		ack := Ack{ID: f.ID, Key: f.Key, Scope: f.Scope, Position: at, Duplicate: f.Duplicate}
		c.acknowledge(f.Room, ack)
		l.answer(f.Key, result{ack: ack})
	case protocol.TypeHistory:
		c.recalled(f.Room)
	case protocol.TypeSubscribed:
		c.subscribed(f.Room, at)
	case protocol.TypeOrphans:
		if f.Count == nil || *f.Count <= 0 {
			return errors.New("a frame orphans without a count")
		}
		c.setBack(f.Room, at, Gap{Lost: *f.Count})
	case protocol.TypeReset:
		c.setBack(f.Room, at, Gap{Reset: true})
	case protocol.TypeGap:
		if f.Count == nil || *f.Count <= 0 {
			return errors.New("a frame gap without a count")
		}
		c.skipped(f.Room, *f.Count)
	}
	return nil
}

// deliver takes a message of a room.
func (c *Client) deliver(m *Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[m.Room]
	if r == nil || !r.in {
		return
	}
	switch own := c.who.is(m.From.ID); {
	case m.Past:
		r.putPast(m)
	case m.Provisional:
		if !own {
			c.show(r, m)
		}
	case !m.Position.IsZero():
		r.advance(m.Position)
		if !r.settle(m.ID) && !own {
			r.put(item{message: m})
		}
	default: // of a live room
		r.put(item{message: m})
	}
}

// show gives the program a message that has no position. Where the ids of so many are kept that this one's cannot be,
// it is not shown: the room is joined anew, so that the hub forgets that it sent it, and sends it again when it is
// stored. The caller holds mu.
func (c *Client) show(r *Room, m *Message) {
	_, again := r.shown[m.ID]
	switch {
	case again:
	case !r.shown.full():
		r.shown[m.ID] = time.Now()
		r.put(item{message: m})
	case !r.whole: // otherwise it was on its way
		r.lose(errManyShown)
		r.membership++
		c.update()
	}
}

// acknowledge takes the position of a message that the client has: it published it, or was shown it before.
func (c *Client) acknowledge(name string, ack Ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setLog(name, ack.Scope == protocol.ScopeCluster || ack.Scope == protocol.ScopeHub)
	r := c.rooms[name]
	if r == nil || !r.in || ack.Position.IsZero() {
		return
	}
	if !r.cursor.IsZero() { // without one the client is not in the stream yet, and this is an answer alone
		r.advance(ack.Position)
	}
	r.settle(ack.ID)
}

// subscribed records that the client has all of the room up to at.
func (c *Client) subscribed(name string, at protocol.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil && r.in {
		r.cursor = at
		if r.history != nil {
			r.history.start(at, c.options.buffer)
		}
		r.shown.expire()
		r.tell()
	}
}

// setBack records that the log goes on from at, and that messages are missing.
func (c *Client) setBack(name string, at protocol.Position, gap Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil && r.in {
		r.cursor = at
		if r.history != nil {
			r.history.setBack(at, gap.Reset)
		}
		r.put(item{gap: gap})
		r.tell()
	}
}

// skipped records that the hub dropped so many messages of a live room, because this client read too slowly.
func (c *Client) skipped(name string, count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil && r.in {
		r.put(item{gap: Gap{Dropped: count}})
	}
}

// advance moves the cursor to at if that is beyond it. The caller holds client.mu.
func (r *Room) advance(at protocol.Position) {
	if r.cursor.IsZero() || at.Offset > r.cursor.Offset {
		r.cursor = at
	}
}
