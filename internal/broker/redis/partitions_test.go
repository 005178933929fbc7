package redis

import (
	"slices"
	"testing"
	"time"
)

// TestPartitionSet has a hub change its mind at each point: what it asked for last is what it ends with, and whoever
// waits is told once.
func TestPartitionSet(t *testing.T) {
	const keep = time.Minute
	s := newPartitionSet(keep)
	told := 0
	tell := func(waits []func()) {
		for _, ready := range waits {
			ready()
		}
	}
	want := func(there bool, after int) {
		t.Helper()
		if got := s.want("lobby", func() { told++ }); got != there || told != after {
			t.Fatalf("want: there %v, %d told; want %v, %d", got, told, there, after)
		}
	}
	channel := channels[partition("lobby")]
	now := time.Now()
	next := func(subscribe bool, due ...string) {
		t.Helper()
		if got, sub, _ := s.next(now); !slices.Equal(got, due) || sub != subscribe {
			t.Fatalf("next: %v, subscribe %v; want %v, %v", got, sub, due, subscribe)
		}
	}

	want(true, 0) // there is no link
	s.unwant("lobby")
	if spare := s.begin(); len(spare) != partitions {
		t.Fatalf("a new link is to leave %v, want all", spare)
	}
	want(false, 0)
	next(false) // the command that leaves it is on its way
	tell(s.confirmed(channel, false))
	next(true, channel)
	s.unwant("lobby")
	next(false)
	tell(s.confirmed(channel, true))
	if told != 1 {
		t.Fatalf("%d told, want 1", told)
	}
	next(false) // it is kept for a while
	want(true, 1)
	s.unwant("lobby")
	if _, _, wait := s.next(now); wait <= 0 || wait > 2*keep {
		t.Errorf("it is kept for another %v", wait)
	}
	now = now.Add(2 * keep)
	next(false, channel)
	want(false, 1)
	want(false, 1)
	next(false)
	tell(s.confirmed(channel, false))
	next(true, channel)
	tell(s.end()) // the link is over
	if told != 3 {
		t.Errorf("%d told, want 3", told)
	}
	want(true, 3)
	if spare := s.begin(); len(spare) != partitions-1 || slices.Contains(spare, channel) {
		t.Errorf("a new link is to leave %v, want all others", spare)
	}
	next(false)
	tell(s.confirmed("rh:live:99", true)) // what another program may have Redis say
}
