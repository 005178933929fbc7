package redis

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// The defaults of Options.
const (
	DefaultTimeout    = time.Second
	DefaultPing       = 500 * time.Millisecond
	DefaultQueueBytes = 16 << 20
	DefaultKeep       = 5 * time.Second
)

// Options is how a broker is set up. All but URL may be left out.
type Options struct {
	// URL is redis://[user:password@]host[:port][/db], or rediss:// for TLS.
	URL string
	// CAFile holds the certificate authorities (PEM) that may sign Redis's certificate, instead of the system's.
	CAFile string

	// Timeout is how long Redis may leave a command or a connect unanswered before the hub counts as isolated. Ping is
	// how often it is asked when nothing else is. An outage is told after at most the sum of both.
	Timeout time.Duration
	Ping    time.Duration

	// QueueBytes is the most that waits to be published, and the most that waits for the receiver; beyond it
	// publications are dropped and counted.
	QueueBytes int

	// Keep is how long the channel of a live room stays subscribed when the hub has no room of it any more.
	Keep time.Duration

	// Name is the hub's: Redis shows its connections as realtime-hub:NAME. What Redis does not allow there becomes a -.
	Name string
	// Log is told when the broker is isolated, goes on being so, and is back; nobody by default.
	Log *slog.Logger
}

// Broker joins a hub to those that use the same Redis, whatever the database, as channels belong to none. All its
// methods but Start may be called by several goroutines at once.
type Broker struct {
	// immutable
	server
	opts    Options
	id      uint64 // random: names this broker in envelopes
	log     *slog.Logger
	closing context.Context // done at the first Close
	close   context.CancelFunc
	done    chan struct{} // closed by the broker's goroutine when it ends; received by each Close
	wanted  *partitionSet

	// owned by Start, then by the broker's goroutine
	lives uint64 // links tried until now

	// owned by the goroutine that reads the link; the next link's begins after it ended
	fence    fence
	grumbled time.Time // when an invalid envelope was logged last

	counts counts

	mu      sync.RWMutex
	link    *link // guarded by mu: what Publish uses; nil while isolated
	started bool  // guarded by mu
	closed  bool  // guarded by mu
}

var _ hub.Broker = (*Broker)(nil)

// counts is what Stats returns, and may be changed by anybody.
type counts struct {
	isolated, queue, unconfirmed, invalid atomic.Uint64 // publications dropped
	reconnects                            atomic.Uint64
	rtt                                   atomic.Int64 // nanoseconds
}

func (c *counts) stats() hub.BrokerStats {
	s := hub.BrokerStats{
		Dropped:    map[hub.DropReason]uint64{},
		Reconnects: c.reconnects.Load(),
		RTT:        time.Duration(c.rtt.Load()),
	}
	for reason, n := range map[hub.DropReason]uint64{
		hub.DropIsolated:    c.isolated.Load(),
		hub.DropBrokerQueue: c.queue.Load(),
		hub.DropBrokerError: c.unconfirmed.Load(),
		hub.DropInvalid:     c.invalid.Load(),
	} {
		if n > 0 {
			s.Dropped[reason] = n
		}
	}
	return s
}

// New returns a broker that is not connected yet. It returns a *URLError where the URL is wrong, and an error where the
// file of authorities cannot be used.
func New(opts Options) (*Broker, error) {
	opts = opts.withDefaults()
	server, err := newServer(opts, hubRights)
	if err != nil {
		return nil, err
	}
	var id [8]byte
	crand.Read(id[:]) // never fails
	closing, closeAll := context.WithCancel(context.Background())
	return &Broker{
		server:  server,
		opts:    opts,
		id:      binary.BigEndian.Uint64(id[:]),
		log:     opts.Log.With("redis", server.endpoint.addr),
		closing: closing,
		close:   closeAll,
		done:    make(chan struct{}),
		fence:   fence{},
		wanted:  newPartitionSet(opts.Keep),
	}, nil
}

// Start connects. See hub.Broker for what it returns; the error says what Redis said, and what to do.
func (b *Broker) Start(ctx context.Context, r hub.Receiver) error {
	b.mu.Lock()
	if b.started || b.closed {
		b.mu.Unlock()
		return errors.New("start the broker: it was started or closed before")
	}
	b.started = true
	b.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.closing, cancel)()
	l, err := b.connect(ctx)
	switch {
	case ctx.Err() != nil:
		if l != nil {
			l.close()
		}
		err = fmt.Errorf("start the broker: %w", ctx.Err())
	case errors.Is(err, hub.ErrRefused):
	default:
		b.tell(r, l, err)
		// Ends at Close, which waits for it.
		go b.run(r, l, err)
		return nil
	}
	close(b.done)
	return err
}

// Publish hands p to the link.
func (b *Broker) Publish(p *hub.Publication) {
	b.mu.RLock()
	defer b.mu.RUnlock() // so that nothing gets into the queue of a link that is over
	switch {
	case b.link == nil:
		b.counts.isolated.Add(1)
	case !b.link.out.Put(p, p.Size()):
		b.counts.queue.Add(1)
	}
}

// Want asks for what is published in room. See hub.Broker.
func (b *Broker) Want(room string, ready func()) bool { return b.wanted.want(room, ready) }

// Unwant ends that, a while later: see Options.Keep.
func (b *Broker) Unwant(room string) { b.wanted.unwant(room) }

// use has Publish use l from now on; nil means that the broker is isolated.
func (b *Broker) use(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.link = l
	}
}

// Stats returns what was counted since the start.
func (b *Broker) Stats() hub.BrokerStats { return b.counts.stats() }

// Close publishes what waits, for at most Options.Timeout, and disconnects. Nothing is delivered after it returned. It
// must not be called by the receiver.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.closed = true
	b.link = nil
	started := b.started
	b.mu.Unlock()
	b.close()
	if started {
		<-b.done
	}
	return nil
}
