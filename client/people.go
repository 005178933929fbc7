package client

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxPeopleEvents is how many events wait for a range over [Room.PeopleEvents]. Beyond it they are replaced by one that
// says who is there.
const maxPeopleEvents = 256

// People is who is in a room, over all hubs that reach each other, oneself included, as far as the hub has told.
type People struct {
	// List has them in the order of their ids. It is nil in a room of many people, 256 by default, of which the hub tells
	// how many they are and no more; and before the room was joined.
	List []protocol.Person

	Count int
}

// PeopleEvent says that who is in a room has changed.
type PeopleEvent struct {
	// Type is protocol.TypeJoined, TypeUpdated (somebody has another name, or is on another hub), TypeLeft, or TypeThere,
	// which stands for everything that happened before.
	Type string

	Person protocol.Person // who joined, was updated or left, in the last case as last known; zero for TypeThere
	People People          // for TypeThere: who is there now; its Count is set for all types
}

// crowd is what a room knows of its people. Guarded by client.mu.
type crowd struct {
	people   map[string]protocol.Person // by id; nil where they are not told
	count    int
	watchers map[*watcher]struct{}
}

// watcher is what waits for one range over the events.
type watcher struct {
	events []PeopleEvent // guarded by client.mu
	anew   bool          // who is there is to be told before them; guarded by client.mu
	wake   chan struct{} // one slot: full while something may wait; sent under client.mu, received by the range; never closed
}

// People returns who is in the room. While the client is not connected, it is who was there before.
func (r *Room) People() People {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	return r.crowd.now()
}

// PeopleEvents returns what happens to the people of the room. The first event is of protocol.TypeThere, as is one that
// takes the place of others which were missed, because the connection was lost or the range reads too slowly: so who
// keeps a list replaces it then. The range ends when ctx is done, the room is left, or the client has ended.
//
// Each range gets all events.
func (r *Room) PeopleEvents(ctx context.Context) iter.Seq[PeopleEvent] {
	return func(yield func(PeopleEvent) bool) {
		w := r.watch()
		defer r.unwatch(w)
		for ctx.Err() == nil && r.endedWith() == nil {
			if e, ok := r.nextEvent(w); ok {
				if !yield(e) {
					return
				}
				continue
			}
			select {
			case <-w.wake:
			case <-r.ended:
			case <-ctx.Done():
			}
		}
	}
}

func (r *Room) watch() *watcher {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	w := &watcher{anew: r.crowd.count > 0, wake: make(chan struct{}, 1)}
	if r.crowd.watchers == nil {
		r.crowd.watchers = make(map[*watcher]struct{})
	}
	r.crowd.watchers[w] = struct{}{}
	return w
}

func (r *Room) unwatch(w *watcher) {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	delete(r.crowd.watchers, w)
}

// nextEvent removes and returns the oldest event that waits for w, or says that there is none.
func (r *Room) nextEvent(w *watcher) (PeopleEvent, bool) {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	switch {
	case w.anew:
		w.anew = false
		return PeopleEvent{Type: protocol.TypeThere, People: r.crowd.now()}, true
	case len(w.events) > 0:
		e := w.events[0]
		w.events = w.events[1:]
		return e, true
	}
	return PeopleEvent{}, false
}

// replace takes from a frame who is there. The caller holds client.mu.
func (c *crowd) replace(f *protocol.Frame) {
	if f.Count == nil {
		return
	}
	c.people, c.count = nil, *f.Count
	if f.People != nil {
		c.people = make(map[string]protocol.Person, len(f.People))
		for _, p := range f.People {
			c.people[p.ID] = p
		}
	}
	for w := range c.watchers {
		w.restart()
	}
}

// changePeople takes what the hub says, after so many pongs, of one person.
func (c *Client) changePeople(f *protocol.Frame, pongs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[f.Room]
	if r == nil || !r.in || pongs < r.barrier || f.Person == nil || f.Count == nil {
		return
	}
	r.crowd.count = *f.Count
	p := *f.Person
	if f.Type == protocol.TypeLeft {
		if known, ok := r.crowd.people[p.ID]; ok {
			p = known
		}
		delete(r.crowd.people, p.ID)
	} else if r.crowd.people != nil {
		r.crowd.people[p.ID] = p
	}
	for w := range r.crowd.watchers {
		w.put(PeopleEvent{Type: f.Type, Person: p, People: People{Count: r.crowd.count}})
	}
}

// now returns who is there. The caller holds client.mu.
func (c *crowd) now() People {
	p := People{Count: c.count}
	if c.people != nil {
		p.List = slices.SortedFunc(maps.Values(c.people), func(a, b protocol.Person) int { return cmp.Compare(a.ID, b.ID) })
	}
	return p
}

// put has e wait. What waits to be told anew holds it already. The caller holds client.mu.
func (w *watcher) put(e PeopleEvent) {
	if w.anew {
		return
	}
	if len(w.events) == maxPeopleEvents {
		w.restart()
		return
	}
	w.events = append(w.events, e)
	w.signal()
}

// restart has who is there be told in place of what waits. The caller holds client.mu.
func (w *watcher) restart() {
	w.anew, w.events = true, nil
	w.signal()
}

func (w *watcher) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
