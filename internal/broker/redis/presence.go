package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const (
	// defaultLife is how long a hub that is not heard of counts as alive. One that dies is noticed after that and at most
	// two beats more, which are a quarter of it: within ten seconds.
	defaultLife = 6 * time.Second

	// claimAge is how long a claim may wait until it is told. A client that comes to another hub meanwhile has been claimed
	// there, and would be sent away for good by what this hub says of it later. What is not told leaves a session too many.
	claimAge = time.Second

	// pagesMost is how many requests for pages wait at most.
	pagesMost = 1 << 10
)

// PresenceOptions is how a presence is set up. All but URL may be left out.
type PresenceOptions struct {
	Options

	Life time.Duration // how long a hub that is not heard of counts as alive; default: 6 s
}

// Presence tells the hubs at one Redis who is in which room on which of them; see hub.Presence, and doc.go for what is
// kept at Redis. It has connections of its own, which live and end together: one for scripts, and one on which Redis
// sends what changes.
//
// A presence owns one goroutine from Start until Close, which waits for it, and alone calls the receiver but for
// Everyone. Each life of its connections has one goroutine that runs the scripts, one that reads what changes, and a
// probe.
type Presence struct {
	// immutable
	server
	opts    PresenceOptions
	log     *slog.Logger
	closing context.Context // done at the first Close
	close   context.CancelFunc
	done    chan struct{} // closed by the presence's goroutine when it ends; received by each Close
	idle    chan struct{} // one slot: somebody was claimed while Redis was away; from Claim to the presence's goroutine

	// immutable after Start
	own      hub.HubID
	most     int
	receiver hub.PresenceReceiver

	// owned by the presence's goroutine
	others map[string]*otherHub // by the hub's id: those that live
	serial uint64               // of the last entry that was read
	sent   []string             // claims that the receiver has not been told of yet: see claimed

	mu      sync.Mutex
	link    *presenceLink          // nil while away; guarded by mu
	dead    map[string]string      // registrations whose hubs are dead, and what hubs had of them; guarded by mu
	rooms   map[string]*watched    // guarded by mu
	pending map[string]*roomUpdate // what is to be told, by room; nil while away; guarded by mu
	claims  []claim                // that are to be told, the oldest first; guarded by mu
	started bool                   // guarded by mu
	closed  bool                   // guarded by mu
}

// claim is one that is to be told.
type claim struct {
	client string
	made   time.Time
}

// otherHub is another hub that lives.
type otherHub struct {
	hub.HubID
	registration string
	value        string    // what hubs had of it
	heard        time.Time // when that changed
}

// watched is a room that the receiver wants to know of.
type watched struct {
	loads  int      // that are asked for, and not answered
	since  changeID // what was loaded last has all up to this change
	buffer []change // what came while a load was under way
}

// load is a question for who is in a room, for as long as that is watched without a break.
type load struct {
	room string
	of   *watched
}

// roomUpdate is what is to be told of a room.
type roomUpdate struct {
	count  int
	people map[string]hub.PersonChange // by id: the newest of each
}

var _ hub.Presence = (*Presence)(nil)

// NewPresence returns a presence that is not connected yet. Its errors are those of New.
func NewPresence(opts PresenceOptions) (*Presence, error) {
	opts.Options = opts.Options.withDefaults()
	opts.Life = orDefault(opts.Life, defaultLife)
	server, err := newServer(opts.Options, hubRights)
	if err != nil {
		return nil, err
	}
	closing, closeAll := context.WithCancel(context.Background())
	return &Presence{
		server: server, opts: opts, log: opts.Log.With("redis", server.endpoint.addr),
		closing: closing, close: closeAll, done: make(chan struct{}),
		idle:   make(chan struct{}, 1),
		others: make(map[string]*otherHub), dead: make(map[string]string), rooms: make(map[string]*watched),
	}, nil
}

// beat is how often a hub says that it lives.
func (p *Presence) beat() time.Duration { return p.opts.Life / 4 }

// Start connects. See hub.Presence for what it returns; the error says what Redis said, and what to do.
func (p *Presence) Start(ctx context.Context, own hub.HubID, most int, r hub.PresenceReceiver) error {
	p.mu.Lock()
	if p.started || p.closed {
		p.mu.Unlock()
		return errors.New("start the presence: it was started or closed before")
	}
	p.started = true
	p.mu.Unlock()

	p.own, p.most, p.receiver = own, most, r
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	l, err := p.connect(ctx)
	switch {
	case ctx.Err() != nil:
		if l != nil {
			l.close()
		}
		err = fmt.Errorf("start the presence: %w", ctx.Err())
	case errors.Is(err, hub.ErrRefused):
	default:
		// Ends at Close, which waits for it.
		go p.run(l, err)
		return nil
	}
	close(p.done)
	return err
}

