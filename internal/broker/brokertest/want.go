package brokertest

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Want has b want rooms, and returns when what is published there comes, or b is isolated.
func Want(tb testing.TB, b hub.Broker, rooms ...string) {
	tb.Helper()
	ready := make(chan struct{}, len(rooms)) // one of each room that is to be waited for, sent by the broker
	waits := 0
	for _, room := range rooms {
		if !b.Want(room, func() { ready <- struct{}{} }) {
			waits++
		}
	}
	late := time.After(patience)
	for ; waits > 0; waits-- {
		select {
		case <-ready:
		case <-late:
			tb.Fatalf("%d of %d rooms did not come", waits, len(rooms))
		}
	}
}

// Rooms returns the names lobby and room0 to room49, which tests publish in.
func Rooms() []string {
	rooms := []string{"lobby"}
	for n := range 50 {
		rooms = append(rooms, fmt.Sprintf("room%d", n))
	}
	return rooms
}

// testWantNothing has a broker that wants nothing, and one that wants a room twice and then once.
func testWantNothing(t *testing.T, f Factory) {
	c, receivers := startWanting(t, f, 3, 0)
	Want(t, c.Brokers[1], "lobby", "lobby")
	publish := func(n int) {
		c.Brokers[0].Publish(NewPublication("origin0", "sender", "lobby", n))
		receivers[1].AwaitID(protocol.MessageID("sender", fmt.Sprint(n)))
	}
	publish(0)
	c.Brokers[1].Unwant("lobby")
	publish(1)
	Want(t, c.Brokers[2], "lobby")
	publish(2)
	receivers[2].AwaitID("sender/2")
	if got := receivers[2].Got(); len(got) != 1 {
		t.Errorf("%d publications came, all but one before anything was wanted", len(got))
	}
	CheckSequence(t, receivers[1].Got(), "sender", 0, 2)
}

// wanting is a room that a broker wants and does not want by turns.
type wanting struct {
	name      string
	published atomic.Int64 // how many; counted before each
	since     atomic.Int64 // the first that must come; -1 while the broker has not said that they come
	wanted    bool
}

// testWantRaces has a broker want hundreds of rooms, each for a while and then again, while another publishes in all of
// them: from the moment that the broker says so everything comes.
func testWantRaces(t *testing.T, f Factory) {
	const rooms, rounds = 200, 60
	c, receivers := startWanting(t, f, 2, 0)
	from, to, r := c.Brokers[0], c.Brokers[1], receivers[1]
	Want(t, to, "pace")
	all := make([]*wanting, rooms)
	for i := range all {
		all[i] = &wanting{name: fmt.Sprintf("room%d", i)}
		all[i].since.Store(-1)
	}
	seen := 0
	came := make(map[string][]int64) // the numbers of each room since it was wanted
	await := func(room string, last int64) {
		r.Await(fmt.Sprintf("number %d of %s", last, room), func() bool {
			for _, p := range r.Got()[seen:] {
				seen++
				n, err := strconv.ParseInt(strings.TrimPrefix(p.ID, p.From.ID+"/"), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				came[p.Room] = append(came[p.Room], n)
			}
			numbers := came[room]
			return last < 0 || len(numbers) > 0 && numbers[len(numbers)-1] >= last
		})
	}
	checked := 0
	for round := range rounds {
		for _, w := range all {
			n := w.published.Add(1) - 1
			from.Publish(NewPublication("origin0", w.name, w.name, int(n)))
		}
		from.Publish(NewPublication("origin0", "pace", "pace", round))
		await("pace", int64(round)-3) // so that nothing is dropped
		for _, w := range all {
			switch turn := round % 12; { // in some all want something, in some nobody does
			case turn == 0 && !w.wanted:
				w.wanted = true
				ready := func() { w.since.Store(w.published.Load()) }
				if to.Want(w.name, ready) {
					ready()
				}
			case turn >= 7 && w.wanted && w.since.Load() >= 0 && w.published.Load() >= w.since.Load()+5:
				await(w.name, w.published.Load()-1)
				checkSince(t, w.name, came[w.name], w.since.Load(), w.published.Load()-1)
				checked++
				to.Unwant(w.name)
				w.wanted = false
				w.since.Store(-1)
				came[w.name] = nil
			}
		}
	}
	if checked < rooms {
		t.Errorf("%d rooms were wanted long enough, of %d", checked, rooms)
	}
	for i, b := range c.Brokers {
		if dropped := b.Stats().Dropped; len(dropped) != 0 {
			t.Errorf("broker %d dropped %v", i, dropped)
		}
	}
}

// checkSince fails t where not all from first to last is among the numbers, each once and in order.
func checkSince(t *testing.T, room string, numbers []int64, first, last int64) {
	t.Helper()
	next := first
	for _, n := range numbers {
		if n < first {
			continue
		}
		if n != next {
			t.Fatalf("of %s came %d, want %d: everything from %d on was to come", room, n, next, first)
		}
		next++
	}
	if next <= last {
		t.Fatalf("of %s came %d to %d, want up to %d", room, first, next-1, last)
	}
}

// testWantIsolated wants a room while the brokers cannot reach each other, and before they lose each other: nobody waits
// for ever, and when they are joined again everything comes.
func testWantIsolated(t *testing.T, f Factory) {
	c, receivers := startWanting(t, f, 2, 0)
	if c.Cut == nil {
		return // nothing comes between these brokers
	}
	to, r := c.Brokers[1], receivers[1]
	for round := range 2 {
		c.Cut()
		for _, r := range receivers {
			r.AwaitIsolated(true)
		}
		if !to.Want(fmt.Sprintf("room%d", round), func() { t.Error("called, though nobody waits") }) {
			t.Error("a broker that is isolated has somebody wait")
		}
		c.Heal()
		for _, r := range receivers {
			r.AwaitIsolated(false)
		}
		for room := range round + 1 {
			sender := fmt.Sprintf("sender%d-%d", round, room)
			c.Brokers[0].Publish(NewPublication("origin0", sender, fmt.Sprintf("room%d", room), 0))
			r.AwaitID(sender + "/0")
		}
	}
}
