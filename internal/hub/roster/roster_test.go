package roster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

const most = 8

// model is what is really there: who is on which hub, and who of those in the room has heard what.
type model struct {
	hubs map[Hub]map[string]Person // the truth
	seen map[string]Place          // what somebody in the room knows who keeps to what is told; nil in a crowd
	held int                       // the number that a crowd was told
}

// apply does what a client does with what it is told.
func (m *model) apply(t *testing.T, r *Roster, o Outcome) {
	t.Helper()
	if o.There {
		if len(o.Changes) > 0 {
			t.Fatalf("told all, and changes: %v", o)
		}
		m.seen, m.held = nil, r.Count()
		if !r.Crowd() {
			m.seen = make(map[string]Place)
			for _, p := range r.People() {
				m.seen[p.ID] = p
			}
		}
		return
	}
	for _, c := range o.Changes {
		if m.seen == nil {
			t.Fatalf("a crowd is told %v", c)
		}
		_, known := m.seen[c.ID]
		switch {
		case c.Kind == Joined && !known, c.Kind == Updated && known && m.seen[c.ID] != c.Place:
			m.seen[c.ID] = c.Place
		case c.Kind == Left && known:
			delete(m.seen, c.ID)
		default:
			t.Fatalf("told %v; knew %v", c, m.seen)
		}
	}
}

// truth returns who is in the room.
func (m *model) truth() map[string]Place {
	all := make(map[string]Place)
	came := make(map[string]string)
	for hub, people := range m.hubs {
		for id, p := range people {
			if was, ok := all[id]; !ok || p.Since > was.Since || p.Since == was.Since && hub.ID > came[id] {
				all[id], came[id] = Place{p, hub.Name}, hub.ID
			}
		}
	}
	return all
}

// listed returns what the others have, as it is read: lists only where the room is no crowd.
func (m *model) listed(own Hub) (others []Listed, here []Person) {
	total := 0
	for _, people := range m.hubs {
		total += len(people)
	}
	for hub, people := range m.hubs {
		list := slices.AppendSeq(make([]Person, 0, len(people)), maps.Values(people))
		if hub == own {
			here = list
			continue
		}
		l := Listed{Hub: hub, Count: len(list)}
		if total <= most {
			l.People = list
		}
		others = append(others, l)
	}
	return others, here
}

