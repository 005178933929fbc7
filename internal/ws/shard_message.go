package ws

import (
	"slices"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// batch is messages in one room, and a block of them in each encoding that somebody there has.
type batch struct {
	ops    []op
	blocks [encodings]*block
	at     [encodings][]int32 // which frame of the block each message is; -1 for none

	acks *block  // the positions of messages in a log room, for who has them; nil without any
	ack  []int32 // which frame of it each message has, for its session; -1 for none
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
	if m.attached == 1 && s.isOwnRun(m.conns[0]) {
		return
	}
	b := &s.batch
	b.ops = s.run
	for e := range encodings {
		if m.speak[e] > 0 {
			s.encode(b, e)
		}
	}
	s.markHolders()
	s.encodeAcks(b)
	s.engine.crowd(m.attached > few)
	defer s.engine.crowd(false)
	for _, c := range m.conns[:m.attached] {
		block := b.blocks[c.speaks]
		switch {
		case c.marked == s.marks:
			c.pushOwn(b)
		case block != nil:
			c.pushSpan(block.whole())
		}
	}
	b.ops, b.blocks, b.acks = nil, [encodings]*block{}, nil
}

// isOwnRun reports whether all messages of the run are of c, which is told nothing of its own.
func (s *shard) isOwnRun(c *conn) bool {
	return c.speaks == plain && !slices.ContainsFunc(s.run, func(o op) bool { return o.session != c.session })
}

// encode makes the block of a batch in one encoding.
func (s *shard) encode(b *batch, e encoding) {
	size := 0
	for i := range b.ops {
		size += encodedSize(e, b.ops[i].message)
	}
	k := &block{bytes: make([]byte, 0, size), frames: make([]frame, 0, len(b.ops)), tally: new(tally)}
	b.at[e] = b.at[e][:0]
	for i := range b.ops {
		o := &b.ops[i]
		before := len(k.frames)
		k.appendMessage(e, protocol.Delivery{Message: o.message, At: o.at}, o.remote)
		at := int32(-1)
		if len(k.frames) > before {
			at = int32(before)
		}
		b.at[e] = append(b.at[e], at)
	}
	if len(k.frames) > 0 {
		b.blocks[e] = k
	}
}

// markHolders marks the connections that have a message of the run, so that all others are told with one look at each.
func (s *shard) markHolders() {
	s.marks++
	mark := func(session *hub.Session) {
		if session == nil {
			return
		}
		if c := session.Handle.(*conn); c.shard == s {
			c.marked = s.marks
		}
	}
	for i := range s.run {
		o := &s.run[i]
		mark(o.session)
		if o.more == nil {
			continue
		}
		for _, session := range o.more.sessions {
			mark(session)
		}
		o.index()
	}
}

// pushOwn appends the batch's messages, but of those that the connection has their positions alone, or nothing.
func (c *conn) pushOwn(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	for i := range b.ops {
		o := &b.ops[i]
		if o.held(c) {
			if own := b.own(i, c); own.block != nil {
				c.queue.append(own)
			}
			continue
		}
		if at := b.at[c.speaks][i]; at >= 0 {
			c.queue.append(span{b.blocks[c.speaks], at, at + 1})
		}
	}
	c.bound()
	c.wake()
}

// own returns what c, which has message i, gets instead: its position alone in a log room, and else no block.
func (b *batch) own(i int, c *conn) span {
	o := &b.ops[i]
	switch {
	case c.speaks == plain || o.at.IsZero():
		return span{}
	case o.session == c.session && b.acks != nil && b.ack[i] >= 0:
		return span{b.acks, b.ack[i], b.ack[i] + 1}
	}
	return c.positionBlock(hub.Entry{Message: o.message, At: o.at}).whole()
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

// replay sends entries to one connection. What comes after them may wait for their having been written.
func (s *shard) replay(o op) {
	c := o.session.Handle.(*conn)
	if c.speaks == plain {
		return // it cannot resume
	}
	blocks := make([]*block, 0, len(o.more.items)+1)
	for _, item := range o.more.items {
		if item.Held || item.Message.Kind == 0 {
			blocks = append(blocks, c.positionBlock(item.Entry))
			continue
		}
		blocks = append(blocks, s.replayBlock(c.speaks, item))
	}
	if o.frame != nil && c.speaks == v1 {
		blocks = append(blocks, newBlock(ws.OpText, o.frame))
	}
	if len(blocks) == 0 {
		return
	}
	if o.more.next != nil {
		last := blocks[len(blocks)-1]
		last = single(last.bytes, last.frames[0]) // its own: others share the block
		last.written = o.more.next
		blocks[len(blocks)-1] = last
	}
	c.pushAll(blocks)
}

// replayKey names a block for a message that is replayed.
type replayKey struct {
	encoding
	hub.Entry
	past bool
}

// replayBlock encodes what is replayed, once a round.
func (s *shard) replayBlock(e encoding, item hub.Item) *block {
	key := replayKey{e, item.Entry, item.Past}
	b := s.replayed[key]
	if b == nil {
		b = messageBlock(e, protocol.Delivery{Message: item.Message, At: item.At, Past: item.Past})
		b.frames[0].published = 0 // what was stored long ago says nothing of how long a delivery takes
		s.replayed[key] = b
	}
	return b
}

// show sends a message that has no position yet.
func (s *shard) show(o op) {
	var blocks [encodings]*block
	for _, session := range o.more.sessions {
		c := session.Handle.(*conn)
		b := &blocks[c.speaks]
		if *b == nil {
			*b = messageBlock(c.speaks, protocol.Delivery{Message: o.message, Kept: true})
		}
		c.push(*b)
	}
}
