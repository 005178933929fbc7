package hub_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

const linger = 5 * time.Second

// peopleShard is a shard that keeps what its first session, which stays, knows of the people in room r, as clients do that
// keep to what they are told.
type peopleShard struct {
	*recorder
	t *testing.T

	mu      sync.Mutex
	watcher *hub.Session               // guarded by mu
	known   map[string]protocol.Person // guarded by mu
	count   int                        // guarded by mu
	frames  []string                   // guarded by mu: their types
	closed  map[*hub.Session]bool      // guarded by mu
}

func (p *peopleShard) Join(room string, s *hub.Session, answer []byte, attached bool) {
	p.mu.Lock()
	first := p.watcher == nil
	if first {
		p.watcher = s
	}
	p.frames = append(p.frames, "answer")
	p.mu.Unlock()
	if first { // that of the others is theirs alone
		p.tell(answer)
	}
}

func (p *peopleShard) Announce(room string, frame []byte, except *hub.Session, attached bool) {
	if except == nil || except != p.watcher {
		p.tell(frame)
	}
}

func (p *peopleShard) Close(s *hub.Session, code protocol.Code, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed[s] = true
}

func (p *peopleShard) tell(frame []byte) {
	f, err := protocol.DecodeFrame(frame)
	if err != nil {
		p.t.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frames = append(p.frames, f.Type)
	p.count = *f.Count
	switch f.Type {
	case protocol.TypeThere:
		p.known = nil
		if f.People != nil {
			p.known = make(map[string]protocol.Person)
			for _, person := range f.People {
				p.known[person.ID] = person
			}
		}
	case protocol.TypeJoined, protocol.TypeUpdated:
		if _, known := p.known[f.Person.ID]; known && f.Type == protocol.TypeJoined {
			p.t.Errorf("%v joined, who was there", f.Person)
		}
		p.known[f.Person.ID] = *f.Person
	case protocol.TypeLeft:
		if _, known := p.known[f.Person.ID]; !known {
			p.t.Errorf("%v left, who was not there", f.Person)
		}
		delete(p.known, f.Person.ID)
	}
}

// take returns the types of the frames since it was last called, once nothing goes on any more.
func (p *peopleShard) take() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	frames := p.frames
	p.frames = nil
	return frames
}

// peopleWorld is a hub of a cluster.
type peopleWorld struct {
	*hub.Hub
	shard *peopleShard
}

// inPeopleWorld runs f with hubs that share their people.
func inPeopleWorld(t *testing.T, hubs, most int, f func(t *testing.T, w []*peopleWorld)) {
	synctest.Test(t, func(t *testing.T) {
		everybody := memory.NewEverybody()
		logs := memory.NewLogs(memory.LogOptions{}) // have the secret by which hubs know each other's clients
		var worlds []*peopleWorld
		for i := range hubs {
			w := &peopleWorld{shard: &peopleShard{recorder: new(recorder), t: t, closed: make(map[*hub.Session]bool)}}
			w.Hub = hub.New(hub.Options{
				Name: fmt.Sprint("hub", i+1), Broker: new(broker), Presence: everybody.Presence(), Linger: linger, MaxPeople: most,
				Logs: logs.Log(), Live: func(string) bool { return true },
			})
			w.AddShard(w.shard)
			if err := w.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}()
			worlds = append(worlds, w)
		}
		f(t, worlds)
	})
}

// come opens a session of a client, a new one where id is "", and has it join r.
func (w *peopleWorld) come(t *testing.T, name, id string, secretOf *peopleWorld) *hub.Session {
	t.Helper()
	s := w.hello(t, name, id, secretOf)
	receive(t, s, `{"type":"join","room":"r"}`)
	return s
}

// hello opens a session of a client, a new one where id is "".
func (w *peopleWorld) hello(t *testing.T, name, id string, secretOf *peopleWorld) *hub.Session {
	t.Helper()
	s := w.NewSession(w.shard, name, false)
	client := ""
	if id != "" {
		client = fmt.Sprintf(`,"client":{"id":%q,"secret":%q}`, id, secretOf.SecretOf(id))
	}
	receive(t, s, fmt.Sprintf(`{"type":"hello","name":%q%s}`, name, client))
	if id != "" && s.ID() != id {
		t.Fatalf("%s came back as %s", id, s.ID())
	}
	return s
}

