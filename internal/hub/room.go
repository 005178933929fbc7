package hub

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/internal/hub/roster"
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
	client map[string]*subscription // those of hub.v1 by the client's id; no two of the others are of one client

	// Once this is set, those in the room are members in their shards, and have their answer; see reach.go.
	reached bool
	late    *time.Timer     // sets reached if nothing else does; nil where that was so from the start
	again   []*subscription // asked once more before

	roster   *roster.Roster      // who is in the room on all hubs
	lingers  map[string]lingerer // by the client's id; nil where there is none
	watching bool                // presence says what changes on the other hubs
	loaded   bool                // and has said what was there

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

	// set by join, under the stripe's mu
	since int64 // when the client came to the room on this hub, in ms of the Unix epoch

	// guarded by the stripe's mu
	told   string        // the name that the others know
	ready  chan struct{} // see joining; nil once it is closed
	waits  *joining      // how it joins its log room, while another room of the session has its turn; otherwise nil
	index  int32         // in room.subs; -1 where another session of the client took the place
	resume resumeResult  // how the resume went so far; 0 where there is none under way

	history bool // it asked for history, which ends its turn; set before it begins
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
		r = &room{
			name: name, client: make(map[string]*subscription), roster: roster.New(h.self(), h.options.MaxPeople),
		}
		st.rooms[name] = r
		if h.isLog(name) {
			r.reached = true // each session is attached when the log says so
			h.openLog(st, r)
		} else {
			h.reach(r)
		}
	}
	return r
}

// joining is how a client joins a log room.
type joining struct {
	cursor      Position // where it resumes; zero for one that begins at the newest
	begins      bool     // the cursor is where it begins, and not where it was before
	history     int      // how many of the newest messages it wants
	provisional bool     // it takes what has no position yet

	ready chan struct{} // closed when nothing is missed any more; nil where nobody waits for that
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
	sub.room = r.name // not that of a request, which it would keep
	h.watch(r)
	was, known := h.displace(r, s)
	if !known {
		was, known = r.endLinger(s.ID())
	}
	sub.since = was.Since
	if !known {
		sub.since = time.Now().UnixMilli()
	}
	sub.index = int32(len(r.subs))
	r.subs = append(r.subs, sub)
	if s.speaksV1() {
		r.client[s.ID()] = sub
	}
	if sub.index == 0 {
		h.counts.rooms.Add(1)
	}
	told := h.put(r, sub, was, known)
	sub.ready = j.ready
	if r.reached {
		var answer []byte
		if s.speaksV1() {
			answer = r.there().Encode()
		}
		r.admit(sub, answer)
	}
	h.tellPeople(r, told, s)
	if r.log != nil {
		h.joinLog(st, r, sub, j)
	}
	return sub
}

// displace takes the subscription of another session of the same client out of the room, and returns the person that it
// was, if there was one. That session is being closed.
func (h *Hub) displace(r *room, s *Session) (was Person, ok bool) {
	sub := r.client[s.ID()]
	if sub == nil {
		return was, false
	}
	r.remove(sub)
	if len(r.subs) == 0 {
		h.counts.rooms.Add(-1)
	}
	return Person{ID: s.ID(), Name: sub.told, Since: sub.since}, true
}

// leave ends sub and tells the others: at once, or, where the client may be back in a moment, if it is not.
func (h *Hub) leave(sub *subscription, mayReturn bool) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()

	if sub.index < 0 {
		return // displaced
	}
	r := st.rooms[sub.room]
	r.remove(sub)
	if r.log != nil {
		h.step(st, r, logroom.Leave{Session: sub})
	}
	if len(r.subs) == 0 {
		h.counts.rooms.Add(-1)
	}
	if mayReturn && sub.session.speaksV1() && !r.roster.Elsewhere(sub.session.ID()) {
		h.linger(r, sub)
		return
	}
	h.remove(r, sub.session.ID())
	h.dropIdle(st, r)
}

// remove takes sub out of the room's people, and ends its session's membership.
func (r *room) remove(sub *subscription) {
	last := len(r.subs) - 1
	r.subs[sub.index] = r.subs[last]
	r.subs[sub.index].index = sub.index
	r.subs[last] = nil
	r.subs = r.subs[:last]
	sub.index = -1
	if id := sub.session.ID(); r.client[id] == sub {
		delete(r.client, id)
	}
	if r.reached {
		sub.session.shard.Leave(r.name, sub.session)
	}
}

// dropIdle forgets a room that nobody is in, or may be back in, and that waits for nothing.
func (h *Hub) dropIdle(st *stripe, r *room) {
	if len(r.subs) > 0 || len(r.lingers) > 0 || r.log != nil && !r.log.Idle() || st.rooms[r.name] != r {
		return
	}
	if r.watching {
		h.presence.Unwatch(r.name)
	}
	if r.log == nil {
		h.unreach(r)
	}
	delete(st.rooms, r.name)
}
