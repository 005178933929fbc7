package hub

import "github.com/soumya-codes/realtime-hub/internal/hub/roster"

// presenceReceiver is the side of the hub that its presence sees.
type presenceReceiver struct{ *Hub }

// Loaded implements PresenceReceiver, and so do the methods below.
func (h presenceReceiver) Loaded(name string, others []Listed) {
	h.watched(name, func(st *stripe, r *room) {
		r.loaded = true
		h.tellPeople(r, r.roster.Load(others, r.people()), nil)
		for _, l := range others {
			for _, p := range l.People {
				h.endLinger(st, r, p.ID)
			}
		}
	})
}

// Changed has those who come to another hub linger here no more.
func (h presenceReceiver) Changed(of HubID, name string, changes []PersonChange, count int) {
	h.watched(name, func(st *stripe, r *room) {
		for _, c := range changes {
			var o roster.Outcome
			if c.Left {
				o = r.roster.Remove(of, c.ID, count)
			} else {
				o = r.roster.Put(of, c.Person, count)
			}
			h.tellPeople(r, o, nil)
			if !c.Left {
				h.endLinger(st, r, c.ID)
			}
		}
	})
}

// watched does something with a room that is watched, if it is.
func (h presenceReceiver) watched(name string, do func(*stripe, *room)) {
	st := h.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r := st.rooms[name]; r != nil && r.watching {
		do(st, r)
	}
}

// Gone tells the rooms.
func (h presenceReceiver) Gone(hub HubID) {
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		for _, r := range st.rooms {
			h.tellPeople(r, r.roster.Drop(hub.ID), nil)
		}
		st.mu.Unlock()
	}
}

// Claimed closes the session that the client has here, if it went elsewhere since.
func (h presenceReceiver) Claimed(client string, own bool) { h.clients.claimed(client, own) }

// Everyone yields the rooms one by one.
func (h presenceReceiver) Everyone(yield func(room string, people []Person) bool) {
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		for _, r := range st.rooms {
			if r.here() > 0 && !yield(r.name, r.people()) {
				st.mu.Unlock()
				return
			}
		}
		st.mu.Unlock()
	}
}
