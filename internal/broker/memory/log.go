package memory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxReads is how many reads of one log may wait for being answered.
const maxReads = 1 << 16

// LogOptions is how logs are set up. All may be left out.
type LogOptions struct {
	// QueueBytes is the most that waits for one receiver, and the most messages of one log whose answers wait. 0 means
	// DefaultQueueBytes.
	QueueBytes int

	Retention func(room string) hub.Retention // default: the defaults of hub, for all rooms
	KeyTTL    time.Duration                   // how long a key is remembered; default: hub.DefaultKeyTTL
}

// Logs keeps the log rooms of one process: what Redis is for several. Each hub gets a Log of its own from it. An epoch
// lasts as long as its room, as nothing is ever lost from the end; all is gone with the process.
//
// It owns no goroutine. What has expired is thrown away when somebody next asks for anything, in any room. Its methods
// may be called by several goroutines at once.
type Logs struct {
	// immutable
	opts   LogOptions
	secret []byte // see hub.Log
	made   time.Time
	seeds  [2]maphash.Seed // of keyHash

	mu          sync.Mutex
	rooms       map[string]*room           // guarded by mu: those with a log
	expiring    expiring                   // guarded by mu: the same, soonest first
	subscribers map[string][]*subscription // guarded by mu: of rooms with a log or without
}

// subscription is one log's wish to hear of a room.
type subscription struct {
	log    *Log
	missed bool // the receiver is about to be told that it missed something
}

// NewLogs returns logs of no rooms.
func NewLogs(opts LogOptions) *Logs {
	if opts.QueueBytes <= 0 {
		opts.QueueBytes = DefaultQueueBytes
	}
	if opts.KeyTTL <= 0 {
		opts.KeyTTL = hub.DefaultKeyTTL
	}
	return &Logs{
		opts: opts, secret: []byte(rand.Text()), made: time.Now(), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		rooms: map[string]*room{}, subscribers: map[string][]*subscription{},
	}
}

// retention returns that of a room, with what was left out.
func (s *Logs) retention(room string) hub.Retention {
	r := hub.Retention{History: hub.DefaultHistory, TTL: hub.DefaultTTL}
	if s.opts.Retention == nil {
		return r
	}
	asked := s.opts.Retention(room)
	if asked.History > 0 {
		r.History = asked.History
	}
	if asked.TTL > 0 {
		r.TTL = asked.TTL
	}
	return r
}

// Log is what one hub has of the logs; see hub.Log. It owns two goroutines from Start until Close, which waits for
// them: one calls the receiver, one calls what waits for an answer.
type Log struct {
	// immutable
	logs    *Logs
	events  *queue.Queue[event]  // from all that append in a room that is subscribed to the receiver's goroutine
	answers *queue.Queue[func()] // from Append and Read to the answering goroutine; bounded by waiting and reading
	closing chan struct{}        // closed by the first Close; received by both goroutines
	loops   sync.WaitGroup       // both goroutines

	waiting  atomic.Int64  // bytes of appends that are not answered
	reading  atomic.Int64  // reads that are not answered
	overflow atomic.Uint64 // entries that events had no room for

	// guarded by logs.mu
	started bool
	closed  bool
}

// event is what the receiver is told of a room: entries, or that it missed some, or else that it is subscribed.
type event struct {
	room    string
	entries []hub.Entry
	missed  *subscription
	number  uint64
}

var _ hub.Log = (*Log)(nil)

// Log returns a log for one more hub.
func (s *Logs) Log() *Log {
	return &Log{
		logs:    s,
		events:  queue.New[event](s.opts.QueueBytes),
		answers: queue.New[func()](0),
		closing: make(chan struct{}),
	}
}

// Start begins to answer. The log is there at once, so it never fails but where it was started or closed before.
func (l *Log) Start(_ context.Context, r hub.LogReceiver) error {
	s := l.logs
	s.mu.Lock()
	if l.started || l.closed {
		s.mu.Unlock()
		return errors.New("start the log: it was started or closed before")
	}
	l.started = true
	s.mu.Unlock()

	r.SetAway(false, nil) // before the goroutines run: the receiver is called by one at a time

	s.mu.Lock()
	defer s.mu.Unlock()
	if l.closed {
		return nil
	}
	// Both end at Close, which waits for them.
	l.loops.Go(func() { l.tell(r) })
	l.loops.Go(l.answer)
	return nil
}

// tell calls the receiver until Close.
func (l *Log) tell(r hub.LogReceiver) {
	var taken []event
	for {
		select {
		case <-l.closing:
			return
		case <-l.events.Ready():
		}
		taken = l.events.Take(taken)
		for _, e := range taken {
			switch {
			case e.entries != nil:
				r.Published(e.room, e.entries)
			case e.missed != nil:
				l.logs.mu.Lock()
				e.missed.missed = false
				l.logs.mu.Unlock()
				r.Missed(e.room)
			default:
				r.Subscribed(e.room, e.number)
			}
		}
	}
}

