// Package hub is the core of a HubServer: rooms, sessions, and where each message goes. It decides, and moves no byte.
//
// Its main types are [Hub], [Session], and the interfaces on which it stands: [Broker], which carries messages of live
// rooms to the other hubs, [Log], which keeps those of log rooms, [Presence], which tells the hubs who is on the others,
// and [Shard], which holds the sessions' connections. It knows no network. Whoever has an event calls it, and the work is done on the caller's goroutine; its one goroutine of
// its own, from Start to Close, has time pass.
//
// Each room belongs to a stripe, by the hash of its name. Who is in a room is decided under the stripe's lock, and told
// to the shards under it, so that all of them hear of a room's people in one order. Messages of live rooms take no lock
// here: shards and brokers keep the order of each publisher, and that is all that a live room promises. Of a log room a
// state machine of package logroom decides everything, which is given its events, and whose effects are carried out,
// under the stripe's lock.
//
// Lock order: Hub.status and stripe.mu are never held together. Under either, shards are called, which only put into
// queues, and under stripe.mu log and presence, and of a broker Want and Unwant, which wait for nothing; Publish is called
// under none. lingers.mu is taken under stripe.mu.
package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// stripes is how many locks the rooms share: well above the number of cores, so that two busy rooms rarely meet.
const stripes = 64

// Options is what a hub is made of.
type Options struct {
	Name     string        // shown to people; need not be unique
	Broker   Broker        // required; for live rooms
	Logs     Log           // for log rooms; nil: all rooms are live
	Presence Presence      // for people on other hubs; nil: nobody is told of them
	Log      *slog.Logger  // nil: nothing is logged
	Tokens   Authenticator // nil: no tokens are wanted, and those that come are not looked at

	MaxMessage int // bytes of a message as published; 0: 64 KiB
	MaxRooms   int // rooms that a session may be in; 0: 100
	MaxPeople  int // rooms of more people than this get counts instead of lists; 0: 256

	Linger        time.Duration // how long a client whose connection broke is not told as gone; 0: 5 s
	AttachTimeout time.Duration // longest that a session waits for its room to be there; 0: 1 s

	// Of log rooms.
	Live           func(room string) bool // whether a room is a live room; nil: those named live.*
	Outbox         int                    // bytes kept of messages that are not stored yet; 0: 16 MiB
	OutboxAge      time.Duration          // longest that one is kept; 0: 10 min
	Portion        int                    // bytes of messages that a session is sent at once of what it missed; 0: 128 KiB
	Tick           time.Duration          // how often a room goes on with what failed; 0: 1 s
	CheckInterval  time.Duration          // how often a room is compared with its log, half as much again at most; 0: 20 s
	PublishTimeout time.Duration          // longest that PublishHTTP waits for its outcome; 0: 5 s
}

// Hub is one HubServer process's rooms and sessions. All methods may be called by several goroutines at once, but
// AddShard, which comes before Start.
type Hub struct {
	// immutable after Start
	id       string // random at each start: two hubs of one name are two
	name     string
	broker   Broker
	logs     Log      // nil where all rooms are live
	presence Presence // nil where nobody is told of other hubs' people
	shards   []Shard
	options  Options
	log      *slog.Logger
	seed     maphash.Seed
	started  time.Time // of the clock that rooms go by

	stripes [stripes]stripe
	clients *clients
	lingers lingers

	// of messages that are not stored yet
	outbox *logroom.Budget
	pace   pace

	status   sync.Mutex                 // held while a change of isolated is told, so that each session hears the newest state last
	away     struct{ broker, log bool } // which of them cannot be reached; guarded by status
	isolated atomic.Bool                // either; written under status
	logAway  atomic.Bool                // what rooms that are made now are to know

	stop    context.CancelFunc // ends the clock's goroutine; set by Start
	ticking sync.WaitGroup     // that goroutine

	counts counters
}

type counters struct {
	rooms      atomic.Int64
	websocket  atomic.Uint64
	http       atomic.Uint64
	fromBroker atomic.Uint64
	outboxAge  atomic.Uint64 // messages that the outbox gave up
	resumes    resumes
}

