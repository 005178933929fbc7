package memory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
)

// Everybody is who is in which room on the hubs of one process. Its methods may be called by several goroutines at once.
type Everybody struct {
	mu     sync.Mutex
	joined []*Presence // guarded by mu: those between Start and Close
}

// NewEverybody returns one with nobody in it.
func NewEverybody() *Everybody { return new(Everybody) }

// Presence returns the presence of one more hub.
func (e *Everybody) Presence() *Presence {
	return &Presence{
		everybody: e, in: queue.New[func(hub.PresenceReceiver)](0),
		closing: make(chan struct{}), done: make(chan struct{}),
		rooms: make(map[string]map[string]hub.Person), watched: make(map[string]bool),
	}
}

// Presence is what one hub has of everybody.
type Presence struct {
	// immutable
	everybody *Everybody
	in        *queue.Queue[func(hub.PresenceReceiver)] // what the receiver is to be told; emptied by the presence's goroutine
	closing   chan struct{}                            // closed by the first Close; received by the presence's goroutine
	done      chan struct{}                            // closed by the presence's goroutine when it ends; received by each Close

	// guarded by everybody.mu
	own     hub.HubID
	most    int
	rooms   map[string]map[string]hub.Person // this hub's people, by room and id
	watched map[string]bool
	started bool
	closed  bool
}

var _ hub.Presence = (*Presence)(nil)

// Start joins the others. It never fails but where the presence was started or closed before.
func (p *Presence) Start(_ context.Context, own hub.HubID, most int, r hub.PresenceReceiver) error {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	if p.started || p.closed {
		return errors.New("start the presence: it was started or closed before")
	}
	p.started, p.own, p.most = true, own, most
	p.everybody.joined = append(p.everybody.joined, p)
	// Ends at Close, which waits for it.
	go p.run(r)
	return nil
}

// run tells the receiver what comes until Close.
func (p *Presence) run(r hub.PresenceReceiver) {
	defer close(p.done)
	var taken []func(hub.PresenceReceiver)
	for closing := false; !closing; {
		select {
		case <-p.closing:
			closing = true // and nothing is put any more: somebody may wait for an answer that is there
		case <-p.in.Ready():
		}
		taken = p.in.Take(taken)
		for _, tell := range taken {
			tell(r)
		}
	}
}

// tell has the receiver be told something, in order.
func (p *Presence) tell(do func(hub.PresenceReceiver)) { p.in.Force(do, 0) }

// Put says that somebody is here.
func (p *Presence) Put(room string, who hub.Person, count int) {
	p.change(room, hub.PersonChange{Person: who}, count)
}

// Remove says that somebody is not any more.
func (p *Presence) Remove(room, id string, count int) {
	p.change(room, hub.PersonChange{Person: hub.Person{ID: id}, Left: true}, count)
}

func (p *Presence) change(room string, c hub.PersonChange, count int) {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	if !p.started || p.closed {
		return
	}
	people := p.rooms[room]
	switch {
	case !c.Left && people == nil:
		p.rooms[room] = map[string]hub.Person{c.ID: c.Person}
	case !c.Left:
		people[c.ID] = c.Person
	default:
		if delete(people, c.ID); len(people) == 0 {
			delete(p.rooms, room)
		}
	}
	of, changes := p.own, []hub.PersonChange{c}
	for _, other := range p.everybody.joined {
		if other != p && other.watched[room] {
			other.tell(func(r hub.PresenceReceiver) { r.Changed(of, room, changes, count) })
		}
	}
}

// Claim tells everybody.
func (p *Presence) Claim(client string) {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	for _, each := range p.everybody.joined { // this one too, or nobody, where it has been closed
		own := each == p
		each.tell(func(r hub.PresenceReceiver) { r.Claimed(client, own) })
	}
}

// Watch has the receiver be told of a room.
func (p *Presence) Watch(room string) {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	if !p.started || p.closed {
		return
	}
	p.watched[room] = true
	var others []hub.Listed
	total := 0
	for _, each := range p.everybody.joined {
		people := each.rooms[room]
		total += len(people)
		if each != p && len(people) > 0 {
			others = append(others, hub.Listed{Hub: each.own, Count: len(people)})
		}
	}
	if total <= p.most {
		for i := range others {
			others[i].People = p.everybody.listed(others[i].Hub, room)
		}
	}
	p.tell(func(r hub.PresenceReceiver) { r.Loaded(room, others) })
}

// listed returns who is in a room on one hub. The caller holds mu.
func (e *Everybody) listed(of hub.HubID, room string) []hub.Person {
	for _, p := range e.joined {
		if p.own == of {
			return slices.Collect(maps.Values(p.rooms[room]))
		}
	}
	return nil
}

// Unwatch ends that.
func (p *Presence) Unwatch(room string) {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	delete(p.watched, room)
}

// People looks through all hubs.
func (p *Presence) People(room, after string, limit int, done func(hub.PeoplePage, error)) error {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	if !p.started || p.closed {
		return hub.ErrAway
	}
	places := make(map[string]hub.Place)
	for _, each := range p.everybody.joined {
		for id, who := range each.rooms[room] {
			if was, ok := places[id]; !ok || who.Since >= was.Since {
				places[id] = hub.Place{Person: who, Hub: each.own.Name}
			}
		}
	}
	page := hub.PeoplePage{Count: len(places)}
	for _, id := range slices.Sorted(maps.Keys(places)) {
		if id <= after {
			continue
		}
		if len(page.People) == limit {
			page.Next = page.People[limit-1].ID
			break
		}
		page.People = append(page.People, places[id])
	}
	p.tell(func(hub.PresenceReceiver) { done(page, nil) })
	return nil
}

// Rooms looks through all hubs.
func (p *Presence) Rooms(after string, limit int, done func(hub.RoomsPage, error)) error {
	p.everybody.mu.Lock()
	defer p.everybody.mu.Unlock()
	if !p.started || p.closed {
		return hub.ErrAway
	}
	ids := make(map[string]map[string]struct{})
	for _, each := range p.everybody.joined {
		for room, people := range each.rooms {
			if strings.Compare(room, after) <= 0 {
				continue
			}
			if ids[room] == nil {
				ids[room] = make(map[string]struct{}, len(people))
			}
			for id := range people {
				ids[room][id] = struct{}{}
			}
		}
	}
	var page hub.RoomsPage
	for _, room := range slices.Sorted(maps.Keys(ids)) {
		if len(page.Rooms) == limit {
			page.Next = page.Rooms[limit-1].Room
			break
		}
		page.Rooms = append(page.Rooms, hub.RoomPeople{Room: room, People: len(ids[room])})
	}
	p.tell(func(hub.PresenceReceiver) { done(page, nil) })
	return nil
}

// Close leaves, and the others are told. It must not be called by the receiver.
func (p *Presence) Close() error {
	p.everybody.mu.Lock()
	started, first := p.started, !p.closed
	p.closed = true
	if first {
		p.everybody.joined = slices.DeleteFunc(p.everybody.joined, func(other *Presence) bool { return other == p })
		gone := p.own
		for _, other := range p.everybody.joined {
			other.tell(func(r hub.PresenceReceiver) { r.Gone(gone) })
		}
		close(p.closing)
	}
	p.everybody.mu.Unlock()
	if started {
		<-p.done
	}
	return nil
}