// TestReloadIsNoLeave has a client's connection break and the client come back within the time that it lingers: nobody
// is told anything. One that stays away has left then, and one that says good-bye at once.
func TestReloadIsNoLeave(t *testing.T) {
	inPeopleWorld(t, 2, 0, func(t *testing.T, w []*peopleWorld) {
		w[0].come(t, "watcher", "", nil)
		w[1].come(t, "watcher", "", nil)
		ada := w[0].come(t, "Ada", "", nil)
		w[0].shard.take()
		w[1].shard.take()
		ada.Closed(true)
		time.Sleep(linger - time.Second)
		again := w[0].come(t, "Ada", ada.ID(), w[0])
		time.Sleep(3 * linger)
		want(t, w[0].shard.take(), "answer")
		want(t, w[1].shard.take())

		again.Closed(true)
		time.Sleep(linger - time.Second)
		want(t, w[1].shard.take())
		time.Sleep(2 * time.Second)
		want(t, w[0].shard.take(), "left")
		want(t, w[1].shard.take(), "left")

		bob := w[0].come(t, "Bob", "", nil)
		bob.Closed(false)
		want(t, w[1].shard.take(), "joined", "left")
	})
}

// TestGoesOver has a client whose connection broke come back on another hub, and one whose old connection is not known
// to be dead: it was there all the time, and moved, and its older session is closed.
func TestGoesOver(t *testing.T) {
	inPeopleWorld(t, 3, 0, func(t *testing.T, w []*peopleWorld) {
		for i := range w {
			w[i].come(t, "watcher", "", nil)
		}
		ada := w[0].come(t, "Ada", "", nil)
		w[2].shard.take()
		ada.Closed(true)
		second := w[1].come(t, "Ada", ada.ID(), w[0])
		time.Sleep(3 * linger)
		want(t, w[2].shard.take(), "updated")
		if got := w[2].shard.known[ada.ID()]; got.Hub != "hub2" {
			t.Errorf("it is told to be on %q", got.Hub)
		}

		time.Sleep(time.Millisecond) // later by the hubs' clock
		w[0].come(t, "Ada", ada.ID(), w[0])
		want(t, w[2].shard.take(), "updated")
		if !w[1].shard.closed[second] {
			t.Error("the session on the hub that it left was not displaced")
		}
		second.Closed(false)
		time.Sleep(3 * linger)
		want(t, w[2].shard.take())
		if got := w[2].shard.known[ada.ID()]; got.Hub != "hub1" || len(w[2].shard.known) != 4 {
			t.Errorf("%v are there, and it on %q", w[2].shard.known, got.Hub)
		}
	})
}

// TestComesBack has a client whose old connection is not known to be dead go over to another hub, break off there, and
// come back: it is where it came last.
func TestComesBack(t *testing.T) {
	inPeopleWorld(t, 3, 0, func(t *testing.T, w []*peopleWorld) {
		for i := range w {
			w[i].come(t, "watcher", "", nil)
		}
		ada := w[0].come(t, "Ada", "", nil)
		time.Sleep(time.Millisecond)
		second := w[1].come(t, "Ada", ada.ID(), w[0])
		second.Closed(true)
		time.Sleep(time.Millisecond)
		w[0].come(t, "Ada", ada.ID(), w[0])
		synctest.Wait()
		for i := range w {
			if got := w[i].shard.known[ada.ID()]; got.Hub != "hub1" && i != 0 { // it is told nothing of itself
				t.Errorf("those on hub %d were told that it is on %q", i+1, got.Hub)
			}
		}
		time.Sleep(3 * linger)
		for i := range w {
			if _, there := w[i].shard.known[ada.ID()]; !there {
				t.Errorf("those on hub %d were told that it left", i+1)
			}
		}
	})
}

// TestOneOfTwo has a client open sessions on two hubs at once, again and again: one of them is left each time.
func TestOneOfTwo(t *testing.T) {
	inPeopleWorld(t, 2, 0, func(t *testing.T, w []*peopleWorld) {
		w[0].come(t, "watcher", "", nil)
		w[1].come(t, "watcher", "", nil)
		ada := w[0].come(t, "Ada", "", nil)
		ada.Closed(true)
		for range 20 {
			var sessions [2]*hub.Session
			var both sync.WaitGroup
			for i := range sessions {
				both.Go(func() { sessions[i] = w[i].hello(t, "Ada", ada.ID(), w[0]) })
			}
			both.Wait()
			synctest.Wait()
			if a, b := w[0].shard.closed[sessions[0]], w[1].shard.closed[sessions[1]]; a == b {
				t.Fatalf("displaced: %v, %v", a, b)
			}
			for _, s := range sessions {
				s.Closed(true)
			}
		}
	})
}