// New returns a hub that has no shards yet.
func New(o Options) *Hub {
	h := &Hub{
		id: rand.Text(), name: o.Name, broker: o.Broker, logs: o.Logs, presence: o.Presence, options: o, log: o.Log, seed: maphash.MakeSeed(),
		started: time.Now(), clients: newClients(), stop: func() {},
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.options.MaxMessage = orDefault(o.MaxMessage, 64<<10)
	h.options.MaxRooms = orDefault(o.MaxRooms, 100)
	h.options.MaxPeople = orDefault(o.MaxPeople, 256)
	if o.Live == nil {
		h.options.Live = func(room string) bool { return strings.HasPrefix(room, "live.") }
	}
	h.options.Linger = orDefault(o.Linger, 5*time.Second)
	h.options.Outbox = orDefault(o.Outbox, 16<<20)
	h.options.Tick = orDefault(o.Tick, time.Second)
	h.options.CheckInterval = orDefault(o.CheckInterval, 20*time.Second)
	h.options.OutboxAge = orDefault(o.OutboxAge, 10*time.Minute)
	h.options.Portion = orDefault(o.Portion, 128<<10)
	h.options.PublishTimeout = orDefault(o.PublishTimeout, 5*time.Second)
	h.options.AttachTimeout = orDefault(o.AttachTimeout, time.Second)
	h.outbox = logroom.NewBudget(h.options.Outbox)
	h.away.broker, h.away.log = true, o.Logs != nil // until they say otherwise
	h.isolated.Store(true)
	h.logAway.Store(true)
	for i := range h.stripes {
		h.stripes[i].rooms = make(map[string]*room)
	}
	return h
}

func orDefault[T int | time.Duration](n, def T) T {
	if n == 0 {
		return def
	}
	return n
}

// AddShard adds a share of the sessions. It must not be called after Start.
func (h *Hub) AddShard(s Shard) { h.shards = append(h.shards, s) }

// Start connects the hub to the others. It returns an error that wraps ErrRefused where broker, log or presence refuses
// the credentials, or ErrNotDurable; where they are merely away that is no error: the hub is then isolated. After an
// error the hub is to be closed.
func (h *Hub) Start(ctx context.Context) error {
	var broker, log, presence error
	var all sync.WaitGroup
	all.Go(func() { broker = h.broker.Start(ctx, receiver{h}) }) // each ends in about a second
	if h.logs != nil {
		all.Go(func() { log = h.logs.Start(ctx, logReceiver{h}) })
	}
	if h.presence != nil {
		all.Go(func() { presence = h.presence.Start(ctx, h.self(), h.options.MaxPeople, presenceReceiver{h}) })
	}
	all.Wait()
	switch {
	case broker != nil:
		return fmt.Errorf("start broker: %w", broker)
	case log != nil:
		return fmt.Errorf("start log: %w", log)
	case presence != nil:
		return fmt.Errorf("start presence: %w", presence)
	}
	var ticking context.Context
	ticking, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.ticking.Go(func() { h.tick(ticking) }) // ends in Close, which waits for it
	return nil
}

// tick has time pass for log rooms, and for those who may be back, until ctx is done.
func (h *Hub) tick(ctx context.Context) {
	rooms, people := time.NewTicker(h.options.Tick), time.NewTicker(h.options.Linger/10)
	defer rooms.Stop()
	defer people.Stop()
	for {
		select {
		case <-rooms.C:
			h.pass()
		case <-people.C:
			h.endLingers()
		case <-ctx.Done():
			return
		}
	}
}

// now is the clock of rooms.
func (h *Hub) now() time.Duration { return time.Since(h.started) }

// closeMost is how long a hub that stops waits for what is to be stored yet.
const closeMost = 2 * time.Second

// Close stores what the hub keeps, where the log is there and that goes without waiting long, and disconnects it from
// the others. The transports are to be shut down before.
func (h *Hub) Close() error {
	h.empty()
	h.stop()
	h.ticking.Wait()
	var presence, log error
	if h.presence != nil {
		presence = h.presence.Close()
	}
	if h.logs != nil {
		log = h.logs.Close()
	}
	return errors.Join(presence, log, h.broker.Close())
}

// empty waits until nothing is kept that could be stored.
func (h *Hub) empty() {
	timer := time.NewTimer(closeMost)
	defer timer.Stop()
	for {
		changed := h.pace.wait()
		if h.outbox.Used() == 0 || h.logAway.Load() {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

// Name returns the hub's name.
func (h *Hub) Name() string { return h.name }

// Own reports whether this hub took p, rather than another.
func (h *Hub) Own(p *Publication) bool { return p.Origin == h.id }

// MaxMessage returns how many bytes a message may have, as published.
func (h *Hub) MaxMessage() int { return h.options.MaxMessage }

// Isolated reports whether the hub cannot reach the other hubs.
func (h *Hub) Isolated() bool { return h.isolated.Load() }

// Stats is what a hub counted since its start.
type Stats struct {
	Rooms    int               // rooms with at least one session, now
	Received map[string]uint64 // messages taken, by source: websocket, http, broker
	Resumes  map[string]uint64 // of log rooms, by result: resumed, orphans, reset
	Broker   BrokerStats       // of broker and log together; RTT is the broker's
}

// Stats returns what was counted.
func (h *Hub) Stats() Stats {
	broker := h.broker.Stats()
	broker.Dropped = maps.Clone(broker.Dropped)
	if broker.Dropped == nil {
		broker.Dropped = make(map[DropReason]uint64)
	}
	broker.Dropped[DropOutboxAge] = h.counts.outboxAge.Load()
	if h.logs != nil {
		log := h.logs.Stats()
		broker.Reconnects += log.Reconnects
		for why, n := range log.Dropped {
			broker.Dropped[why] += n
		}
	}
	return Stats{
		Rooms: int(h.counts.rooms.Load()),
		Received: map[string]uint64{
			"websocket": h.counts.websocket.Load(),
			"http":      h.counts.http.Load(),
			"broker":    h.counts.fromBroker.Load(),
		},
		Resumes: map[string]uint64{
			resumed.String():  h.counts.resumes.resumed.Load(),
			orphaned.String(): h.counts.resumes.orphans.Load(),
			wasReset.String(): h.counts.resumes.reset.Load(),
		},
		Broker: broker,
	}
}

// receiver is the side of the hub that its broker sees.
type receiver struct{ *Hub }

// Deliver passes on what other hubs published, and drops what this one did: its sessions have it already. Nothing is
// published again, so a message goes to the broker once, on the hub that took it.
func (r receiver) Deliver(ps []*Publication) {
	for _, p := range ps {
		if r.Own(p) {
			continue
		}
		r.counts.fromBroker.Add(1)
		r.fanOut(p, nil)
	}
}

// SetIsolated tells the sessions.
func (r receiver) SetIsolated(isolated bool, why error) { r.setIsolated(&r.away.broker, isolated) }

// setIsolated notes whether broker or log cannot be reached, and tells the sessions where the hub's state changes.
func (h *Hub) setIsolated(of *bool, away bool) {
	h.status.Lock()
	defer h.status.Unlock()
	*of = away
	isolated := h.away.broker || h.away.log
	if h.isolated.Swap(isolated) == isolated {
		return
	}
	frame := (&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated}).Encode()
	for _, s := range h.shards {
		s.Broadcast(frame)
	}
}

// publish sends p to the sessions here other than except, and to the other hubs.
func (h *Hub) publish(p *Publication, except *Session) {
	h.fanOut(p, except)
	h.broker.Publish(p)
}

func (h *Hub) fanOut(p *Publication, except *Session) {
	for _, s := range h.shards {
		s.Enqueue(p, except)
	}
}

// publication makes what from publishes now. It keeps data.
func (h *Hub) publication(room, key string, from protocol.Client, kind protocol.Kind, data []byte) *Publication {
	return &Publication{
		Message: protocol.Message{
			Room: room, ID: protocol.MessageID(from.ID, key), From: from, Hub: h.name, Time: time.Now(),
			Kind: kind, Data: data,
		},
		Origin: h.id,
	}
}
