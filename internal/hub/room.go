package hub

import (
	"hash/maphash"
	"sync"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// stripe owns the rooms whose names hash to it.
type stripe struct {
	mu    sync.Mutex
	rooms map[string]*room // rooms with at least one session; guarded by mu
}

// room is who is in one room on this hub. Guarded by its stripe's mu.
type room struct {
	name string
	subs []*subscription // in no order; each knows its index

	// A crowd is a room too large for lists: each change would cost a frame for everybody in it. It is told counts, and
	// those only when they have changed by a sixteenth.
	crowd bool
	told  int // the count that a crowd was told last
}

// subscription is a session in a room.
type subscription struct {
	session *Session
	room    string
	index   int // in room.subs; guarded by the stripe's mu
}

func (h *Hub) stripe(room string) *stripe {
	return &h.stripes[maphash.String(h.seed, room)%stripes]
}

// join makes s a member of the room, tells it who is there, and tells the others.
func (h *Hub) join(s *Session, name string) *subscription {
	st := h.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()

	r := st.rooms[name]
	if r == nil {
		r = &room{name: name}
		st.rooms[name] = r
		h.counts.rooms.Add(1)
	}
	sub := &subscription{session: s, room: name, index: len(r.subs)}
	r.subs = append(r.subs, sub)
	wasCrowd := r.crowd
	r.crowd = len(r.subs) > h.options.MaxPeople || wasCrowd
	var answer []byte
	if !s.plain {
		answer = r.there().Encode()
	}
	s.shard.Join(name, s, answer)
	switch {
	case !r.crowd:
		h.announce(r, r.change(protocol.TypeJoined, s.client()), s)
	case !wasCrowd:
		r.told = len(r.subs)
		h.announce(r, r.there(), s)
	default:
		h.announceCount(r, s)
	}
	return sub
}

// leave ends sub and tells the others.
func (h *Hub) leave(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()

	r := st.rooms[sub.room]
	last := len(r.subs) - 1
	r.subs[sub.index] = r.subs[last]
	r.subs[sub.index].index = sub.index
	r.subs[last] = nil
	r.subs = r.subs[:last]
	sub.session.shard.Leave(sub.room, sub.session)
	if last == 0 {
		delete(st.rooms, sub.room)
		h.counts.rooms.Add(-1)
		return
	}
	switch {
	case !r.crowd:
		h.announce(r, r.change(protocol.TypeLeft, protocol.Client{ID: sub.session.client().ID}), nil)
	case last < h.options.MaxPeople*3/4: // well below, so that a room at the border does not flap
		r.crowd = false
		h.announce(r, r.there(), nil)
	default:
		h.announceCount(r, nil)
	}
}

// tellThere answers a session that joins a room that it is in already.
func (h *Hub) tellThere(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	sub.session.shard.Send(sub.session, st.rooms[sub.room].there().Encode())
}

// renamed tells the room of sub its session's new name.
func (h *Hub) renamed(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r := st.rooms[sub.room]; !r.crowd {
		h.announce(r, r.change(protocol.TypeUpdated, sub.session.client()), sub.session)
	}
}

// announce sends f to all in r but except.
func (h *Hub) announce(r *room, f *protocol.Frame, except *Session) {
	frame := f.Encode()
	for _, s := range h.shards {
		s.Announce(r.name, frame, except)
	}
}

// announceCount tells a crowd its count where that changed by a sixteenth since it was told.
func (h *Hub) announceCount(r *room, except *Session) {
	if diff := len(r.subs) - r.told; max(diff, -diff) <= r.told/16 {
		return
	}
	r.told = len(r.subs)
	h.announce(r, r.there(), except)
}

// there says who is in the room. In a crowd it says only how many.
func (r *room) there() *protocol.Frame {
	count := len(r.subs)
	f := &protocol.Frame{Type: protocol.TypeThere, Room: r.name, Count: &count}
	if !r.crowd {
		f.People = make([]protocol.Client, len(r.subs))
		for i, sub := range r.subs {
			f.People[i] = sub.session.client()
		}
	}
	return f
}

func (r *room) change(frameType string, person protocol.Client) *protocol.Frame {
	count := len(r.subs)
	return &protocol.Frame{Type: frameType, Room: r.name, Person: &person, Count: &count}
}
