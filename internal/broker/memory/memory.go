// Package memory joins the hubs of one process, with nothing else running.
//
// Its main types are [Bus] for live rooms and [Logs] for log rooms. From a bus each hub gets a [Broker] of its own, which
// implements hub.Broker, and from logs a [Log], which implements hub.Log; see there. A broker owns one goroutine, from
// Start until Close, which waits for it: that goroutine alone calls the receiver, so a publisher never waits for somebody
// else's hub. What waits for a receiver is bounded in bytes.
//
// A bus is never isolated and keeps nothing. It gives no hub its own publications back, as nobody would use them.
package memory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
)

// DefaultQueueBytes is how much waits for one receiver unless Options say otherwise.
const DefaultQueueBytes = 16 << 20

// Options is how a bus is set up.
type Options struct {
	// QueueBytes is the most that waits for one receiver; beyond it publications are dropped and counted, by the
	// receiver's broker. 0 means DefaultQueueBytes.
	QueueBytes int
}

// Bus joins brokers. Its methods may be called by several goroutines at once.
type Bus struct {
	opts Options // immutable

	mu     sync.RWMutex
	joined []*Broker // guarded by mu: those between Start and Close
}

// NewBus returns a bus that nobody joined yet.
func NewBus(opts Options) *Bus {
	if opts.QueueBytes <= 0 {
		opts.QueueBytes = DefaultQueueBytes
	}
	return &Bus{opts: opts}
}

// Broker returns a broker for one more hub, which joins the bus at its Start.
func (b *Bus) Broker() *Broker {
	return &Broker{
		bus:     b,
		in:      queue.New[*hub.Publication](b.opts.QueueBytes),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
		wanted:  make(map[string]int),
	}
}

// Broker is what one hub has of a bus.
type Broker struct {
	// immutable
	bus     *Bus
	in      *queue.Queue[*hub.Publication] // filled by the other brokers, emptied by the broker's goroutine
	closing chan struct{}                  // closed by the first Close; received by the broker's goroutine
	done    chan struct{}                  // closed by the broker's goroutine when it ends; received by each Close

	overflow atomic.Uint64 // publications of others that in had no room for
	outside  atomic.Uint64 // its own publications before Start and after Close

	// guarded by bus.mu
	started bool
	closed  bool

	wanting sync.RWMutex
	wanted  map[string]int // guarded by wanting: how often each room is wanted; not 0
}

var _ hub.Broker = (*Broker)(nil)

// Start joins the bus. It is there at once, so it never fails but where the broker was started or closed before.
func (b *Broker) Start(_ context.Context, r hub.Receiver) error {
	b.bus.mu.Lock()
	if b.started || b.closed {
		b.bus.mu.Unlock()
		return errors.New("start the broker: it was started or closed before")
	}
	b.started = true
	b.bus.mu.Unlock()

	r.SetIsolated(false, nil) // before the goroutine runs: the receiver is called by one at a time

	b.bus.mu.Lock()
	if !b.closed {
		b.bus.joined = append(b.bus.joined, b)
	}
	b.bus.mu.Unlock()
	// Ends at Close, which waits for it.
	go b.run(r)
	return nil
}

// run hands over what comes until Close.
func (b *Broker) run(r hub.Receiver) {
	defer close(b.done)
	var taken []*hub.Publication
	for {
		select {
		case <-b.closing:
			return
		case <-b.in.Ready():
		}
		if taken = b.in.Take(taken); len(taken) > 0 {
			r.Deliver(taken)
		}
	}
}

// Want has what the others publish in room come. It is there at once.
func (b *Broker) Want(room string, _ func()) bool {
	b.wanting.Lock()
	defer b.wanting.Unlock()
	b.wanted[room]++
	return true
}

// Unwant ends that.
func (b *Broker) Unwant(room string) {
	b.wanting.Lock()
	defer b.wanting.Unlock()
	if b.wanted[room]--; b.wanted[room] == 0 {
		delete(b.wanted, room)
	}
}

// wants reports whether what is published in room is to come.
func (b *Broker) wants(room string) bool {
	b.wanting.RLock()
	defer b.wanting.RUnlock()
	return b.wanted[room] > 0
}

// Publish hands p to the queues of those others that want its room. A broker that is not between Start and Close drops it, as one that is
// isolated does.
func (b *Broker) Publish(p *hub.Publication) {
	b.bus.mu.RLock()
	defer b.bus.mu.RUnlock()
	if !slices.Contains(b.bus.joined, b) {
		b.outside.Add(1)
		return
	}
	for _, other := range b.bus.joined {
		if other != b && other.wants(p.Room) && !other.in.Put(p, p.Size()) {
			other.overflow.Add(1)
		}
	}
}

// Stats returns what was counted since the start.
func (b *Broker) Stats() hub.BrokerStats {
	dropped := map[hub.DropReason]uint64{}
	for reason, n := range map[hub.DropReason]uint64{
		hub.DropBrokerQueue: b.overflow.Load(),
		hub.DropIsolated:    b.outside.Load(),
	} {
		if n > 0 {
			dropped[reason] = n
		}
	}
	return hub.BrokerStats{Dropped: dropped}
}

// Close leaves the bus, and returns when nothing is delivered any more; what still waits is dropped. It must not be
// called by the receiver.
func (b *Broker) Close() error {
	b.bus.mu.Lock()
	started := b.started
	if !b.closed {
		b.closed = true
		b.bus.joined = slices.DeleteFunc(b.bus.joined, func(other *Broker) bool { return other == b })
		close(b.closing)
	}
	b.bus.mu.Unlock()
	if started {
		<-b.done
	}
	return nil
}
