// Package roster knows who is in one room, over all hubs of a cluster.
//
// Its main type is [Roster], a state machine that is told what happens on this hub and on the others, and says what is
// to be told to those in the room. It has no clock and no goroutine, and is used by one caller at a time.
//
// A person is a client; it may be on two hubs for a moment, while it goes over from one to the other or its old
// connection is not known to be dead, and is one person all the same: the hub that it came to last counts. A room of more
// people than are worth a list is a crowd: of a crowd only the numbers are known.
package roster

import (
	"cmp"
	"slices"
)

// Hub names one run of a HubServer.
type Hub struct {
	ID   string // random at each start
	Name string // configured; need not be unique
}

// Person is a client in a room on one hub.
type Person struct {
	ID    string
	Name  string // may be empty
	Since int64  // when it came to the room on that hub, in ms of the Unix epoch by the hub's clock
}

// Place is a person, and the name of the hub that it is on.
type Place struct {
	Person
	Hub string
}

// Kind says what happened to a person.
type Kind uint8

// What may happen.
const (
	Joined Kind = iota + 1
	Updated
	Left
)

// Change is something that those in the room are told.
type Change struct {
	Kind Kind
	Place
}

// Outcome is what follows from an event.
type Outcome struct {
	Changes []Change
	There   bool // instead of the changes, all of it is to be told: who is there, or of a crowd how many
	Reload  bool // the crowd has become small: the lists of all hubs are wanted, by Load
}

// Listed is what another hub has in the room.
type Listed struct {
	Hub
	Unknown bool     // what it has cannot be known now: what was known still stands
	Count   int      // how many people
	People  []Person // nil where the room is a crowd
}

// changesMost is how many changes are told one by one: what many changes cost everybody, one list costs too.
const changesMost = 16

// Roster is who is in one room.
type Roster struct {
	own  Hub
	most int // people of a room that is no crowd

	hubs   map[string]int     // how many people each hub has, by its id; those that have some
	people map[string][]entry // by the person's id, never empty; nil in a crowd
	told   int                // how many a crowd was last told to be
	asked  bool               // Reload was returned, or would change nothing now, and Load has not come yet
}

// entry is a person on one hub.
type entry struct {
	Person
	hub Hub
}

// New returns the roster of a room at hub own, with nobody in it. Where more than most people are in the room it is a
// crowd, until they are fewer than three quarters of that, so that a room at the border does not flap.
func New(own Hub, most int) *Roster {
	return &Roster{own: own, most: most, hubs: make(map[string]int, 1), people: make(map[string][]entry, 1)}
}

// Crowd reports whether the room is one.
func (r *Roster) Crowd() bool { return r.people == nil }

// Count returns how many people are in the room. In a crowd somebody who is on two hubs counts twice.
func (r *Roster) Count() int {
	if r.people != nil {
		return len(r.people)
	}
	n := 0
	for _, count := range r.hubs {
		n += count
	}
	return n
}

// Elsewhere reports whether it is known that the person is on another hub, and came there last.
func (r *Roster) Elsewhere(id string) bool {
	places := r.people[id]
	return len(places) > 0 && last(places).hub != r.own
}

