package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// testLogSubscriptions subscribes and unsubscribes, again and again: what is published after a confirmation comes, and
// nothing of rooms that nobody asked for.
func testLogSubscriptions(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 2, LogSetup{})
	log, r := logs[0], receivers[0]
	log.Unsubscribe("lobby") // which is not subscribed
	number, sent := uint64(0), 0
	for range 20 {
		// In haste, so that one overtakes the other; only the last counts.
		for range 5 {
			number++
			log.Subscribe("lobby", number)
			log.Unsubscribe("lobby")
		}
		number++
		log.Subscribe("lobby", number)
		r.AwaitConfirmed("lobby", number)
		sent++
		a := Append(t, logs[1], NewMessage("a", "lobby", sent))
		r.AwaitOffset("lobby", a.At.Offset)
	}
	if !slices.IsSorted(r.Confirmed("lobby")) {
		t.Errorf("confirmed %v", r.Confirmed("lobby"))
	}
	CheckEntries(t, r.Got("lobby"), 1, ids(1, sent)...)

	log.Subscribe("lobby", number+1) // which is subscribed
	r.AwaitConfirmed("lobby", number+1)

	log.Unsubscribe("lobby")
	r.subscribe(log, "other", 1) // so that what came before it has come
	Append(t, logs[1], NewMessage("a", "lobby", sent+1))
	Append(t, logs[1], NewMessage("a", "other", 1))
	r.AwaitOffset("other", 1)
	if got := len(r.Got("lobby")); got != sent {
		t.Errorf("%d entries came of a room that is not subscribed any more", got-sent)
	}
	if got := receivers[1].Got("lobby"); len(got) != 0 {
		t.Errorf("%d entries came to a hub that never subscribed", len(got))
	}
}

// testLogManyRooms subscribes many rooms at once, and leaves every other one.
func testLogManyRooms(t *testing.T, f LogFactory) {
	const n = 1050
	logs, receivers := startLogs(t, f, 1, LogSetup{})
	log, r := logs[0], receivers[0]
	room := func(i int) string { return fmt.Sprintf("room%d", i) }
	for i := range n {
		log.Subscribe(room(i), uint64(i))
	}
	for i := range n {
		r.AwaitConfirmed(room(i), uint64(i))
	}
	for i := 0; i < n; i += 2 {
		log.Unsubscribe(room(i))
	}
	r.subscribe(log, "last", 1)
	for i := range n {
		if err := log.Append(NewMessage("a", room(i), 1), func(_ hub.Appended, err error) {
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i < n; i += 2 {
		r.AwaitOffset(room(i), 1)
	}
	for i := 0; i < n; i += 2 {
		if len(r.Got(room(i))) != 0 {
			t.Errorf("room %d was left, and something came of it", i)
		}
	}
}

// testLogClose closes a log right after it took something: all of it is answered before Close returns, and stored where
// that was said.
func testLogClose(t *testing.T, f LogFactory) {
	const n = 500
	logs, receivers := startLogs(t, f, 2, LogSetup{})
	var answered, stored atomic.Int64
	for i := range n {
		if err := logs[0].Append(NewMessage("a", fmt.Sprintf("room%d", i%3), i/3), func(_ hub.Appended, err error) {
			answered.Add(1)
			if err == nil {
				stored.Add(1)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := logs[0].Read("room0", hub.Position{}, 1, true, func(hub.LogPage, error) { answered.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := logs[0].Close(); err != nil {
		t.Fatal(err)
	}
	receivers[0].End()
	if answered.Load() != 2*n || stored.Load() != n {
		t.Errorf("%d of %d were answered, %d of %d stored", answered.Load(), 2*n, stored.Load(), n)
	}
	kept := 0
	for i := range 3 {
		kept += len(ReadAll(t, logs[1], fmt.Sprintf("room%d", i)))
	}
	if kept != n {
		t.Errorf("%d are kept, want %d", kept, n)
	}
	checkClosed(t, logs[0])
}

// checkClosed asks a log that is closed, or was never started.
func checkClosed(t *testing.T, l hub.Log) {
	t.Helper()
	if _, err := TryAppend(t, l, NewMessage("a", "lobby", 0)); !errors.Is(err, hub.ErrAway) {
		t.Errorf("append: %v, want ErrAway", err)
	}
	if _, err := TryRead(t, l, "lobby", hub.Position{}, 1, false); !errors.Is(err, hub.ErrAway) {
		t.Errorf("read: %v, want ErrAway", err)
	}
	l.Subscribe("lobby", 1)
	l.Unsubscribe("lobby")
}

// testLogCloseAnyState closes logs that were never started, twice, and uses closed ones.
func testLogCloseAnyState(t *testing.T, f LogFactory) {
	logs := f(t, 2, LogSetup{})
	r := StartLog(t, logs[0])
	for range 2 {
		for _, l := range logs {
			if err := l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			checkClosed(t, l)
		}
		r.End()
	}
	if err := logs[1].Start(t.Context(), NewLogReceiver(t)); err == nil {
		t.Error("a closed log starts")
	}
}
