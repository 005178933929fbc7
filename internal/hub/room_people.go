package hub

import (
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/roster"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file keeps who is in a room: what happens here goes to the room's roster and to the other hubs, what they say to
// the roster, and what follows from it to those in the room. All of it happens under the lock of the room's stripe.

// self names this run of the hub.
func (h *Hub) self() HubID { return HubID{ID: h.id, Name: h.name} }

// watch has presence say who is in r on the other hubs.
func (h *Hub) watch(r *room) {
	if h.presence != nil && !r.watching {
		r.watching = true
		h.presence.Watch(r.name)
	}
}

// here returns how many clients are in the room on this hub, those included that may be back in a moment.
func (r *room) here() int { return len(r.subs) + len(r.lingers) }

// put says that the client of sub is in r, and returns what the others are to be told. Where it was there before, as
// was, and nothing has changed, nobody is told, nor asked to remember.
func (h *Hub) put(r *room, sub *subscription, was Person, known bool) roster.Outcome {
	who := sub.session.client()
	sub.told = who.Name
	switch {
	case known && r.roster.Elsewhere(who.ID):
		sub.since = time.Now().UnixMilli() // it is back from there, and those there are to know
	case known && was.Name == who.Name:
		return roster.Outcome{}
	}
	p := Person{ID: who.ID, Name: who.Name, Since: sub.since}
	if h.presence != nil {
		h.presence.Put(r.name, p, r.here())
	}
	return r.roster.Put(h.self(), p, r.here())
}

// remove says that a client is in r no more.
func (h *Hub) remove(r *room, id string) {
	if h.presence != nil {
		h.presence.Remove(r.name, id, r.here())
	}
	h.tellPeople(r, r.roster.Remove(h.self(), id, r.here()), nil)
}

// renamed tells the room of sub its session's new name.
func (h *Hub) renamed(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if sub.index < 0 {
		return
	}
	r := st.rooms[sub.room]
	h.tellPeople(r, h.put(r, sub, Person{Name: sub.told}, true), sub.session)
}

// tellPeople tells all in r but except what happened to its people.
func (h *Hub) tellPeople(r *room, o roster.Outcome, except *Session) {
	if o.Reload {
		if h.presence != nil {
			h.presence.Watch(r.name)
			return
		}
		o = r.roster.Load(nil, r.people())
	}
	if len(r.subs) == 0 {
		return
	}
	if o.There {
		h.announce(r, r.there(), except)
		return
	}
	for _, c := range o.Changes {
		count := r.roster.Count()
		f := &protocol.Frame{Type: typeOf[c.Kind], Room: r.name, Person: personOf(c.Place), Count: &count}
		if c.Kind == roster.Left {
			f.Person = &protocol.Person{ID: c.ID}
		}
		h.announce(r, f, except)
	}
}

// typeOf has the frame that tells each change.
var typeOf = map[roster.Kind]string{
	roster.Joined: protocol.TypeJoined, roster.Updated: protocol.TypeUpdated, roster.Left: protocol.TypeLeft,
}

func personOf(p Place) *protocol.Person { return &protocol.Person{ID: p.ID, Name: p.Name, Hub: p.Hub} }

// announce sends f to all in r but except.
func (h *Hub) announce(r *room, f *protocol.Frame, except *Session) {
	frame := f.Encode()
	for _, s := range h.shards {
		s.Announce(r.name, frame, except, false)
	}
}

// there says who is in the room. In a crowd it says only how many.
func (r *room) there() *protocol.Frame {
	count, log := r.roster.Count(), r.log != nil
	f := &protocol.Frame{Type: protocol.TypeThere, Room: r.name, Count: &count, Log: &log}
	if !r.roster.Crowd() {
		f.People = peopleOf(r.roster.People())
	}
	return f
}

func peopleOf(places []Place) []protocol.Person {
	people := make([]protocol.Person, len(places))
	for i, p := range places {
		people[i] = *personOf(p)
	}
	return people
}

// people returns who is in the room on this hub.
func (r *room) people() []Person {
	people := make([]Person, 0, r.here())
	for _, sub := range r.subs {
		people = append(people, Person{ID: sub.session.ID(), Name: sub.told, Since: sub.since})
	}
	for _, l := range r.lingers {
		people = append(people, l.Person)
	}
	return people
}

// tellThere answers a session that joins a room that it is in already.
func (h *Hub) tellThere(sub *subscription) {
	st := h.stripe(sub.room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if sub.index < 0 {
		return
	}
	r := st.rooms[sub.room]
	if !r.reached {
		r.again = append(r.again, sub)
		return
	}
	sub.session.shard.Send(sub.session, r.there().Encode())
}
