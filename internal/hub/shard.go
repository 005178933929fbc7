package hub

import "github.com/soumya-codes/realtime-hub/protocol"

// Shard moves bytes to its share of a hub's sessions: it owns their member lists, encodings, queues and sockets. The
// hub owns rooms and decides; the shard does as it is told, in the order in which it was told by each goroutine.
//
// This is the seam that keeps batching possible: the hub hands a message over once for each shard, not once for each
// session, so the shard may write to a connection all that it is owed at once.
//
// No method but Pace blocks, and all may be called by several goroutines at once.
type Shard interface {
	// Pace waits while the shard is far behind with what it was told. It is called, holding no lock, by those who
	// publish and may wait.
	Pace()

	// Join makes s a member of room and sends it answer, a frame of hub.v1 or nil, as one: no message of the room comes
	// before the answer. Where attached is set, none that was enqueued after the call is missed; otherwise none comes
	// before Attach. Leave ends the membership. They are not called twice in a row for the same pair.
	Join(room string, s *Session, answer []byte, attached bool)
	Leave(room string, s *Session)

	// Attach has all messages of room that are handed over from now on go to s, a member, behind frame, which is of
	// hub.v1. Where next is not nil, it is called as by Replay. Detach ends that; s is still a member.
	Attach(room string, s *Session, frame []byte, next func())
	Detach(room string, s *Session)

	// Enqueue sends p to the attached members of its room other than except, which may be nil. Where more waits than the
	// shard's bound, p is dropped and counted.
	Enqueue(p *Publication, except *Session)

	// Deliver sends e to the attached members of its room: to the holders, which have the message, as its position alone,
	// and to the others whole. It is never dropped: a session whose queue it fills is closed. Where remote is set,
	// another hub took the message.
	Deliver(e Entry, holders []*Session, remote bool)

	// Replay sends items to s, a member that is not attached or gets history, and behind them the frame end of hub.v1,
	// where that is not nil. Where next is not nil, it is called once, when all of it was written to the connection, by a
	// goroutine of the shard that holds no lock.
	Replay(s *Session, items []Item, end []byte, next func())

	// Show sends m, which has no position yet, to members of its room.
	Show(m *protocol.Message, to []*Session)

	// Send sends one frame of hub.v1 to s, Announce to the members of room that speak hub.v1 other than except, which
	// may be nil, or to those alone that are attached, and Broadcast to each session to which Send has sent something.
	// Frames sent so are not dropped: a session whose queue they fill is closed. The shard keeps frame and does not
	// change it.
	Send(s *Session, frame []byte)
	Announce(room string, frame []byte, except *Session, attached bool)
	Broadcast(frame []byte)

	// Ack sends s one frame as Send does, but in no order with the messages of rooms: those of a moment are handed over
	// together though their publishers are answered between them.
	Ack(s *Session, frame []byte)

	// Close sends what s is owed, as far as that goes, then closes it with code and reason.
	Close(s *Session, code protocol.Code, reason string)
}

// Item is an entry on its way to one session.
type Item struct {
	Entry
	Held bool // the session has the message: its position alone
	Past bool // it is history that was asked for, and not what comes next
}
