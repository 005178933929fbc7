package redis

import (
	"slices"
	"testing"
)

// TestRoomSet has a hub change its mind at each point: what it asked for last is what it ends with, and a room that it
// does not want is forgotten.
func TestRoomSet(t *testing.T) {
	s := newRoomSet()
	next := func(subscribe bool, rooms ...string) {
		t.Helper()
		var want []string
		for _, room := range rooms {
			want = append(want, channelOf(room))
		}
		if got, sub := s.next(); !slices.Equal(got, want) || sub != subscribe {
			t.Fatalf("next: %v, subscribe %v; want %v, %v", got, sub, want, subscribe)
		}
	}
	confirmed := func(subscribed bool, number uint64, tell bool) {
		t.Helper()
		if n, told := s.confirmed("a", subscribed); n != number || told != tell {
			t.Fatalf("confirmed: number %d, tell %v; want %d, %v", n, told, number, tell)
		}
	}
	s.subscribe("a", 1)
	next(true, "a")
	s.unsubscribe("a")
	next(false) // the command is on its way
	confirmed(true, 0, false)
	next(false, "a")
	s.subscribe("a", 2)
	next(false)
	confirmed(false, 0, false)
	next(true, "a")
	s.subscribe("a", 3)
	confirmed(true, 3, true)
	if !s.subscribe("a", 4) || !s.wants("a") {
		t.Error("the room is there, and nobody knows")
	}
	next(false)

	s.subscribe("b", 1)
	s.unsubscribe("a")
	next(true, "b") // the one that was asked for first
	next(false, "a")
	s.restart() // the link is over
	next(true, "b")
	if len(s.rooms) != 1 || s.wants("a") {
		t.Errorf("%d rooms are left", len(s.rooms))
	}
	s.unsubscribe("b")
	s.confirmed("b", true)
	next(false, "b")
	s.confirmed("b", false)
	next(false)
	if len(s.rooms) != 0 {
		t.Errorf("%d rooms are left of none", len(s.rooms))
	}
}
