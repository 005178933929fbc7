package hub

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// stripe owns the rooms whose names hash to it.
type stripe struct {
	mu    sync.Mutex
	rooms map[string]*room // rooms with a session, and log rooms that wait for an answer; guarded by mu

	// of the step under way, kept to save their allocation; guarded by mu
	effects []logroom.Effect
	next    []logroom.Event // what carrying out the effects led to
}

// room is one room on this hub. Guarded by its stripe's mu.
type room struct {
	name   string
	subs   []*subscription          // in no order; each knows its index
	client map[string]*subscription // the same by the client's id

	// A crowd is a room too large for lists: each change would cost a frame for everybody in it. It is told counts, and
	// those only when they have changed by a sixteenth.
	crowd bool
	told  int // the count that a crowd was told last

	// Of a log room.
	log    *logroom.Room // nil in a live room
	number uint64        // of the last subscription that was asked for
	check  time.Duration // when the room is compared with its log
}

// subscription is a session in a room. Log rooms know their sessions by it.
type subscription struct {
	// immutable
	session *Session
	room    string

	// guarded by the stripe's mu
	index  int          // in room.subs; -1 where another session of the client took the place
	resume resumeResult // how the resume went so far; "" where there is none under way

	waits   *joining // how it joins its log room, while another room of the session has its turn; otherwise nil
	history bool     // it asked for history, which ends its turn; set before it begins
}

func (h *Hub) stripe(room string) *stripe {
	return &h.stripes[maphash.String(h.seed, room)%stripes]
}

// isLog reports whether room is a log room.
func (h *Hub) isLog(room string) bool { return h.logs != nil && !h.options.Live(room) }

// enter returns the room called name, made where there is none. The stripe is locked.
func (h *Hub) enter(st *stripe, name string) *room {
	r := st.rooms[name]
	if r == nil {
		r = &room{name: name, client: make(map[string]*subscription)}
		st.rooms[name] = r
		if h.isLog(name) {
			h.openLog(st, r)
		}
	}
	return r
}

// joining is how a client joins a log room.
type joining struct {
	cursor      Position // where it resumes; zero for one that begins at the newest
	history     int      // how many of the newest messages it wants
	provisional bool     // it takes what has no position yet
}

// join makes s a member of the room, tells it who is there, and tells the others.
func (h *Hub) join(s *Session, name string, j joining) *subscription {
	st := h.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()

	sub := &subscription{session: s, room: name, index: -1}
	if s.displaced.Load() {
		return sub // its client is elsewhere
	}
	r := h.enter(st, name)
	displaced := h.displace(r, s)
	sub.index = len(r.subs)
	r.subs = append(r.subs, sub)
	r.client[s.ID()] = sub
	if sub.index == 0 {
		h.counts.rooms.Add(1)
	}
	wasCrowd := r.crowd
	r.crowd = len(r.subs) > h.options.MaxPeople || wasCrowd
	var answer []byte
	if !s.plain {
		answer = r.there().Encode()
	}
	s.shard.Join(name, s, answer, r.log == nil)
	switch {
	case displaced:
		if !r.crowd {
			h.announce(r, r.change(protocol.TypeUpdated, s.client()), s)
		}
	case !r.crowd:
		h.announce(r, r.change(protocol.TypeJoined, s.client()), s)
	case !wasCrowd:
		r.told = len(r.subs)
		h.announce(r, r.there(), s)
	default:
		h.announceCount(r, s)
	}
	if r.log != nil {
		h.joinLog(st, r, sub, j)
	}
	return sub
}

// displace takes the subscription of another session of the same client out of the room, and reports whether there was
// one. That session is being closed.
func (h *Hub) displace(r *room, s *Session) bool {
	sub := r.client[s.ID()]
	if sub == nil {
		return false
	}
	r.remove(sub)
	sub.session.shard.Leave(r.name, sub.session)
	if len(r.subs) == 0 {
		h.counts.rooms.Add(-1)
	}
	return true
}

// leave ends sub and tells the others.
func (h *Hub) leave(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()

	if sub.index < 0 {
		return // displaced
	}
	r := st.rooms[sub.room]
	r.remove(sub)
	sub.session.shard.Leave(sub.room, sub.session)
	if r.log != nil {
		h.step(st, r, logroom.Leave{Session: sub})
	}
	left := len(r.subs)
	if left == 0 {
		h.counts.rooms.Add(-1)
		h.dropIdle(st, r)
		return
	}
	switch {
	case !r.crowd:
		h.announce(r, r.change(protocol.TypeLeft, protocol.Client{ID: sub.session.client().ID}), nil)
	case left < h.options.MaxPeople*3/4: // well below, so that a room at the border does not flap
		r.crowd = false
		h.announce(r, r.there(), nil)
	default:
		h.announceCount(r, nil)
	}
}

// remove takes sub out of the room's people.
func (r *room) remove(sub *subscription) {
	last := len(r.subs) - 1
	r.subs[sub.index] = r.subs[last]
	r.subs[sub.index].index = sub.index
	r.subs[last] = nil
	r.subs = r.subs[:last]
	sub.index = -1
	delete(r.client, sub.session.ID())
}

// dropIdle forgets a room that nobody is in and that waits for nothing.
func (h *Hub) dropIdle(st *stripe, r *room) {
	if len(r.subs) == 0 && (r.log == nil || r.log.Idle()) && st.rooms[r.name] == r {
		delete(st.rooms, r.name)
	}
}

// tellThere answers a session that joins a room that it is in already.
func (h *Hub) tellThere(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if sub.index >= 0 {
		sub.session.shard.Send(sub.session, st.rooms[sub.room].there().Encode())
	}
}

// renamed tells the room of sub its session's new name.
func (h *Hub) renamed(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r := st.rooms[sub.room]; sub.index >= 0 && !r.crowd {
		h.announce(r, r.change(protocol.TypeUpdated, sub.session.client()), sub.session)
	}
}

// announce sends f to all in r but except.
func (h *Hub) announce(r *room, f *protocol.Frame, except *Session) {
	frame := f.Encode()
	for _, s := range h.shards {
		s.Announce(r.name, frame, except, false)
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
	count, log := len(r.subs), r.log != nil
	f := &protocol.Frame{Type: protocol.TypeThere, Room: r.name, Count: &count, Log: &log}
	if !r.crowd {
		f.People = make([]protocol.Person, len(r.subs))
		for i, sub := range r.subs {
			f.People[i] = personOf(sub.session.client())
		}
	}
	return f
}

func (r *room) change(frameType string, person protocol.Client) *protocol.Frame {
	count, p := len(r.subs), personOf(person)
	return &protocol.Frame{Type: frameType, Room: r.name, Person: &p, Count: &count}
}

func personOf(c protocol.Client) protocol.Person { return protocol.Person{ID: c.ID, Name: c.Name} }