// Put says that somebody is here.
func (p *Presence) Put(room string, who hub.Person, count int) {
	p.update(room, hub.PersonChange{Person: who}, count)
}

// Remove says that somebody is not any more.
func (p *Presence) Remove(room, id string, count int) {
	p.update(room, hub.PersonChange{Person: hub.Person{ID: id}, Left: true}, count)
}

func (p *Presence) update(room string, c hub.PersonChange, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending == nil {
		return // all of it is asked for when Redis is there
	}
	u := p.pending[room]
	if u == nil {
		u = &roomUpdate{people: make(map[string]hub.PersonChange, 1)}
		p.pending[room] = u
	}
	u.count = count
	u.people[c.ID] = c
	p.link.nudge()
}

// Claim has all hubs be told. While Redis is away it is the receiver's alone.
func (p *Presence) Claim(client string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = append(p.claims, claim{client, time.Now()})
	if p.link != nil {
		p.link.nudge()
		return
	}
	select {
	case p.idle <- struct{}{}:
	default:
	}
}

// Watch has the room be loaded.
func (p *Presence) Watch(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.rooms[room] == nil {
		p.rooms[room] = new(watched)
	}
	if p.link != nil {
		p.load(room)
	}
}

// load has the link read who is in a watched room. It is called with mu held.
func (p *Presence) load(room string) {
	w := p.rooms[room]
	w.loads++
	p.link.loads = append(p.link.loads, load{room, w})
	p.link.nudge()
}

// loadAll has the link read who is in all watched rooms. It is called with mu held.
func (p *Presence) loadAll() {
	for room := range p.rooms {
		p.load(room)
	}
}

// Unwatch ends that.
func (p *Presence) Unwatch(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.rooms, room)
}

// People reads a page from Redis.
func (p *Presence) People(room, after string, limit int, done func(hub.PeoplePage, error)) error {
	return p.ask(page{room: room, after: after, limit: limit, people: done})
}

// Rooms reads a page from Redis.
func (p *Presence) Rooms(after string, limit int, done func(hub.RoomsPage, error)) error {
	return p.ask(page{after: after, limit: limit, rooms: done})
}

func (p *Presence) ask(q page) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link == nil {
		return hub.ErrAway
	}
	if len(p.link.pages) >= pagesMost {
		return hub.ErrBusy
	}
	p.link.pages = append(p.link.pages, q)
	p.link.nudge()
	return nil
}

// Close disconnects. What this hub said stays at Redis until the others notice that it is gone. It must not be called by
// the receiver or by a done.
func (p *Presence) Close() error {
	p.mu.Lock()
	p.closed = true
	started := p.started
	p.mu.Unlock()
	p.close()
	if started {
		<-p.done
	}
	return nil
}

// use has requests go to l from now on; nil means that Redis is away.
func (p *Presence) use(l *presenceLink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link, p.pending = nil, nil
	if l == nil || p.closed {
		return
	}
	p.link = l
	p.pending = make(map[string]*roomUpdate)
	for _, w := range p.rooms {
		*w = watched{}
	}
	p.loadAll()
	l.nudge()
}

// takeClaims takes out at most n of what is to be claimed, and which of these were made before old.
func (p *Presence) takeClaims(n int, old time.Time) (fresh, late []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = min(n, len(p.claims))
	for _, c := range p.claims[:n] {
		if c.made.Before(old) {
			late = append(late, c.client)
		} else {
			fresh = append(fresh, c.client)
		}
	}
	p.claims = p.claims[n:]
	return fresh, late
}

// The keys. One hash tag has them in one slot, so that a script may use them all.
const (
	presenceKeys = "rh:{people}:"
	hubsKey      = presenceKeys + "hubs"    // a hash: registration → time of the last beat, state, id and name of the hub
	changesKey   = presenceKeys + "changes" // a stream: what the hubs say
	serialKey    = presenceKeys + "serial"  // how much that was
)

// roomsKeyOf holds the rooms in which a registration has people, peopleKeyOf those people.
func roomsKeyOf(registration string) string { return presenceKeys + registration + ":in" }
func peopleKeyOf(registration, room string) string {
	return presenceKeys + registration + ":of:" + room
}
