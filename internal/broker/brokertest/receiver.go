package brokertest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// patience is how long the suite waits for what should take milliseconds, before it fails.
const patience = 60 * time.Second

// Receiver is a hub.Receiver that keeps what it is told. It fails its test where it is called by two goroutines at
// once, and where it is called after End. Its methods may be called by several goroutines, those named Await by the
// test's.
type Receiver struct {
	tb     testing.TB   // immutable
	busy   atomic.Int32 // calls of the broker that run now
	handed atomic.Int64 // see Handed

	// One slot: full while the receiver is held up. Sent by Stop and Deliver, received by Go and Deliver; never closed.
	gate chan struct{}
	// One slot: full after a change, until Await looks. Sent by the broker's goroutine; never closed.
	news chan struct{}

	// guarded by mu
	mu       sync.Mutex
	got      []*hub.Publication
	told     bool // whether SetIsolated was called
	isolated bool
	why      error
	changes  int // calls of SetIsolated
	ended    bool
}

var _ hub.Receiver = (*Receiver)(nil)

// NewReceiver returns a receiver that fails tb.
func NewReceiver(tb testing.TB) *Receiver {
	return &Receiver{tb: tb, gate: make(chan struct{}, 1), news: make(chan struct{}, 1)}
}

// Deliver keeps ps.
func (r *Receiver) Deliver(ps []*hub.Publication) {
	defer r.enter("Deliver")()
	r.handed.Add(int64(len(ps)))
	r.gate <- struct{}{} // waits while the receiver is held up
	<-r.gate
	r.mu.Lock()
	r.got = append(r.got, ps...)
	r.mu.Unlock()
	r.wake()
}

// SetIsolated keeps what it is told.
func (r *Receiver) SetIsolated(isolated bool, why error) {
	defer r.enter("SetIsolated")()
	r.mu.Lock()
	if isolated != (why != nil) {
		r.tb.Errorf("SetIsolated(%v, %v)", isolated, why)
	}
	if r.told && r.isolated == isolated {
		r.tb.Errorf("SetIsolated(%v, %v), which the receiver knows", isolated, why)
	}
	r.told, r.isolated, r.why = true, isolated, why
	r.changes++
	r.mu.Unlock()
	r.wake()
}

// enter notes that a call of the broker begins, and returns what notes its end.
func (r *Receiver) enter(call string) func() {
	if r.busy.Add(1) != 1 {
		r.tb.Errorf("%s is called while another call runs", call)
	}
	r.mu.Lock()
	if r.ended {
		r.tb.Errorf("%s is called after the broker's Close returned", call)
	}
	r.mu.Unlock()
	return func() { r.busy.Add(-1) }
}

func (r *Receiver) wake() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// Stop holds up the next Deliver, until Go.
func (r *Receiver) Stop() { r.gate <- struct{}{} }

// Go lets Deliver go on; it does nothing where nothing is held up.
func (r *Receiver) Go() {
	select {
	case <-r.gate:
	default:
	}
}

// End says that nothing may come any more.
func (r *Receiver) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// Got returns what was delivered until now, in order.
func (r *Receiver) Got() []*hub.Publication {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[:len(r.got):len(r.got)]
}

// Handed returns how many publications Deliver was called with, those included that Stop holds up.
func (r *Receiver) Handed() int { return int(r.handed.Load()) }

// Isolated returns whether the broker is isolated, how often the receiver was told, and why.
func (r *Receiver) Isolated() (isolated bool, changes int, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.told || r.isolated, r.changes, r.why
}

// Await returns when cond is true, which is looked at after each change, and now and then, as what a broker only counts
// is no change. It fails the test where that takes too long.
func (r *Receiver) Await(what string, cond func() bool) {
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
			isolated, _, why := r.Isolated()
			r.tb.Fatalf("waited in vain for %s: %d publications came; isolated: %v (%v)", what, len(r.Got()), isolated, why)
		}
	}
}

// AwaitIsolated returns when the receiver was told that it is isolated, or that it is not.
func (r *Receiver) AwaitIsolated(want bool) {
	r.tb.Helper()
	what := "the end of isolation"
	if want {
		what = "isolation"
	}
	r.Await(what, func() bool {
		isolated, changes, _ := r.Isolated()
		return changes > 0 && isolated == want
	})
}

// AwaitID returns when a publication with that id was delivered.
func (r *Receiver) AwaitID(id string) {
	r.tb.Helper()
	seen, found := 0, false
	r.Await("publication "+id, func() bool {
		for _, p := range r.Got()[seen:] {
			seen++
			found = found || p.ID == id
		}
		return found
	})
}