// TestPeopleChurn has clients come, go, break, move and change their names on several hubs at random, and compares what
// those in the room were told with who is there: nobody is missing, and there are no ghosts.
func TestPeopleChurn(t *testing.T) {
	for seed := range uint64(30) {
		for _, most := range []int{0, 6} { // with a room that is sometimes a crowd, too
			inPeopleWorld(t, 3, most, func(t *testing.T, w []*peopleWorld) { peopleChurn(t, w, seed) })
			if t.Failed() {
				t.Fatalf("seed %d, most %d", seed, most)
			}
		}
	}
}

// churner is a client of the churn.
type churner struct {
	id, name string
	at       int          // the hub that it is on
	session  *hub.Session // nil while it is on none
}

func peopleChurn(t *testing.T, w []*peopleWorld, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	clients := make([]*churner, 10)
	for i := range w { // somebody is always there to be told
		w[i].come(t, "watcher", "", nil)
	}
	for i := range clients {
		clients[i] = new(churner)
	}
	for range 150 {
		c := clients[rng.IntN(len(clients))]
		c.step(t, w, rng)
		if rng.IntN(3) == 0 {
			time.Sleep(upTo(rng, 2*linger))
		} else {
			time.Sleep(time.Millisecond)
		}
	}
	time.Sleep(2 * linger)
	synctest.Wait()
	want := make(map[string]protocol.Person)
	for _, c := range clients {
		if c.session != nil {
			want[c.id] = protocol.Person{ID: c.id, Name: c.name, Hub: w[c.at].Name()}
		}
	}
	for i := range w {
		known := maps.Clone(w[i].shard.known)
		maps.DeleteFunc(known, func(_ string, p protocol.Person) bool { return p.Name == "watcher" })
		if w[i].shard.known != nil && !maps.Equal(known, want) {
			t.Errorf("hub %d was told of\n%v, and there are\n%v", i+1, known, want)
		}
		if w[i].shard.known == nil && w[i].shard.count < len(want)+len(w)-1 {
			t.Errorf("hub %d was told of a crowd of %d, and there are %d", i+1, w[i].shard.count, len(want)+len(w))
		}
		page, err := w[i].People(t.Context(), "r", "", 100)
		if err != nil || len(page.People) != len(want)+len(w) || page.Count != len(page.People) {
			t.Errorf("hub %d has a page of %d of %d, %v; there are %d", i+1, len(page.People), page.Count, err, len(want)+len(w))
		}
		if !slices.IsSortedFunc(page.People, func(a, b hub.Place) int { return compare(a.ID, b.ID) }) {
			t.Error("the page is not in order")
		}
	}
}

func upTo(rng *rand.Rand, d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// step has the client do something that clients do.
func (c *churner) step(t *testing.T, w []*peopleWorld, rng *rand.Rand) {
	switch n := rng.IntN(10); {
	case c.session == nil || n < 3: // comes, or comes elsewhere before its old connection is known to be dead
		old := c.session
		c.at = rng.IntN(len(w))
		c.name = fmt.Sprint("n", rng.IntN(3))
		c.session = w[c.at].come(t, c.name, c.id, w[0])
		c.id = c.session.ID()
		if old != nil && rng.IntN(2) == 0 {
			synctest.Wait()
			old.Closed(rng.IntN(2) == 0)
		} else if old != nil {
			time.AfterFunc(upTo(rng, linger), func() { old.Closed(true) })
		}
	case n < 5:
		c.session.Closed(false)
		c.session = nil
	case n < 7:
		c.session.Closed(true)
		c.session = nil
	case n < 8:
		c.name = fmt.Sprint("m", rng.IntN(3))
		receive(t, c.session, fmt.Sprintf(`{"type":"hello","name":%q}`, c.name))
	default:
		receive(t, c.session, `{"type":"leave","room":"r"}`)
		receive(t, c.session, `{"type":"join","room":"r"}`)
	}
}
