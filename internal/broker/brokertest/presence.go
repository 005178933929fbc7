package brokertest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// Most is the number of people beyond which the suite has no lists.
const Most = 8

// PresenceFactory makes n presences of one cluster, for one test, and has the test's end undo what it did. The suite
// closes the presences.
type PresenceFactory func(t *testing.T, n int) []hub.Presence

// RunPresence tests the contract of hub.Presence.
func RunPresence(t *testing.T, f PresenceFactory) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, PresenceFactory)
	}{
		{name: "people come and go", run: testPresencePeople},
		{name: "what was there before", run: testPresenceLoaded},
		{name: "a crowd has no lists", run: testPresenceCrowd},
		{name: "who does not watch hears nothing", run: testPresenceUnwatched},
		{name: "claims have one order", run: testPresenceClaims},
		{name: "pages of people", run: testPresencePages},
		{name: "pages of rooms", run: testPresenceRooms},
		{name: "a hub that goes", run: testPresenceGone},
		{name: "churn", run: testPresenceChurn},
		{name: "close in any state", run: testPresenceClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, f)
		})
	}
}

// startPresences makes presences of hubs hub0, hub1, … and starts them.
func startPresences(t *testing.T, f PresenceFactory, n int) ([]hub.Presence, []*PresenceReceiver) {
	t.Helper()
	ps := f(t, n)
	receivers := make([]*PresenceReceiver, n)
	for i, p := range ps {
		receivers[i] = StartPresence(t, p, hubID(i))
	}
	return ps, receivers
}

func hubID(i int) hub.HubID { return hub.HubID{ID: fmt.Sprint("id", i), Name: fmt.Sprint("hub", i)} }

// StartPresence starts p with a receiver, and has the test's end close it.
func StartPresence(t testing.TB, p hub.Presence, own hub.HubID) *PresenceReceiver {
	t.Helper()
	r := NewPresenceReceiver(t, own)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		r.End()
	})
	if err := p.Start(t.Context(), own, Most, r); err != nil {
		t.Fatalf("start: %v", err)
	}
	return r
}

func testPresencePeople(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 3)
	for _, p := range ps {
		p.Watch("r")
	}
	for _, r := range rs {
		r.AwaitLoaded("r")
	}
	here := func(i int, who ...hub.Person) {
		t.Helper()
		for j, r := range rs {
			if j != i {
				r.AwaitPeople("r", hubID(i), who...)
			}
		}
	}
	rs[0].Put(ps[0], "r", hub.Person{ID: "ada", Name: "Ada", Since: 1})
	here(0, hub.Person{ID: "ada", Name: "Ada", Since: 1})
	rs[0].Put(ps[0], "r", hub.Person{ID: "ada", Name: "Countess", Since: 1})
	here(0, hub.Person{ID: "ada", Name: "Countess", Since: 1})
	rs[1].Put(ps[1], "r", hub.Person{ID: "ada", Name: "Ada", Since: 2})
	rs[1].Put(ps[1], "r", hub.Person{ID: "a", Name: "not a prefix", Since: 3})
	rs[1].Remove(ps[1], "r", "a")
	rs[1].Put(ps[1], "r", hub.Person{ID: "bob", Since: 3}) // without a name
	here(1, hub.Person{ID: "ada", Name: "Ada", Since: 2}, hub.Person{ID: "bob", Since: 3})
	rs[0].Remove(ps[0], "r", "ada")
	here(0)
	strange := hub.Person{ID: "eve", Name: "a \"b\"\\ <é> 🚀 \t \u2028 x", Since: 1 << 50}
	rs[2].Put(ps[2], "r", strange)
	here(2, strange)
}

func testPresenceLoaded(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 2)
	rs[0].Put(ps[0], "r", hub.Person{ID: "ada", Name: "Ada", Since: 1})
	rs[0].Put(ps[0], "other", hub.Person{ID: "bob", Name: "Bob", Since: 1})
	rs[0].Put(ps[0], "r", hub.Person{ID: "cyd", Since: 2})
	rs[0].Remove(ps[0], "r", "cyd")
	AwaitPage(t, ps[1], "r", 1)
	ps[1].Watch("r")
	rs[1].AwaitLoaded("r")
	rs[1].AwaitPeople("r", hubID(0), hub.Person{ID: "ada", Name: "Ada", Since: 1})
	ps[0].Watch("empty")
	rs[0].AwaitLoaded("empty")
}

