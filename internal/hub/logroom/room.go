package logroom

import (
	"fmt"
	"time"
)

// Options bounds what a room holds. Zero fields get the defaults.
type Options struct {
	Ring        int           // entries kept to replay from; 256
	RingBytes   int           // the same in bytes; 1 MiB
	Buffer      int           // live entries that wait during a catch-up; 1024
	BufferBytes int           // the same in bytes; 1 MiB
	Page        int           // entries asked for, and replayed, at once; 256
	Portion     int           // bytes replayed at once, but for one entry; 256 KiB
	Marks       int           // messages shown of which it is remembered to whom; 65536
	Patience    time.Duration // how long the copy of what the log has may be on its way before it is read; 2 s
	MaxAge      time.Duration // longest that the outbox keeps a message, H in the contract; 10 min
}

// Room is what one hub knows of one log room. It is used by one goroutine at a time. The zero Room is not usable.
type Room struct {
	// immutable
	options Options
	budget  *Budget
	off     rule // switched off by tests

	// The log as this hub saw it. The cursor is what was delivered here; forks and epoch are those of the last page
	// read, and newer than the cursor where a catch-up was cut.
	cursor Position // zero while nothing was read
	forks  Forks
	epoch  string // the newest
	ring   ring
	floor  uint64 // the offset before the oldest entry that the log had; 0 where that is not known

	// Catch-up: from a trigger until the cursor is at the log's end, or until the connection is lost.
	isolated   bool
	subscribed bool
	number     uint64 // of the last Subscribe
	running    bool
	awaited    uint64   // the request whose answer goes on with it
	from       Position // where it reads from
	again      bool     // another one is to follow
	runs       uint64   // catch-ups begun
	buffer     []Entry  // live entries that came meanwhile
	buffered   int      // bytes of them

	// What the log has and was not handed over yet.
	owed   uint64        // an offset; at or behind the cursor for nothing
	owedBy time.Duration // when it is read

	// Subscribers.
	subs      []*subscriber // in no order; each knows its index
	bySession map[Session]*subscriber
	publisher map[string]*subscriber // by publisher
	joined    uint64                 // how many have come so far
	behind    int                    // subscribers that are not live
	recalls   int                    // subscribers that are live and wait for history
	recalling recollection           // what is read for them
	pages     map[uint64]*subscriber // by the request that one waits for; some have gone, or wait no more
	marks     marks

	// Publications.
	synced    bool             // caught up since the hub was last connected
	published uint64           // how many there were so far
	inflight  []inflight       // in the order of their requests
	outbox    []*kept          // oldest first
	kept      map[string]*kept // the same by the message's id
	flushing  uint64           // the request that appends outbox[0]; 0 for none

	// The step under way.
	now     time.Duration
	request uint64 // the last number given to a request
	effects []Effect
}

// New returns a room without sessions, isolated until it is told to be connected.
func New(o Options, b *Budget) *Room {
	o.Ring = orDefault(o.Ring, 256)
	o.RingBytes = orDefault(o.RingBytes, 1<<20)
	o.Buffer = orDefault(o.Buffer, 1024)
	o.BufferBytes = orDefault(o.BufferBytes, 1<<20)
	o.Page = orDefault(o.Page, 256)
	o.Portion = orDefault(o.Portion, 256<<10)
	o.Marks = orDefault(o.Marks, 1<<16)
	o.Patience = orDefault(o.Patience, 2*time.Second)
	o.MaxAge = orDefault(o.MaxAge, 10*time.Minute)
	return &Room{
		options: o, budget: b, isolated: true,
		ring:      ring{limit: o.Ring, limitBytes: o.RingBytes},
		bySession: make(map[Session]*subscriber), publisher: make(map[string]*subscriber),
		pages: make(map[uint64]*subscriber), kept: make(map[string]*kept),
	}
}

func orDefault[T int | time.Duration](n, byDefault T) T {
	if n <= 0 {
		return byDefault
	}
	return n
}

// Step takes one event that happens at now, on any clock that does not go back, and appends what is to be done to
// effects, in order.
func (r *Room) Step(now time.Duration, e Event, effects []Effect) []Effect {
	r.now, r.effects = now, effects
	switch e := e.(type) {
	case Join:
		r.join(e)
	case Leave:
		r.leave(e.Session)
	case Ready:
		r.ready(e.Session)
	case Publish:
		r.publish(e)
	case Subscribed:
		r.confirmed(e.Number)
	case Unsubscribed:
		r.subscribed = false
		r.abandon()
	case Published:
		for _, entry := range e.Entries {
			r.live(entry)
		}
	case Read:
		r.read(e)
	case ReadFailed:
		r.readFailed(e.Request)
	case Appended:
		r.appended(e)
	case AppendFailed:
		r.appendFailed(e)
	case Isolated:
		r.cutOff()
	case Connected:
		r.connected()
	case Top:
		r.check(e)
	case Tick:
		r.tick()
	default:
		panic(fmt.Sprintf("logroom: unknown event %T", e))
	}
	effects, r.effects = r.effects, nil
	return effects
}

// Idle reports whether the room holds nothing that would be missed: it may then be dropped, and made anew when
// needed.
func (r *Room) Idle() bool { return len(r.subs) == 0 && len(r.inflight) == 0 && len(r.outbox) == 0 }

// Position returns what was delivered here; zero where nothing is known.
func (r *Room) Position() Position { return r.cursor }

func (r *Room) do(e Effect) { r.effects = append(r.effects, e) }

// ask returns the number of a new request.
func (r *Room) ask() uint64 {
	r.request++
	return r.request
}

// cutOff ends all that waits for an answer: none comes.
func (r *Room) cutOff() {
	r.isolated, r.subscribed, r.synced, r.owed = true, false, false, 0
	r.abandon()
	r.recalling = recollection{}
	for _, s := range r.pages {
		s.request = 0
	}
	clear(r.pages)
	r.flushing = 0
	r.abandonAppends()
	if r.holds(ruleShow) {
		for _, k := range r.outbox {
			r.show(k)
		}
	}
}

// connected goes on where the room was cut off. A room with listeners waits for its subscription, and catches up
// first.
func (r *Room) connected() {
	if !r.isolated {
		return
	}
	r.isolated = false
	r.catchUp() // where the subscription was confirmed first
	r.flush()
}

// tick does what waited for time to pass.
func (r *Room) tick() {
	if r.again && !r.running {
		r.catchUp()
	}
	r.overdue()
	r.goOn()
	r.flush()
}
