package hub

import "context"

// NewStream returns a session of shard that gets the messages of one room, says nothing, and is told nothing of people.
// It has to be opened by EnterStream; Receive is not for it.
//
// What shards are given for such a session are frames of hub.v1, as for one that speaks it: subscribed, orphans and reset.
func (h *Hub) NewStream(shard Shard, handle any) *Session {
	s := h.newSession(shard, handle)
	s.stream, s.dialog = true, new(dialog)
	return s
}

// EnterStream opens a stream in room, whose name the transport has checked. In a log room it goes on at cursor, or from
// no position at the newest. It waits, for a short time, until the room is there for the session, which misses nothing
// from then on; one that resumes misses nothing anyway. Where begins is set the client was never there, and begins at the cursor.
func (s *Session) EnterStream(ctx context.Context, room string, cursor Position, begins bool) {
	s.enter(ctx, room, joining{cursor: cursor, begins: begins, provisional: true})
}

// IsLog reports whether room is a log room.
func (h *Hub) IsLog(room string) bool { return h.isLog(room) }