// answer calls what waits for an answer, until Close and all of it is answered.
func (l *Log) answer() {
	var taken []func()
	for closing := false; ; {
		select {
		case <-l.closing:
			closing = true // and nothing is put any more
		case <-l.answers.Ready():
		}
		taken = l.answers.Take(taken)
		for _, done := range taken {
			done()
		}
		if closing {
			return
		}
	}
}

// Append stores m and hands it to all that subscribe to its room.
func (l *Log) Append(m *protocol.Message, done func(hub.Appended, error)) error {
	if !strings.HasPrefix(m.ID, m.From.ID+"/") {
		return fmt.Errorf("append message %q: it is not of %q", m.ID, m.From.ID)
	}
	size := int64(hub.MessageSize(m))
	s := l.logs
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.started || l.closed {
		return hub.ErrAway
	}
	if all := l.waiting.Add(size); all > int64(s.opts.QueueBytes) && all != size {
		l.waiting.Add(-size)
		return hub.ErrBusy
	}
	a := s.append(m)
	l.answers.Force(func() {
		l.waiting.Add(-size)
		done(a, nil)
	}, 0)
	return nil
}

// append is Append with mu held.
func (s *Logs) append(m *protocol.Message) hub.Appended {
	now := time.Now()
	s.expire(now)
	retention := s.retention(m.Room)
	r := s.room(m.Room, now, retention)
	age := now.Sub(s.made)
	r.expireKeys(age)
	key := s.hash(m)
	if offset, known := r.keys[key]; known {
		return hub.Appended{At: hub.Position{Epoch: r.epoch, Offset: offset}, Duplicate: true, Epoch: r.epoch}
	}
	e := r.push(m, retention.History)
	r.remember(key, e.At.Offset, age+s.opts.KeyTTL)
	s.refresh(r, now, retention, true)
	for _, sub := range s.subscribers[m.Room] {
		sub.publish(e)
	}
	return hub.Appended{At: e.At, Epoch: r.epoch}
}

// publish hands e to the subscriber, or has it told, once until it was, that it missed something.
func (sub *subscription) publish(e hub.Entry) {
	room, l := e.Message.Room, sub.log
	if l.events.Put(event{room: room, entries: []hub.Entry{e}}, hub.MessageSize(e.Message)) {
		return
	}
	l.overflow.Add(1)
	if !sub.missed {
		sub.missed = true
		l.events.Force(event{room: room, missed: sub}, 0)
	}
}

// Read reads what follows after.
func (l *Log) Read(room string, after hub.Position, limit int, keep bool, done func(hub.LogPage, error)) error {
	s := l.logs
	s.mu.Lock()
	defer s.mu.Unlock()
	if !l.started || l.closed {
		return hub.ErrAway
	}
	if l.reading.Add(1) > maxReads {
		l.reading.Add(-1)
		return hub.ErrBusy
	}
	page := s.read(room, after, max(1, limit), keep)
	l.answers.Force(func() {
		l.reading.Add(-1)
		done(page, nil)
	}, 0)
	return nil
}

// read is Read with mu held.
func (s *Logs) read(name string, after hub.Position, limit int, keep bool) hub.LogPage {
	now := time.Now()
	s.expire(now)
	r := s.rooms[name]
	switch {
	case keep:
		retention := s.retention(name)
		r = s.room(name, now, retention)
		s.refresh(r, now, retention, false)
	case r == nil && after.Epoch == "":
		return hub.LogPage{Status: hub.LogEmpty}
	case r == nil:
		return hub.LogPage{Status: hub.LogReset}
	}
	return r.page(after, limit)
}

// Subscribe has the receiver hear of room.
func (l *Log) Subscribe(room string, number uint64) {
	l.Unsubscribe(room)
	s := l.logs
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.closed {
		return
	}
	s.subscribers[room] = append(s.subscribers[room], &subscription{log: l})
	l.events.Force(event{room: room, number: number}, 0)
}

// Unsubscribe ends that.
func (l *Log) Unsubscribe(room string) {
	s := l.logs
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsubscribe(l, room)
}

// Secret returns what the hubs of these logs share.
func (l *Log) Secret() []byte { return l.logs.secret }

// Stats returns what was counted since the start.
func (l *Log) Stats() hub.BrokerStats {
	dropped := map[hub.DropReason]uint64{}
	if n := l.overflow.Load(); n > 0 {
		dropped[hub.DropBrokerQueue] = n
	}
	return hub.BrokerStats{Dropped: dropped}
}

// Close answers what waits, and returns when nobody is called any more. It must not be called by the receiver or by a
// done.
func (l *Log) Close() error {
	s := l.logs
	s.mu.Lock()
	if !l.closed {
		l.closed = true
		for room := range s.subscribers {
			s.unsubscribe(l, room)
		}
		close(l.closing)
	}
	s.mu.Unlock()
	l.loops.Wait()
	return nil
}
