package brokertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// PresenceReceiver is a hub.PresenceReceiver that keeps what it is told, and the people of its own hub. Its methods may
// be called by several goroutines, those named Await by the test's.
type PresenceReceiver struct {
	tb  testing.TB // immutable
	own hub.HubID  // immutable
	// One slot: full after a change, until an Await looks. Sent by the presence's goroutine; never closed.
	news chan struct{}

	// guarded by mu
	mu        sync.Mutex
	here      map[string]map[string]hub.Person // of this hub, by room
	loaded    map[string]int                   // calls of Loaded
	others    map[string]map[hub.HubID]*share  // by room
	gone      []hub.HubID
	claims    []string
	ownClaims int
	ended     bool
	marked    bool
	fewest    map[string]map[hub.HubID]int // people since Mark
}

// share is what another hub has in a room.
type share struct {
	count  int
	people map[string]hub.Person
}

var _ hub.PresenceReceiver = (*PresenceReceiver)(nil)

// NewPresenceReceiver returns a receiver that fails tb.
func NewPresenceReceiver(tb testing.TB, own hub.HubID) *PresenceReceiver {
	return &PresenceReceiver{
		tb: tb, own: own, news: make(chan struct{}, 1), here: map[string]map[string]hub.Person{}, loaded: map[string]int{},
		others: map[string]map[hub.HubID]*share{},
	}
}

// Put says that somebody is on this hub.
func (r *PresenceReceiver) Put(p hub.Presence, room string, who hub.Person) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here[room] == nil {
		r.here[room] = map[string]hub.Person{}
	}
	r.here[room][who.ID] = who
	p.Put(room, who, len(r.here[room]))
}

// Remove says that somebody is not, where it was.
func (r *PresenceReceiver) Remove(p hub.Presence, room, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.here[room][id]; ok {
		delete(r.here[room], id)
		p.Remove(room, id, len(r.here[room]))
	}
}

// Unwatch ends that the room is watched, and forgets what was known of it.
func (r *PresenceReceiver) Unwatch(p hub.Presence, room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Unwatch(room)
	delete(r.others, room)
}

// Own returns who is in a room on this hub.
func (r *PresenceReceiver) Own(room string) map[string]hub.Person {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.here[room])
}

// enter is called at the beginning of each method that the presence calls; what it returns at its end.
func (r *PresenceReceiver) enter(name string) func() {
	r.mu.Lock()
	if r.ended {
		r.tb.Errorf("%s was called after Close had returned", name)
	}
	return func() {
		r.note()
		r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default:
		}
	}
}

// Loaded keeps what is listed; what is unknown stays.
func (r *PresenceReceiver) Loaded(room string, others []hub.Listed) {
	defer r.enter("Loaded")()
	was := r.others[room]
	now := map[hub.HubID]*share{}
	for _, l := range others {
		if l.ID == r.own.ID {
			r.tb.Errorf("told of its own people in %q", room)
		}
		if l.Unknown {
			for id, s := range was {
				if id.ID == l.ID {
					now[id] = s
				}
			}
			continue
		}
		s := &share{count: l.Count, people: map[string]hub.Person{}}
		for _, p := range l.People {
			s.people[p.ID] = p
		}
		if l.People != nil && len(s.people) != l.Count {
			r.tb.Errorf("a list of %d for a count of %d", len(s.people), l.Count)
		}
		now[l.Hub] = s
	}
	r.others[room] = now
	r.loaded[room]++
}

// Changed keeps what changed.
func (r *PresenceReceiver) Changed(of hub.HubID, room string, changes []hub.PersonChange, count int) {
	defer r.enter("Changed")()
	if of.ID == r.own.ID {
		r.tb.Errorf("told of its own people in %q", room)
	}
	if r.others[room] == nil {
		return // not watched any more
	}
	s := r.others[room][of]
	if s == nil {
		s = &share{people: map[string]hub.Person{}}
		r.others[room][of] = s
	}
	s.count = count
	for _, c := range changes {
		if c.Left {
			delete(s.people, c.ID)
		} else {
			s.people[c.ID] = c.Person
		}
	}
}

// Gone forgets a hub.
func (r *PresenceReceiver) Gone(of hub.HubID) {
	defer r.enter("Gone")()
	r.gone = append(r.gone, of)
	for _, hubs := range r.others {
		maps.DeleteFunc(hubs, func(id hub.HubID, _ *share) bool { return id.ID == of.ID })
	}
}

// Claimed keeps the order of claims.
func (r *PresenceReceiver) Claimed(client string, own bool) {
	defer r.enter("Claimed")()
	r.claims = append(r.claims, client)
	if own {
		r.ownClaims++
	}
}

