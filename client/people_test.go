package client

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func person(id, name, hub string) *protocol.Person {
	return &protocol.Person{ID: id, Name: name, Hub: hub}
}

func (p *peer) tellPerson(kind string, who *protocol.Person, count int) {
	p.send(&protocol.Frame{Type: kind, Room: "lobby", Person: who, Count: &count})
}

func (p *peer) tellThere(count int, people ...protocol.Person) {
	p.send(&protocol.Frame{Type: protocol.TypeThere, Room: "lobby", People: people, Count: &count})
}

func TestPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "lobby")
		if got := r.People(); got.List != nil || got.Count != 1 {
			t.Errorf("people %+v of a room that tells only the count", got)
		}
		p.tellThere(2, *person("c1", "Ada", "hub1"), *person("b", "Bob", "hub2"))
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []string
		want := []string{
			"there [{b Bob hub2} {c1 Ada hub1}] 2",
			"joined {d Dan hub1} 3",
			"updated {d Dan hub2} 3",
			"left {b Bob hub2} 2",
			"there [] 300",
			"there [{c1 Ada hub1}] 1",
		}
		steps := []func(){
			func() { p.tellPerson(protocol.TypeJoined, person("d", "Dan", "hub1"), 3) },
			func() { p.tellPerson(protocol.TypeUpdated, person("d", "Dan", "hub2"), 3) },
			func() { p.tellPerson(protocol.TypeLeft, person("b", "", ""), 2) },
			func() { p.tellThere(300) },
			func() {
				p.conn.CloseNow()
				time.Sleep(time.Second)
				p = s.next()
				p.expect(protocol.TypeJoin)
				p.tellThere(1, *person("c1", "Ada", "hub1"))
			},
			cancel,
		}
		for e := range r.PeopleEvents(ctx) {
			text := fmt.Sprint(e.Type, " ", e.Person, " ", e.People.Count)
			if e.Type == protocol.TypeThere {
				text = fmt.Sprint(e.Type, " ", e.People.List, " ", e.People.Count)
			}
			got = append(got, text)
			go steps[len(got)-1]() // ends at once, or when the client is back, which the next event waits for
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if people := r.People(); fmt.Sprint(people) != "{[{c1 Ada hub1}] 1}" {
			t.Errorf("people %v", people)
		}
		r.Leave()
		for e := range r.PeopleEvents(t.Context()) {
			t.Errorf("event %+v of a room that was left", e)
		}
	})
}

// TestPeopleSlowly reads events more slowly than they come: it is told who is there instead, and nothing piles up.
func TestPeopleSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "lobby")
		p.tellThere(1, *person("c1", "Ada", "hub1"))
		synctest.Wait()
		events := 0
		for e := range r.PeopleEvents(t.Context()) {
			events++
			if events == 1 {
				for i := range 10 * maxPeopleEvents {
					p.tellPerson(protocol.TypeUpdated, person("c2", fmt.Sprint(i), "hub1"), 2)
				}
				synctest.Wait()
			}
			last := fmt.Sprint(10*maxPeopleEvents - 1)
			if e.Person.Name == last || e.Type == protocol.TypeThere && len(e.People.List) == 2 && e.People.List[1].Name == last {
				break
			}
		}
		if events > maxPeopleEvents+1 {
			t.Errorf("%d events waited", events)
		}
	})
}
