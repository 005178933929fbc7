package redis

import (
	"fmt"
	"testing"
)

// TestPlan looks at what goes into a round: of each room one call, in order and within its bounds, and every room in its
// turn, however much waits of another.
func TestPlan(t *testing.T) {
	request := func(room string, n, size int) *appendRequest {
		return &appendRequest{room: room, key: fmt.Sprint(n), record: make([]byte, size)}
	}
	w := &appender{}
	const many, large, huge = 1000, 20, 3
	for n := range many {
		w.add([]*appendRequest{request("busy", n, 100)})
	}
	for n := range large {
		w.add([]*appendRequest{request("large", n, 64<<10)})
	}
	for n := range huge {
		w.add([]*appendRequest{request("huge", n, 2*maxRound)})
	}
	w.add([]*appendRequest{request("quiet", 0, 1)})
	next := map[string]int{}
	rounds := 0
	for ; w.waits(); rounds++ {
		seen, size := map[string]bool{}, 0
		for i, c := range w.plan() {
			if seen[c.room] {
				t.Fatalf("two calls of room %q in one round", c.room)
			}
			seen[c.room] = true
			if size >= maxRound {
				t.Errorf("round %d has %d bytes before call %d", rounds, size, i)
			}
			size += c.size
			if len(c.requests) == 0 || len(c.requests) > maxCall || c.size > maxCallBytes && len(c.requests) > 1 {
				t.Errorf("a call of room %q has %d messages of %d bytes", c.room, len(c.requests), c.size)
			}
			for _, r := range c.requests {
				if r.room != c.room || r.key != fmt.Sprint(next[c.room]) {
					t.Fatalf("in a call of room %q stands message %s of %q, want %d", c.room, r.key, r.room, next[c.room])
				}
				next[c.room]++
			}
		}
		if rounds == 1 && next["quiet"] != 1 {
			t.Error("the quiet room waits for the busy ones")
		}
		if rounds > many {
			t.Fatal("nothing is sent any more")
		}
	}
	if next["busy"] != many || next["large"] != large || next["huge"] != huge || len(w.rooms) != 0 {
		t.Errorf("sent %v, left %d rooms", next, len(w.rooms))
	}
}
