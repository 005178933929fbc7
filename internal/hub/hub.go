// Package hub is the core of a HubServer: rooms, sessions, and where each message goes. It decides, and moves no byte.
//
// Its main types are [Hub], [Session], and the two interfaces on which it stands: [Broker], which joins it to the other
// hubs, and [Shard], which holds the sessions' connections. It knows no network and starts no goroutine: whoever has an
// event calls it, and the work is done on the caller's goroutine.
//
// Each room belongs to a stripe, by the hash of its name. Who is in a room is decided under the stripe's lock, and told
// to the shards under it, so that all of them hear of a room's people in one order. Messages of live rooms take no lock
// here: shards and brokers keep the order of each publisher, and that is all that a live room promises.
//
// Lock order: Hub.status and stripe.mu are never held together. Under either, shards are called, which only put into
// queues; brokers are called under none.
package hub

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// stripes is how many locks the rooms share: well above the number of cores, so that two busy rooms rarely meet.
const stripes = 64

// Options is what a hub is made of.
type Options struct {
	Name   string       // shown to people; need not be unique
	Broker Broker       // required
	Log    *slog.Logger // nil: nothing is logged

	MaxMessage int // bytes of a message as published; 0: 64 KiB
	MaxRooms   int // rooms that a session may be in; 0: 100
	MaxPeople  int // rooms of more people than this get counts instead of lists; 0: 256
}

// Hub is one HubServer process's rooms and sessions. All methods may be called by several goroutines at once, but
// AddShard, which comes before Start.
type Hub struct {
	// immutable after Start
	id      string // random at each start: two hubs of one name are two
	name    string
	broker  Broker
	shards  []Shard
	options Options
	log     *slog.Logger
	seed    maphash.Seed

	stripes [stripes]stripe

	status   sync.Mutex  // held while a change of isolated is told, so that each session hears the newest state last
	isolated atomic.Bool // written under status

	counts counters
}

type counters struct {
	rooms      atomic.Int64
	websocket  atomic.Uint64
	http       atomic.Uint64
	fromBroker atomic.Uint64
	keys       atomic.Uint64 // keys made for publications over HTTP that brought none
}

// New returns a hub that has no shards yet.
func New(o Options) *Hub {
	h := &Hub{id: rand.Text(), name: o.Name, broker: o.Broker, options: o, log: o.Log, seed: maphash.MakeSeed()}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.options.MaxMessage = orDefault(o.MaxMessage, 64<<10)
	h.options.MaxRooms = orDefault(o.MaxRooms, 100)
	h.options.MaxPeople = orDefault(o.MaxPeople, 256)
	h.isolated.Store(true) // until the broker says otherwise
	for i := range h.stripes {
		h.stripes[i].rooms = make(map[string]*room)
	}
	return h
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// AddShard adds a share of the sessions. It must not be called after Start.
func (h *Hub) AddShard(s Shard) { h.shards = append(h.shards, s) }

// Start connects the hub to the others. It returns an error that wraps ErrRefused where the broker refuses the
// credentials; a broker that is merely away is no error: the hub is then isolated.
func (h *Hub) Start(ctx context.Context) error {
	if err := h.broker.Start(ctx, receiver{h}); err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	return nil
}

// Close disconnects the hub from the others. The transports are to be shut down before.
func (h *Hub) Close() error { return h.broker.Close() }

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
	Broker   BrokerStats
}

// Stats returns what was counted.
func (h *Hub) Stats() Stats {
	return Stats{
		Rooms: int(h.counts.rooms.Load()),
		Received: map[string]uint64{
			"websocket": h.counts.websocket.Load(),
			"http":      h.counts.http.Load(),
			"broker":    h.counts.fromBroker.Load(),
		},
		Broker: h.broker.Stats(),
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
func (r receiver) SetIsolated(isolated bool, why error) {
	r.status.Lock()
	defer r.status.Unlock()
	if r.isolated.Swap(isolated) == isolated {
		return
	}
	frame := (&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated}).Encode()
	for _, s := range r.shards {
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
