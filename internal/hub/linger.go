package hub

import (
	"sync"
	"time"
)

// Somebody whose connection breaks is likely back in a moment, here or on another hub: a page that is reloaded, a network
// that changed, a hub that stops. Such a client lingers in its rooms, and nobody is told that it left, unless it stays away.

// lingerer is a client that was in a room and may be back.
type lingerer struct {
	Person
	until time.Duration // of the hub's clock
}

// lingering is a client that lingers in a room, until then.
type lingering struct {
	room, id string
	until    time.Duration
}

// lingers is all that linger, in the order in which they end: each lingers as long as the others.
type lingers struct {
	mu  sync.Mutex
	all []lingering // guarded by mu
}

// linger has the client of sub, which was taken out of r, linger there. The stripe is locked.
func (h *Hub) linger(r *room, sub *subscription) {
	id := sub.session.ID()
	l := lingerer{Person{ID: id, Name: sub.told, Since: sub.since}, h.now() + h.options.Linger}
	if r.lingers == nil {
		r.lingers = make(map[string]lingerer)
	}
	r.lingers[id] = l
	h.lingers.mu.Lock()
	defer h.lingers.mu.Unlock()
	h.lingers.all = append(h.lingers.all, lingering{r.name, id, l.until})
}

// endLinger has a client linger no more, and returns who it was, if it did. The stripe is locked.
func (r *room) endLinger(id string) (Person, bool) {
	l, ok := r.lingers[id]
	delete(r.lingers, id)
	return l.Person, ok
}

// endLingers tells of those who did not come back that they left.
func (h *Hub) endLingers() {
	for {
		l, ok := h.lingers.next(h.now())
		if !ok {
			return
		}
		st := h.stripe(l.room)
		st.mu.Lock()
		r := st.rooms[l.room]
		if r != nil && r.lingers[l.id].until == l.until { // otherwise it came back meanwhile, or went again later
			h.endLinger(st, r, l.id)
		}
		st.mu.Unlock()
	}
}

// endLinger has a client that lingers leave. The stripe is locked.
func (h *Hub) endLinger(st *stripe, r *room, id string) {
	if _, ok := r.endLinger(id); ok {
		h.remove(r, id)
		h.dropIdle(st, r)
	}
}

// next takes out one whose time is over.
func (l *lingers) next(now time.Duration) (lingering, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 || l.all[0].until > now {
		return lingering{}, false
	}
	first := l.all[0]
	l.all = l.all[1:]
	return first, true
}
