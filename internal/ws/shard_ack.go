package ws

import (
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// encodeAcks makes the block of what the publishers of a batch are told instead of their messages. A message in a log
// room has one holder mostly, so that they have a piece of memory and not one each.
func (s *shard) encodeAcks(b *batch) {
	size, n := 0, 0
	for i := range b.ops {
		if o := &b.ops[i]; s.acked(o) {
			size += ackSize(o.message)
			n++
		}
	}
	if n == 0 {
		return
	}
	b.acks = &block{bytes: make([]byte, 0, size), frames: make([]frame, 0, n)}
	b.ack = b.ack[:0]
	for i := range b.ops {
		o, at := &b.ops[i], int32(-1)
		if s.acked(o) {
			at = int32(len(b.acks.frames))
			b.acks.appendAck(o.session.Handle.(*conn).ackOf(hub.Entry{Message: o.message, At: o.at}))
		}
		b.ack = append(b.ack, at)
	}
}

// acked reports whether the session of o is told the position of its message by a frame of hub.v1 from here.
func (s *shard) acked(o *op) bool {
	if o.session == nil || o.at.IsZero() {
		return false
	}
	c := o.session.Handle.(*conn)
	return c.shard == s && c.speaks == v1
}

// ackSize is about how many bytes an ack takes.
func ackSize(m *protocol.Message) int {
	const overhead = 128 // of the JSON, with a position
	return overhead + len(m.Room) + 2*len(m.ID)
}

// positionBlock tells a session the position of a message that it has.
func (c *conn) positionBlock(e hub.Entry) *block {
	if c.speaks == events {
		return idBlock(e.At)
	}
	b := &block{bytes: make([]byte, 0, ackSize(e.Message))}
	b.frames = b.one[:0]
	b.appendAck(c.ackOf(e))
	return b
}

// ackOf says the same in hub.v1.
func (c *conn) ackOf(e hub.Entry) protocol.Ack {
	return protocol.Ack{
		Room: e.Message.Room, Key: protocol.KeyOf(e.Message.ID, c.session.ID()), ID: e.Message.ID,
		Scope: protocol.ScopeCluster, At: e.At,
	}
}

// sendAcks sends the gathered acks, which go to sessions of hub.v1 alone. Those of one session that follow each other, as it published faster than the shard
// goes round, become one block.
func (s *shard) sendAcks() {
	for i := 0; i < len(s.acks); {
		first := s.acks[i]
		n, size := 0, 0
		for _, o := range s.acks[i:] {
			if o.session != first.session {
				break
			}
			n++
			size += ws.MaxHeaderSize + len(o.frame)
		}
		c := first.session.Handle.(*conn)
		if n == 1 {
			s.send(c, first.frame)
		} else {
			b := &block{bytes: make([]byte, 0, size), frames: make([]frame, 0, n)}
			for _, o := range s.acks[i : i+n] {
				b.appendText(o.frame)
			}
			s.greet(c)
			c.push(b)
		}
		i += n
	}
	clear(s.acks)
	s.acks = s.acks[:0]
}
