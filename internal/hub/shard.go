package hub

import "github.com/soumya-codes/realtime-hub/protocol"

// Shard moves bytes to its share of a hub's sessions: it owns their member lists, encodings, queues and sockets. The
// hub owns rooms and decides; the shard does as it is told, in the order in which it was told by each goroutine.
//
// This is the seam that keeps batching possible: the hub hands a publication over once for each shard, not once for
// each session, so the shard may write to a connection all that it is owed at once.
//
// No method but Pace blocks, and all may be called by several goroutines at once.
type Shard interface {
	// Pace waits while the shard is far behind with what it was told. It is called, holding no lock, by those who
	// publish and may wait.
	Pace()

	// Join makes s a member of room and sends it answer, a frame of hub.v1 or nil, as one: no message of the room comes
	// before the answer, and none that was enqueued after the call is missed. Leave ends the membership. They are not
	// called twice in a row for the same pair.
	Join(room string, s *Session, answer []byte)
	Leave(room string, s *Session)

	// Enqueue sends p to the members of its room other than except, which may be nil. Where more waits than the shard's
	// bound, p is dropped and counted.
	Enqueue(p *Publication, except *Session)

	// Send sends one frame of hub.v1 to s, Announce to the members of room that speak hub.v1 other than except, which
	// may be nil, and Broadcast to each session to which Send has sent something. Frames sent so are not dropped: a
	// session whose queue they fill is closed. The shard keeps frame and does not change it.
	Send(s *Session, frame []byte)
	Announce(room string, frame []byte, except *Session)
	Broadcast(frame []byte)

	// Close sends what s is owed, as far as that goes, then closes it with code and reason.
	Close(s *Session, code protocol.Code, reason string)
}