func testPresenceCrowd(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 2)
	for i := range Most + 1 {
		rs[i%2].Put(ps[i%2], "r", hub.Person{ID: fmt.Sprint("p", i), Since: 1})
	}
	AwaitPage(t, ps[0], "r", Most+1)
	AwaitPage(t, ps[1], "r", Most+1)
	ps[0].Watch("r")
	rs[0].AwaitLoaded("r")
	rs[0].AwaitCount("r", hubID(1), Most/2)
	if n := rs[0].Listed("r"); n > 0 {
		t.Errorf("%d people of a crowd were listed", n)
	}
	rs[1].Remove(ps[1], "r", "p1")
	rs[0].AwaitCount("r", hubID(1), Most/2-1)
	ps[0].Watch("r") // and now it is none
	rs[0].Await("the list", func() bool { return rs[0].Listed("r") == Most/2-1 })
}

func testPresenceUnwatched(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 2)
	ps[1].Watch("r")
	ps[1].Watch("last")
	rs[1].AwaitLoaded("r")
	rs[1].AwaitLoaded("last")
	ps[1].Unwatch("r")
	rs[0].Put(ps[0], "r", hub.Person{ID: "ada", Since: 1})
	rs[0].Put(ps[0], "last", hub.Person{ID: "ada", Since: 1})
	rs[1].AwaitPeople("last", hubID(0), hub.Person{ID: "ada", Since: 1})
	if n := rs[1].Listed("r"); n > 0 {
		t.Error("told of a room that is not watched")
	}
}

func testPresenceClaims(t *testing.T, f PresenceFactory) {
	const hubs, each = 3, 50
	ps, rs := startPresences(t, f, hubs)
	var all sync.WaitGroup
	for i, p := range ps {
		all.Go(func() {
			for n := range each {
				p.Claim(fmt.Sprintf("%d of %d", n, i))
			}
		})
	}
	all.Wait()
	for i, r := range rs {
		r.Await("all claims", func() bool { claims, _ := r.Claims(); return len(claims) == hubs*each })
		first, _ := rs[0].Claims()
		if claims, own := r.Claims(); !slices.Equal(claims, first) || own != each {
			t.Errorf("hub %d has the claims in another order, or %d of its own", i, own)
		}
	}
}

func testPresencePages(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 3)
	var want []hub.Place
	for i := range 20 {
		p := hub.Person{ID: fmt.Sprintf("p%02d", i), Name: fmt.Sprint("n", i), Since: int64(i + 1)}
		rs[i%3].Put(ps[i%3], "r", p)
		want = append(want, hub.Place{Person: p, Hub: fmt.Sprint("hub", i%3)})
	}
	twice := hub.Person{ID: "p05", Name: "moved", Since: 100}
	rs[0].Put(ps[0], "r", twice)
	want[5] = hub.Place{Person: twice, Hub: "hub0"}
	for i := range 3 { // once each hub's are there
		rs[i].Await("everybody", func() bool { p, err := people(ps[i], "r", "", 100); return err == nil && len(p.People) == 20 })
	}
	rs[1].Await("the move", func() bool { p, err := people(ps[1], "r", "p04", 1); return err == nil && p.People[0] == want[5] })
	for _, limit := range []int{1, 3, 7, 20, 100} {
		var got []hub.Place
		after, pages := "", 0
		for {
			p, err := people(ps[1], "r", after, limit)
			if err != nil || len(p.People) > limit || p.Count < 20 || p.Count > 21 {
				t.Fatalf("limit %d: %d people of %d, %v", limit, len(p.People), p.Count, err)
			}
			got = append(got, p.People...)
			if pages++; p.Next == "" {
				break
			}
			after = p.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v", limit, got)
		}
		if least := (20 + limit - 1) / limit; pages != least {
			t.Errorf("limit %d: %d pages instead of %d", limit, pages, least)
		}
	}
	if p, err := people(ps[0], "nobody", "", 10); err != nil || len(p.People) > 0 || p.Count != 0 || p.Next != "" {
		t.Errorf("a room with nobody: %+v, %v", p, err)
	}
}