// Everyone yields the people of this hub.
func (r *PresenceReceiver) Everyone(yield func(string, []hub.Person) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for room, people := range r.here {
		if len(people) > 0 && !yield(room, slices.Collect(maps.Values(people))) {
			return
		}
	}
}

// End says that the presence was closed: it is not to call any more.
func (r *PresenceReceiver) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// Claims returns all claims in their order, and how many were taken for this hub's own.
func (r *PresenceReceiver) Claims() (all []string, own int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.claims), r.ownClaims
}

// Listed returns how many people of other hubs in a room are known by name.
func (r *PresenceReceiver) Listed(room string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.others[room] {
		n += len(s.people)
	}
	return n
}

// at returns what a hub has in a room.
func (r *PresenceReceiver) at(room string, of hub.HubID) (count int, people map[string]hub.Person) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.others[room][of]
	if s == nil {
		return 0, nil
	}
	return s.count, maps.Clone(s.people)
}

// AwaitLoaded waits until what was there in a room was told.
func (r *PresenceReceiver) AwaitLoaded(room string) {
	r.tb.Helper()
	r.Await("what is in "+room, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.loaded[room] > 0
	})
}

// AwaitPeople waits until a hub has these people in a room, and no others.
func (r *PresenceReceiver) AwaitPeople(room string, of hub.HubID, who ...hub.Person) {
	r.tb.Helper()
	want := map[string]hub.Person{}
	for _, p := range who {
		want[p.ID] = p
	}
	r.Await(fmt.Sprintf("%v in %s on %s", who, room, of.Name), func() bool {
		count, people := r.at(room, of)
		return count == len(want) && maps.Equal(people, want)
	})
}

// AwaitCount waits until a hub has so many people in a room.
func (r *PresenceReceiver) AwaitCount(room string, of hub.HubID, want int) {
	r.tb.Helper()
	r.Await(fmt.Sprintf("%d people in %s on %s", want, room, of.Name), func() bool {
		count, _ := r.at(room, of)
		return count == want
	})
}

// Await waits until cond holds, which locks what it looks at.
func (r *PresenceReceiver) Await(what string, cond func() bool) {
	r.tb.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond) // what is asked of the presence itself makes no news
	defer again.Stop()
	for !cond() {
		select {
		case <-r.news:
		case <-again.C:
		case <-deadline:
			r.tb.Fatalf("hub %s waited for %s; it has %s", r.own.Name, what, r.describe())
		}
	}
}

// describe says what is known of the others.
func (r *PresenceReceiver) describe() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for room, hubs := range r.others {
		for of, s := range hubs {
			fmt.Fprintf(&b, "in %s on %s %d: %v; ", room, of.Name, s.count, s.people)
		}
	}
	fmt.Fprintf(&b, "%d claims; gone: %v", len(r.claims), r.gone)
	return b.String()
}

// AwaitPage waits until so many people are in a room on all hubs.
func AwaitPage(t testing.TB, p hub.Presence, room string, want int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		page, err := people(p, room, "", 1000)
		if err == nil && len(page.People) == want && page.Count == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited for %d people in %s; there are %v, %v", want, room, page.People, err)
		}
	}
}

// people asks for a page of people and waits for it.
func people(p hub.Presence, room, after string, limit int) (hub.PeoplePage, error) {
	return ask(func(done func(hub.PeoplePage, error)) error { return p.People(room, after, limit, done) })
}

// rooms asks for a page of rooms and waits for it.
func rooms(p hub.Presence, after string, limit int) (hub.RoomsPage, error) {
	return ask(func(done func(hub.RoomsPage, error)) error { return p.Rooms(after, limit, done) })
}

func ask[T any](ask func(done func(T, error)) error) (answer T, err error) {
	answered := make(chan struct{}) // closed by the one call of done
	failed := ask(func(got T, why error) {
		answer, err = got, why
		close(answered)
	})
	if failed != nil {
		return answer, failed
	}
	<-answered
	return answer, err
}

// Mark has Fewest begin to count.
func (r *PresenceReceiver) Mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked = true
	r.fewest = map[string]map[hub.HubID]int{}
	r.note()
}

// Fewest returns the smallest number of people that a hub was said to have in a room since Mark.
func (r *PresenceReceiver) Fewest(room string, of hub.HubID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fewest[room][of]
}

// note keeps the smallest numbers. It is called with mu held.
func (r *PresenceReceiver) note() {
	if !r.marked {
		return
	}
	for room, hubs := range r.others {
		if r.fewest[room] == nil {
			r.fewest[room] = map[hub.HubID]int{}
			for of, s := range hubs {
				r.fewest[room][of] = s.count
			}
		}
		for of, n := range r.fewest[room] {
			now := 0
			if s := hubs[of]; s != nil {
				now = s.count
			}
			r.fewest[room][of] = min(n, now)
		}
	}
}
