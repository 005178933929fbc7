package logroom_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// world is one simulated run: hubs, clients, Redis, the network between them and a clock that jumps from event to
// event. Everything follows from the seed and the plan; one goroutine does it all.
type world struct {
	config config
	plan   []action
	mutant mutant
	rng    *rand.Rand

	now   time.Duration
	queue events
	count uint64 // events ever scheduled, which orders those of one moment

	primary *server
	old     *server  // the primary before the last failover
	replica *dataset // as far as it got
	file    *dataset // as far as it was written
	nonces  int

	hubs    []*hub
	clients []*client
	truth   *truth

	calm   bool // faults are over
	checks bool // position checks are made
	lying  int  // per cent of published copies that are lost, while a fault says so
	failed error
	log    *strings.Builder // nil: no trace is kept
	stats  stats
}

// stats counts what a run did, so that a test can see that it did something.
type stats struct {
	Events, Stored, Duplicates, Refused, Unknown, Delivered, Replayed, Recalled, Orphans, Resets int
	Shown, Settled, GivenUp                                                                      int
}

func (s *stats) add(o stats) {
	s.Events += o.Events
	s.Stored += o.Stored
	s.Delivered += o.Delivered
	s.Shown += o.Shown
	s.Orphans += o.Orphans
	s.Resets += o.Resets
	s.Settled += o.Settled
	s.Refused += o.Refused
	s.Unknown += o.Unknown
	s.Duplicates += o.Duplicates
	s.Replayed += o.Replayed
	s.GivenUp += o.GivenUp
	s.Recalled += o.Recalled
}

// mutant is a rule that does not hold in this run: one of the core's, or one of the model's by its name.
type mutant struct {
	rule logroom.Rule
	name string
}

func (w *world) off(name string) bool { return w.mutant.name == name }

// event is something that happens at a time.
type event struct {
	at    time.Duration
	order uint64
	do    func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return last
}

// after schedules do.
func (w *world) after(d time.Duration, do func()) {
	w.count++
	heap.Push(&w.queue, event{w.now + d, w.count, do})
}

// advance lets everything happen that happens until a time, or until something is wrong.
func (w *world) advance(until time.Duration) {
	for len(w.queue) > 0 && w.queue[0].at <= until && w.failed == nil {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		w.stats.Events++
		e.do()
	}
	w.now = max(w.now, until)
}

// between draws a time.
func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from)+1))
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *world) nonce() string {
	if !w.off("script: nonce used again") || w.nonces == 0 {
		w.nonces++
	}
	return fmt.Sprint("e", w.nonces)
}

// fail notes the first violation.
func (w *world) fail(invariant, format string, args ...any) {
	if w.failed == nil {
		w.failed = fmt.Errorf("%s: %s", invariant, fmt.Sprintf(format, args...))
		w.trace("VIOLATION %v", w.failed)
	}
}

func (w *world) trace(format string, args ...any) {
	if w.log != nil {
		fmt.Fprintf(w.log, "%9.3f  %s\n", w.now.Seconds(), fmt.Sprintf(format, args...))
	}
}

// newWorld builds what the configuration says.
func newWorld(c config, plan []action, m mutant, traced bool) *world {
	w := &world{config: c, plan: plan, mutant: m, rng: rand.New(rand.NewPCG(c.seed, 2)), checks: true}
	if traced {
		w.log = new(strings.Builder)
	}
	w.truth = newTruth(w)
	w.primary = &server{w: w, run: "r1", replica: "p1", data: newDataset(), up: true}
	w.replica, w.file = newDataset(), newDataset()
	for i := range c.hubs {
		h := &hub{w: w, name: fmt.Sprint("hub", i)}
		w.hubs = append(w.hubs, h)
		h.start()
	}
	for i := range c.clients {
		w.clients = append(w.clients, newClient(w, i))
	}
	return w
}

// run carries out the plan, heals everything, drains, and returns what was wrong.
func (w *world) run() error {
	for _, c := range w.clients {
		w.after(w.between(0, 2*time.Second), c.connect)
	}
	for _, a := range w.plan {
		w.after(a.at, func() { w.act(a) })
	}
	w.after(0, w.replicate)
	w.after(0, w.write)
	w.advance(w.config.duration)
	w.drain()
	return w.failed
}

// replicate lets the replica catch up once in a while, and write the file.
func (w *world) replicate() {
	w.replica = w.primary.data.clone()
	if !w.calm {
		w.after(w.between(10*time.Millisecond, w.config.lag), w.replicate)
	}
}

func (w *world) write() {
	w.file = w.primary.data.clone()
	if !w.calm {
		w.after(w.between(10*time.Millisecond, w.config.lag), w.write)
	}
}

// drain ends all faults and lets everything come to rest, then compares every end with the log.
func (w *world) drain() {
	w.calm, w.lying = true, 0
	w.trace("faults are over")
	if !w.primary.up {
		w.primary.up = true
	}
	w.primary.full = false
	w.primary.goOn()
	for _, h := range w.hubs {
		h.heal()
	}
	w.checks = w.config.checksInDrain
	w.advance(w.now + 6*time.Second)
	w.checkSound()
	w.checks = true
	w.advance(w.now + w.config.giveUp + w.config.maxAge + w.config.delays + 6*time.Second)
	if w.failed == nil {
		w.checkEnd()
	}
}