func testPresenceRooms(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 2)
	var want []hub.RoomPeople
	for i := range 20 {
		name := fmt.Sprintf("r%02d", i)
		rs[i%2].Put(ps[i%2], name, hub.Person{ID: "ada", Since: 1})
		want = append(want, hub.RoomPeople{Room: name, People: 1})
	}
	rs[1].Put(ps[1], "r00", hub.Person{ID: "bob", Since: 1})
	want[0].People = 2
	rs[0].Put(ps[0], "left", hub.Person{ID: "ada", Since: 1})
	rs[0].Remove(ps[0], "left", "ada")
	rs[0].Await("all rooms", func() bool { p, err := rooms(ps[0], "", 100); return err == nil && slices.Equal(p.Rooms, want) })
	for _, limit := range []int{1, 3, 20} {
		var got []hub.RoomPeople
		for after := ""; ; {
			p, err := rooms(ps[1], after, limit)
			if err != nil || len(p.Rooms) > limit {
				t.Fatalf("limit %d: %d rooms, %v", limit, len(p.Rooms), err)
			}
			got = append(got, p.Rooms...)
			if after = p.Next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v", limit, got)
		}
	}
}

func testPresenceGone(t *testing.T, f PresenceFactory) {
	ps, rs := startPresences(t, f, 2)
	ps[1].Watch("r")
	rs[1].AwaitLoaded("r")
	rs[0].Put(ps[0], "r", hub.Person{ID: "ada", Since: 1})
	rs[1].AwaitPeople("r", hubID(0), hub.Person{ID: "ada", Since: 1})
	if err := ps[0].Close(); err != nil {
		t.Error(err)
	}
	began := time.Now()
	rs[1].AwaitPeople("r", hubID(0))
	t.Logf("its people went after %v", time.Since(began))
	AwaitPage(t, ps[1], "r", 0)
}

// testPresenceChurn has people come, go, and change their names and hubs at random while rooms are watched and not, and
// compares in the end what each hub knows of the others with who is there.
func testPresenceChurn(t *testing.T, f PresenceFactory) {
	const hubs, steps = 3, 600
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ps, rs := startPresences(t, f, hubs)
	roomNames := []string{"a", "b", "c"}
	var all sync.WaitGroup
	for i := range hubs {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			for n := range steps {
				room := roomNames[rng.IntN(len(roomNames))]
				id := fmt.Sprint("p", rng.IntN(5))
				switch rng.IntN(8) {
				case 0, 1, 2:
					rs[i].Put(ps[i], room, hub.Person{ID: id, Name: fmt.Sprint("n", rng.IntN(3)), Since: int64(n)})
				case 3, 4, 5:
					rs[i].Remove(ps[i], room, id)
				case 6:
					ps[i].Watch(room)
				default:
					rs[i].Unwatch(ps[i], room)
				}
			}
			for _, room := range roomNames {
				ps[i].Watch(room)
			}
		})
	}
	all.Wait()
	for i, r := range rs {
		for _, room := range roomNames {
			for j, other := range rs {
				if j != i {
					people := slices.Collect(maps.Values(other.Own(room)))
					r.AwaitCount(room, hubID(j), len(people))
				}
			}
		}
	}
	// Once more, for lists: a room of few people may have been one of many when it was read.
	for _, room := range roomNames {
		total := 0
		for _, r := range rs {
			total += len(r.Own(room))
		}
		for i, r := range rs {
			if ps[i].Watch(room); total > Most {
				continue
			}
			for j, other := range rs {
				if j != i {
					r.AwaitPeople(room, hubID(j), slices.Collect(maps.Values(other.Own(room)))...)
				}
			}
		}
	}
}

func testPresenceClose(t *testing.T, f PresenceFactory) {
	ps := f(t, 2)
	for range 2 {
		if err := ps[0].Close(); err != nil {
			t.Errorf("close before start: %v", err)
		}
	}
	r := NewPresenceReceiver(t, hubID(1))
	if err := ps[1].Start(t.Context(), hubID(1), Most, r); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if err := ps[1].Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	all.Wait()
	r.End()
	ps[1].Put("r", hub.Person{ID: "ada"}, 1)
	ps[1].Remove("r", "ada", 0)
	ps[1].Watch("r")
	ps[1].Unwatch("r")
	if _, err := people(ps[1], "r", "", 1); err == nil {
		t.Error("people after close")
	}
	if _, err := rooms(ps[1], "", 1); err == nil {
		t.Error("rooms after close")
	}
}