// People returns who is in the room, in the order of their ids; nil in a crowd.
func (r *Roster) People() []Place {
	if r.people == nil {
		return nil
	}
	all := make([]Place, 0, len(r.people))
	for id := range r.people {
		place, _ := r.shown(id)
		all = append(all, place)
	}
	slices.SortFunc(all, func(a, b Place) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Put says that p is in the room on hub, for the first time or with another name, and that the hub has count people now.
func (r *Roster) Put(hub Hub, p Person, count int) Outcome {
	r.share(hub, count)
	if r.people == nil {
		return r.recount()
	}
	return r.change(p.ID, func(places []entry) []entry {
		return append(without(places, hub.ID), entry{p, hub})
	})
}

// Remove says that the person is in the room on hub no more, and that the hub has count people now.
func (r *Roster) Remove(hub Hub, id string, count int) Outcome {
	r.share(hub, count)
	if r.people == nil {
		return r.recount()
	}
	return r.change(id, func(places []entry) []entry { return without(places, hub.ID) })
}

// Drop says that the hub is gone, and all who were on it.
func (r *Roster) Drop(hubID string) Outcome {
	had := r.hubs[hubID] > 0
	delete(r.hubs, hubID)
	if r.people == nil {
		if !had && !r.asked {
			return Outcome{}
		}
		r.asked = false // what is under way may have waited for it
		return r.recount()
	}
	if !had && !r.lists(hubID) { // its count comes with the first part of what changed, so it may be ahead of the list
		return Outcome{}
	}
	before := r.snapshot()
	for id, places := range r.people {
		r.set(id, without(places, hubID))
	}
	return r.since(before)
}

// lists reports whether somebody is known to be on the hub.
func (r *Roster) lists(hubID string) bool {
	for _, places := range r.people {
		if slices.ContainsFunc(places, func(e entry) bool { return e.hub.ID == hubID }) {
			return true
		}
	}
	return false
}

// Load says what all other hubs have, and own who is here.
func (r *Roster) Load(others []Listed, own []Person) Outcome {
	before := r.snapshot()
	hubs, people, complete := r.hubs, r.people, true
	r.hubs, r.asked = make(map[string]int, len(others)+1), false
	r.people = make(map[string][]entry, len(own))
	r.list(Listed{Hub: r.own, Count: len(own), People: own})
	for _, l := range others {
		if l.Unknown {
			l = remembered(l.Hub, hubs, people)
			// Asked again now the answer would be the same. It comes by itself when that hub can be read, and Drop asks.
			r.asked = r.asked || l.People == nil && l.Count > 0
		}
		complete = complete && (l.People != nil || l.Count == 0)
		r.list(l)
	}
	border := r.most
	if people == nil {
		border = r.most*3/4 - 1
	}
	if !complete || len(r.people) > border {
		return r.crowd(people == nil)
	}
	if people == nil {
		return Outcome{There: true}
	}
	return r.since(before)
}

// remembered returns what is known of a hub.
func remembered(hub Hub, hubs map[string]int, people map[string][]entry) Listed {
	l := Listed{Hub: hub, Count: hubs[hub.ID]}
	for _, places := range people {
		for _, e := range places {
			if e.hub.ID == hub.ID {
				l.Hub = e.hub
				l.People = append(l.People, e.Person)
			}
		}
	}
	return l
}

// list adds what a hub has.
func (r *Roster) list(l Listed) {
	r.share(l.Hub, l.Count)
	for _, p := range l.People {
		r.people[p.ID] = append(r.people[p.ID], entry{p, l.Hub})
	}
}

// share notes how many people hub has.
func (r *Roster) share(hub Hub, count int) {
	if count == 0 {
		delete(r.hubs, hub.ID)
		return
	}
	r.hubs[hub.ID] = count
}

// crowd has the room be a crowd, which it was before or was not.
func (r *Roster) crowd(was bool) Outcome {
	r.people = nil
	if was {
		return r.recount()
	}
	r.told = r.Count()
	return Outcome{There: true}
}

// recount says what a crowd is to be told: its number, where that changed by a sixteenth.
func (r *Roster) recount() Outcome {
	count := r.Count()
	if count < r.most*3/4 && !r.asked {
		r.asked = true
		return Outcome{Reload: true}
	}
	if diff := count - r.told; max(diff, -diff) <= r.told/16 {
		return Outcome{}
	}
	r.told = count
	return Outcome{There: true}
}

// change has one person be elsewhere.
func (r *Roster) change(id string, to func([]entry) []entry) Outcome {
	was, there := r.shown(id)
	r.set(id, to(r.people[id]))
	if len(r.people) > r.most {
		return r.crowd(false)
	}
	if c, changed := r.compare(id, was, there); changed {
		return Outcome{Changes: []Change{c}}
	}
	return Outcome{}
}

func (r *Roster) set(id string, places []entry) {
	if len(places) == 0 {
		delete(r.people, id)
		return
	}
	r.people[id] = places
}

// without returns the places but that on a hub.
func without(places []entry, hubID string) []entry {
	return slices.DeleteFunc(places, func(e entry) bool { return e.hub.ID == hubID })
}

// shown returns where a person is: on the hub that it came to last.
func (r *Roster) shown(id string) (Place, bool) {
	places := r.people[id]
	if len(places) == 0 {
		return Place{}, false
	}
	e := last(places)
	return Place{e.Person, e.hub.Name}, true
}

// last returns the place to which a person came last.
func last(places []entry) entry {
	return slices.MaxFunc(places, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.hub.ID, b.hub.ID))
	})
}

// snapshot returns all that is shown.
func (r *Roster) snapshot() map[string]Place {
	all := make(map[string]Place, len(r.people))
	for id := range r.people {
		all[id], _ = r.shown(id)
	}
	return all
}

// since returns what has changed.
func (r *Roster) since(before map[string]Place) (o Outcome) {
	for id, was := range before {
		if c, changed := r.compare(id, was, true); changed {
			o.Changes = append(o.Changes, c)
		}
	}
	for id := range r.people {
		if _, was := before[id]; !was {
			c, _ := r.compare(id, Place{}, false)
			o.Changes = append(o.Changes, c)
		}
	}
	if len(o.Changes) > changesMost {
		return Outcome{There: true}
	}
	slices.SortFunc(o.Changes, func(a, b Change) int { return cmp.Compare(a.ID, b.ID) })
	return o
}

// compare returns what has changed about a person.
func (r *Roster) compare(id string, was Place, there bool) (Change, bool) {
	now, here := r.shown(id)
	switch {
	case here && !there:
		return Change{Joined, now}, true
	case !here && there:
		return Change{Left, was}, true
	case here && (now.Name != was.Name || now.Hub != was.Hub):
		return Change{Updated, now}, true
	}
	return Change{}, false
}
