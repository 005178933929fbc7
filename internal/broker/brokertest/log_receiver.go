package brokertest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// LogReceiver is a hub.LogReceiver that keeps what it is told. It fails its test where it is called by two goroutines
// at once, or after End. Its methods may be called by several goroutines, those named Await by the test's.
type LogReceiver struct {
	tb   testing.TB   // immutable
	busy atomic.Int32 // calls of the log that run now

	// One slot: full while the receiver is held up. Sent by Stop and Published, received by Go and Published; never
	// closed.
	gate chan struct{}
	// One slot: full after a change, until an Await looks. Sent by the log's goroutine; never closed.
	news chan struct{}

	// guarded by mu
	mu        sync.Mutex
	got       map[string][]hub.Entry
	confirmed map[string][]uint64
	missed    map[string]int // calls of Missed
	told      bool           // whether SetAway was called
	away      bool
	why       error
	changes   int // calls of SetAway
	ended     bool
}

var _ hub.LogReceiver = (*LogReceiver)(nil)

// NewLogReceiver returns a receiver that fails tb.
func NewLogReceiver(tb testing.TB) *LogReceiver {
	return &LogReceiver{
		tb: tb, gate: make(chan struct{}, 1), news: make(chan struct{}, 1),
		got: map[string][]hub.Entry{}, confirmed: map[string][]uint64{}, missed: map[string]int{},
	}
}

// Subscribed keeps number.
func (r *LogReceiver) Subscribed(room string, number uint64) {
	defer r.enter("Subscribed")()
	r.confirmed[room] = append(r.confirmed[room], number)
	if r.away {
		r.tb.Errorf("Subscribed(%q, %d) while the log is away", room, number)
	}
}

// Published keeps entries, which are to follow each other in one epoch.
func (r *LogReceiver) Published(room string, entries []hub.Entry) {
	r.gate <- struct{}{} // waits while the receiver is held up
	<-r.gate
	defer r.enter("Published")()
	if len(entries) == 0 {
		r.tb.Errorf("nothing was published in %q", room)
	}
	for i, e := range entries {
		if e.At.Epoch != entries[0].At.Epoch || e.At.Offset != entries[0].At.Offset+uint64(i) {
			r.tb.Errorf("in %q one call published %v, and as number %d %v", room, entries[0].At, i, e.At)
		}
		if e.Message.Room != room {
			r.tb.Errorf("in %q came a message of room %q", room, e.Message.Room)
		}
	}
	r.got[room] = append(r.got[room], entries...)
}

// Missed counts.
func (r *LogReceiver) Missed(room string) {
	defer r.enter("Missed")()
	r.missed[room]++
}

// SetAway keeps what it is told.
func (r *LogReceiver) SetAway(away bool, why error) {
	defer r.enter("SetAway")()
	if away != (why != nil) {
		r.tb.Errorf("SetAway(%v, %v)", away, why)
	}
	if r.told && r.away == away {
		r.tb.Errorf("SetAway(%v, %v), which the receiver knows", away, why)
	}
	r.told, r.away, r.why = true, away, why
	r.changes++
}

// enter notes that a call of the log begins, and takes mu; what it returns ends that.
func (r *LogReceiver) enter(call string) func() {
	if r.busy.Add(1) != 1 {
		r.tb.Errorf("%s is called while another call runs", call)
	}
	r.mu.Lock()
	if r.ended {
		r.tb.Errorf("%s is called after the log's Close returned", call)
	}
	return func() {
		r.mu.Unlock()
		r.busy.Add(-1)
		select {
		case r.news <- struct{}{}:
		default:
		}
	}
}

// Stop holds up the next Published, until Go.
func (r *LogReceiver) Stop() { r.gate <- struct{}{} }

// Go lets Published go on; it does nothing where nothing is held up.
func (r *LogReceiver) Go() {
	select {
	case <-r.gate:
	default:
	}
}

// End says that nothing may come any more.
func (r *LogReceiver) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// Got returns what was published in room until now.
func (r *LogReceiver) Got(room string) []hub.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.got[room])
}

// Confirmed returns the numbers that Subscribed was called with for room.
func (r *LogReceiver) Confirmed(room string) []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.confirmed[room])
}

// Misses returns how often Missed was called for room.
func (r *LogReceiver) Misses(room string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.missed[room]
}

// Away returns whether the log is away, how often the receiver was told, and why.
func (r *LogReceiver) Away() (away bool, changes int, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.told || r.away, r.changes, r.why
}

// Await returns when cond is true, which is looked at after each change, and now and then. It fails the test where that
// takes too long.
func (r *LogReceiver) Await(what string, cond func() bool) {
	r.tb.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !cond() {
		select {
		case <-r.news:
		case <-look.C:
		case <-late.C:
			away, _, why := r.Away()
			r.tb.Fatalf("waited in vain for %s; away: %v (%v)", what, away, why)
		}
	}
}

// AwaitAway returns when the receiver was told that the log is away, or that it is not.
func (r *LogReceiver) AwaitAway(want bool) {
	r.tb.Helper()
	r.Await(fmt.Sprintf("the log to be away: %v", want), func() bool {
		away, changes, _ := r.Away()
		return changes > 0 && away == want
	})
}

// AwaitConfirmed returns when room was confirmed under number.
func (r *LogReceiver) AwaitConfirmed(room string, number uint64) {
	r.tb.Helper()
	r.Await(fmt.Sprintf("the subscription of %q under %d", room, number), func() bool {
		return slices.Contains(r.Confirmed(room), number)
	})
}

// AwaitOffset returns when the entry at offset of room was published.
func (r *LogReceiver) AwaitOffset(room string, offset uint64) {
	r.tb.Helper()
	r.Await(fmt.Sprintf("offset %d of %q", offset, room), func() bool {
		return slices.ContainsFunc(r.Got(room), func(e hub.Entry) bool { return e.At.Offset == offset })
	})
}