// TestChurn has people come, go, change their names and go over to other hubs, hubs die, and all of it be read anew, in
// every order that chance brings, and compares what somebody in the room was told with who is there.
func TestChurn(t *testing.T) {
	for seed := range uint64(2000) {
		churn(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func churn(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	own := Hub{"h0", "hub1"}
	hubs := []Hub{own, {"h1", "hub2"}, {"h2", "hub2"}, {"h3", "hub4"}}
	m := &model{hubs: make(map[Hub]map[string]Person), seen: make(map[string]Place)}
	for _, h := range hubs {
		m.hubs[h] = make(map[string]Person)
	}
	r := New(own, most)
	now := int64(0)
	crowded := 1 + rng.IntN(12) // clients that there are
	for range 200 {
		now += rng.Int64N(2)
		hub := hubs[rng.IntN(len(hubs))]
		id := fmt.Sprint("p", rng.IntN(crowded))
		var o Outcome
		switch n := rng.IntN(20); {
		case n < 9:
			p := Person{id, fmt.Sprint("n", rng.IntN(3)), now}
			m.hubs[hub][id] = p
			o = r.Put(hub, p, len(m.hubs[hub]))
		case n < 17:
			delete(m.hubs[hub], id)
			o = r.Remove(hub, id, len(m.hubs[hub]))
		case n < 19 && hub != own:
			clear(m.hubs[hub])
			o = r.Drop(hub.ID)
		default:
			o = r.Load(m.listed(own))
		}
		m.apply(t, r, o)
		if o.Reload {
			m.apply(t, r, r.Load(m.listed(own)))
		}
		m.check(t, r)
		if t.Failed() {
			return
		}
	}
}

func (m *model) check(t *testing.T, r *Roster) {
	t.Helper()
	truth := m.truth()
	if (m.seen == nil) != r.Crowd() {
		t.Errorf("the room is a crowd: %v, and was told otherwise", r.Crowd())
	}
	if r.Crowd() {
		n := 0
		for _, people := range m.hubs {
			n += len(people)
		}
		if r.Count() != n || max(n-m.held, m.held-n) > n/16+1 {
			t.Errorf("a crowd of %d is counted as %d and was told to be %d", n, r.Count(), m.held)
		}
		return
	}
	if len(truth) > most {
		t.Errorf("a list of %d", len(truth))
	}
	if !maps.EqualFunc(m.seen, truth, sameShown) || r.Count() != len(truth) {
		t.Errorf("told %v\nthere %v, count %d", m.seen, truth, r.Count())
	}
}

// sameShown leaves out what is not shown: when somebody came to the hub where it is.
func sameShown(a, b Place) bool { return a.ID == b.ID && a.Name == b.Name && a.Hub == b.Hub }

// TestGoesOver shows that somebody who is on a second hub before the first lets go is told as one who moved.
func TestGoesOver(t *testing.T) {
	one, two := Hub{"1", "hub1"}, Hub{"2", "hub2"}
	r := New(one, most)
	r.Put(one, Person{"ada", "Ada", 1}, 1)
	if r.Elsewhere("ada") {
		t.Error("elsewhere before it went")
	}
	o := r.Put(two, Person{"ada", "Ada", 2}, 1)
	if len(o.Changes) != 1 || o.Changes[0].Kind != Updated || o.Changes[0].Hub != "hub2" || r.Count() != 1 || !r.Elsewhere("ada") {
		t.Errorf("on two hubs: %+v, count %d", o, r.Count())
	}
	if o := r.Remove(one, "ada", 0); len(o.Changes) > 0 || o.There || r.Count() != 1 {
		t.Errorf("left the first: %+v, count %d", o, r.Count())
	}
}

// TestUnknown shows that what cannot be known now stays as it was, and that a hub that has nobody is not missed.
func TestUnknown(t *testing.T) {
	own, other, gone := Hub{"1", "hub1"}, Hub{"2", "hub2"}, Hub{"3", "hub3"}
	r := New(own, most)
	here := []Person{{"ada", "Ada", 1}}
	r.Put(own, here[0], 1)
	r.Put(other, Person{"bob", "Bob", 2}, 1)
	r.Put(gone, Person{"cyd", "Cyd", 2}, 1)
	o := r.Load([]Listed{{Hub: Hub{ID: "2"}, Unknown: true}}, here)
	if len(o.Changes) != 1 || o.Changes[0].Kind != Left || o.Changes[0].ID != "cyd" || r.Count() != 2 {
		t.Errorf("%+v, count %d", o, r.Count())
	}
	if people := r.People(); len(people) != 2 || people[1].Hub != "hub2" {
		t.Errorf("%v", people)
	}
}

// TestDiesHalfWay has a hub die that was telling in two parts that all of its people left: nobody is left over.
func TestDiesHalfWay(t *testing.T) {
	own, other := Hub{"1", "hub1"}, Hub{"2", "hub2"}
	r := New(own, most)
	r.Put(own, Person{"ada", "Ada", 1}, 1)
	r.Put(other, Person{"bob", "Bob", 1}, 1)
	r.Put(other, Person{"cyd", "Cyd", 1}, 2)
	r.Remove(other, "bob", 0) // its count is what comes of both parts
	o := r.Drop(other.ID)
	if len(o.Changes) != 1 || o.Changes[0].Kind != Left || o.Changes[0].ID != "cyd" || r.Count() != 1 {
		t.Errorf("%+v, count %d", o, r.Count())
	}
}

// TestSmallCrowdWaits has a crowd become small while what one of its hubs has cannot be known: its lists are not asked for
// over and over, but when that hub can be read, or has died.
func TestSmallCrowdWaits(t *testing.T) {
	own, other := Hub{"1", "hub1"}, Hub{"2", "hub2"}
	here := []Person{{"ada", "Ada", 1}}
	crowd := func() *Roster {
		r := New(own, most)
		r.Put(own, here[0], 1)
		if r.Load([]Listed{{Hub: other, Count: most}}, here); !r.Crowd() {
			t.Fatal("no crowd")
		}
		if o := r.Remove(other, "bob", 2); !o.Reload {
			t.Fatalf("%+v, want its lists to be asked for", o)
		}
		if o := r.Load([]Listed{{Hub: other, Unknown: true}}, here); o.Reload || !r.Crowd() || r.Count() != 3 {
			t.Errorf("%+v, count %d, where the other hub is not known", o, r.Count())
		}
		return r
	}
	o := crowd().Load([]Listed{{Hub: other, Count: 1, People: []Person{{"bob", "Bob", 1}}}}, here)
	if !o.There {
		t.Errorf("%+v, where it can be read", o)
	}
	if o := crowd().Drop(other.ID); !o.Reload {
		t.Errorf("%+v, where it has died", o)
	}
}

// TestCameFromDeadHub shows that who came here from a hub that died, and is not known to be dead yet, is not elsewhere.
func TestCameFromDeadHub(t *testing.T) {
	own, other := Hub{"1", "hub1"}, Hub{"2", "hub2"}
	r := New(own, most)
	r.Put(other, Person{"ada", "Ada", 1}, 1)
	r.Put(own, Person{"ada", "Ada", 2}, 1)
	if r.Elsewhere("ada") {
		t.Error("it is where it was before, too, and not where it came last")
	}
}
