package ws

import (
	"slices"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// batch is messages in one room, and their frames in each encoding that somebody there has.
type batch struct {
	ops    []op
	frames [encodings][]*frame
}

// publishRun sends the gathered messages to those attached in their room, each encoded once in each encoding in use.
func (s *shard) publishRun() {
	defer func() {
		clear(s.run)
		s.run = s.run[:0]
	}()
	m := s.rooms[s.run[0].room]
	if m == nil || m.attached == 0 {
		return
	}
	batch := batch{ops: s.run}
	for i := range s.run {
		s.run[i].index()
	}
	for e := range encodings {
		if m.speak[e] == 0 {
			continue
		}
		frames := make([]*frame, len(s.run))
		for i := range s.run {
			o := &s.run[i]
			frames[i] = e.message(protocol.Delivery{Message: o.message, At: o.at}, o.remote)
		}
		batch.frames[e] = frames
	}
	for _, c := range m.conns[:m.attached] {
		c.pushBatch(&batch)
	}
}

// own returns what c, which has the message of o, gets instead: its position alone in a log room, and else nothing.
func (o *op) own(c *conn) *frame {
	if c.speaks == plain || o.at.IsZero() {
		return nil
	}
	return c.positionFrame(hub.Entry{Message: o.message, At: o.at})
}

// index makes a set of the holders where they are many.
func (o *op) index() {
	const many = 8
	if o.more == nil || len(o.more.sessions) < many {
		return
	}
	o.more.holders = make(map[*hub.Session]struct{}, len(o.more.sessions))
	for _, s := range o.more.sessions {
		o.more.holders[s] = struct{}{}
	}
}

// held reports whether c has the message of o.
func (o *op) held(c *conn) bool {
	if o.session == c.session {
		return true
	}
	if o.more == nil {
		return false
	}
	if o.more.holders != nil {
		_, held := o.more.holders[c.session]
		return held
	}
	return slices.Contains(o.more.sessions, c.session)
}

// positionFrame tells a session the position of a message that it has.
func (c *conn) positionFrame(e hub.Entry) *frame {
	if c.speaks == events {
		return idFrame(e.At)
	}
	return newFrame(ws.OpText, protocol.AppendAck(nil, protocol.Ack{
		Room: e.Message.Room, Key: protocol.KeyOf(e.Message.ID, c.session.ID()), ID: e.Message.ID,
		Scope: protocol.ScopeCluster, At: e.At,
	}))
}

// replay sends entries to one connection. What comes after them may wait for their having been written.
func (s *shard) replay(o op) {
	c := o.session.Handle.(*conn)
	if c.speaks == plain {
		return // it cannot resume
	}
	frames := make([]*frame, 0, len(o.more.items)+1)
	for _, item := range o.more.items {
		if item.Held || item.Message.Kind == 0 {
			frames = append(frames, c.positionFrame(item.Entry))
			continue
		}
		frames = append(frames, s.replayFrame(c.speaks, item))
	}
	if o.frame != nil && c.speaks == v1 {
		frames = append(frames, newFrame(ws.OpText, o.frame))
	}
	if len(frames) == 0 {
		return
	}
	if o.more.next != nil {
		last := *frames[len(frames)-1] // a copy: others share the frame
		last.written = o.more.next
		frames[len(frames)-1] = &last
	}
	c.pushAll(frames)
}

// replayKey names a frame for a message that is replayed.
type replayKey struct {
	encoding
	hub.Entry
	past bool
}

// replayFrame encodes what is replayed, once a round.
func (s *shard) replayFrame(e encoding, item hub.Item) *frame {
	key := replayKey{e, item.Entry, item.Past}
	f := s.replayed[key]
	if f == nil {
		f = e.message(protocol.Delivery{Message: item.Message, At: item.At, Past: item.Past}, false)
		f.published = 0 // what was stored long ago says nothing of how long a delivery takes
		s.replayed[key] = f
	}
	return f
}

// show sends a message that has no position yet.
func (s *shard) show(o op) {
	var frames [encodings]*frame
	for _, session := range o.more.sessions {
		c := session.Handle.(*conn)
		f := &frames[c.speaks]
		if *f == nil {
			*f = c.speaks.message(protocol.Delivery{Message: o.message, Kept: true}, false)
		}
		c.push(*f)
	}
}
