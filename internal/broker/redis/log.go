package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Durability says what Redis has done with a message before it is acknowledged.
type Durability string

// The durabilities.
const (
	InMemory   Durability = "memory"     // Redis has it; what that means is up to how Redis is set up
	Replicated Durability = "replicated" // a replica has it too; without a replica nothing is acknowledged
	Fsynced    Durability = "fsynced"    // it is on the disk: Redis must have appendonly yes and appendfsync always
)

const (
	// defaultSilence is after how long without any publication the subscribed connection is tried out.
	defaultSilence = 5 * time.Second

	// maxReads is how many reads may wait.
	maxReads = 1 << 16
)

// LogOptions is how a log is set up. All but URL may be left out.
type LogOptions struct {
	Options // QueueBytes bounds the messages that wait to be stored, and what waits for the receiver

	Durability Durability                      // default: InMemory
	Retention  func(room string) hub.Retention // default: the defaults of hub, for all rooms
	KeyTTL     time.Duration                   // how long a key is remembered; default: hub.DefaultKeyTTL
	Silence    time.Duration                   // try out a subscribed connection that brought nothing for so long; 5 s
}

// Log keeps the logs of log rooms in Redis; see hub.Log. It has connections of its own, which live and end together as
// those of a Broker do: one to append, one to read, so that a long page or a wait for a replica holds up nobody else,
// and one that is subscribed.
//
// A log owns one goroutine from Start until Close, which waits for it, and alone calls the receiver. Each life of its
// connections has one goroutine that writes, one that reads, one that subscribes, one that tries out the subscription, and
// one probe for each connection.
type Log struct {
	// immutable
	server
	opts    LogOptions
	log     *slog.Logger
	closing context.Context // done at the first Close
	close   context.CancelFunc
	done    chan struct{} // closed by the log's goroutine when it ends; received by each Close
	probe   string        // a channel of this log's own

	waiting atomic.Int64 // bytes of appends that are not answered
	reading atomic.Int64 // reads that are not answered
	counts  counts
	rooms   *roomSet
	secret  atomic.Pointer[[]byte] // see hub.Log; what Redis had when it was last reached

	mu      sync.RWMutex
	link    *logLink // guarded by mu: what requests use; nil while away
	started bool     // guarded by mu
	closed  bool     // guarded by mu
}

var _ hub.Log = (*Log)(nil)

// NewLog returns a log that is not connected yet. Its errors are those of New.
func NewLog(opts LogOptions) (*Log, error) {
	opts.Options = opts.Options.withDefaults()
	opts.KeyTTL = orDefault(opts.KeyTTL, hub.DefaultKeyTTL)
	opts.Silence = orDefault(opts.Silence, defaultSilence)
	rights := hubRights
	switch opts.Durability {
	case "", InMemory:
		opts.Durability = InMemory
	case Replicated:
		rights += " +wait"
	case Fsynced:
		rights += " +config|get"
	default:
		return nil, fmt.Errorf("bad durability %q → it is %s, %s or %s", opts.Durability, InMemory, Replicated, Fsynced)
	}
	server, err := newServer(opts.Options, rights)
	if err != nil {
		return nil, err
	}
	closing, closeAll := context.WithCancel(context.Background())
	return &Log{
		server:  server,
		opts:    opts,
		log:     opts.Log.With("redis", server.endpoint.addr),
		closing: closing,
		close:   closeAll,
		done:    make(chan struct{}),
		probe:   "rh:{" + newNonce() + "}:p",
		rooms:   newRoomSet(),
	}, nil
}

// retention returns that of a room, with what was left out.
func (g *Log) retention(room string) hub.Retention {
	var r hub.Retention
	if g.opts.Retention != nil {
		r = g.opts.Retention(room)
	}
	return hub.Retention{History: max(1, orDefault(r.History, hub.DefaultHistory)), TTL: orDefault(r.TTL, hub.DefaultTTL)}
}

// metaTTL is longer than that of the stream and than that of keys: who finds a stream or a key finds the epoch too.
func (g *Log) metaTTL(r hub.Retention) time.Duration { return r.TTL + g.opts.KeyTTL }

// Start connects. See hub.Log for what it returns; the error says what Redis said, and what to do.
func (g *Log) Start(ctx context.Context, r hub.LogReceiver) error {
	g.mu.Lock()
	if g.started || g.closed {
		g.mu.Unlock()
		return errors.New("start the log: it was started or closed before")
	}
	g.started = true
	g.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.closing, cancel)()
	l, err := g.connect(ctx)
	switch {
	case ctx.Err() != nil:
		if l != nil {
			g.finish(l)
		}
		err = fmt.Errorf("start the log: %w", ctx.Err())
	case errors.Is(err, hub.ErrRefused), errors.Is(err, hub.ErrNotDurable):
	default:
		g.tell(r, l, err)
		// Ends at Close, which waits for it.
		go g.run(r, l, err)
		return nil
	}
	close(g.done)
	return err
}

// Append hands m to the link.
func (g *Log) Append(m *protocol.Message, done func(hub.Appended, error)) error {
	key, found := strings.CutPrefix(m.ID, m.From.ID+"/")
	if !found {
		return fmt.Errorf("append message %q: it is not of %q", m.ID, m.From.ID)
	}
	r := &appendRequest{
		room:   m.Room,
		key:    idempotencyKey(m.Room, m.From.ID, key),
		record: appendMessage(make([]byte, 0, hub.MessageSize(m)), m),
		size:   int64(hub.MessageSize(m)),
		log:    g,
		then:   done,
	}
	g.mu.RLock()
	defer g.mu.RUnlock() // so that nothing gets into the queue of a link that is over
	if g.link == nil {
		return hub.ErrAway
	}
	if all := g.waiting.Add(r.size); all > int64(g.opts.QueueBytes) && all != r.size {
		g.waiting.Add(-r.size)
		return hub.ErrBusy
	}
	g.link.writes.Force(r, 0)
	return nil
}

// Read hands a read to the link.
func (g *Log) Read(room string, after hub.Position, limit int, keep bool, done func(hub.LogPage, error)) error {
	r := &readRequest{room: room, after: after, limit: max(1, limit)}
	if keep {
		r.keep = g.metaTTL(g.retention(room))
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.link == nil {
		return hub.ErrAway
	}
	if g.reading.Add(1) > maxReads {
		g.reading.Add(-1)
		return hub.ErrBusy
	}
	r.done = func(p hub.LogPage, err error) {
		g.reading.Add(-1)
		done(p, err)
	}
	g.link.reads.Force(r, 0)
	return nil
}

// Subscribe asks for what is published in room.
func (g *Log) Subscribe(room string, number uint64) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if there := g.rooms.subscribe(room, number); there && g.link != nil {
		g.link.confirm(room, number)
	}
}

// Unsubscribe ends that.
func (g *Log) Unsubscribe(room string) { g.rooms.unsubscribe(room) }

// use has requests use l from now on; nil means that the log is away.
func (g *Log) use(l *logLink) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.link = l
	}
}

// Secret returns what all hubs at this Redis share.
func (g *Log) Secret() []byte {
	if secret := g.secret.Load(); secret != nil {
		return *secret
	}
	return nil
}

// Stats returns what was counted since the start.
func (g *Log) Stats() hub.BrokerStats { return g.counts.stats() }

// Close stores and reads what waits, for at most Options.Timeout, and disconnects. It must not be called by the
// receiver or by a done.
func (g *Log) Close() error {
	g.mu.Lock()
	g.closed = true
	g.link = nil
	started := g.started
	g.mu.Unlock()
	g.close()
	if started {
		<-g.done
	}
	return nil
}
