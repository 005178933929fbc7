//go:build !short

package redis

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// listener is a shard that notes which numbers come in each room that somebody is in.
type listener struct {
	hub.Shard // what it has not got is not called

	mu    sync.Mutex
	rooms map[string]*heardRoom // guarded by mu: those that were answered
	moved chan struct{}         // one slot: full after a change; from the hub to the test; never closed
}

// heardRoom is one room.
type heardRoom struct {
	published *atomic.Int64 // how many were published in it; counted before each
	since     int64         // what that was when the client was answered
	numbers   []int64       // that came from then on
}

func newListener() *listener {
	return &listener{rooms: make(map[string]*heardRoom), moved: make(chan struct{}, 1)}
}

func (l *listener) Pace()                                                   {}
func (l *listener) Send(*hub.Session, []byte)                               {}
func (l *listener) Broadcast([]byte)                                        {}
func (l *listener) Ack(*hub.Session, []byte)                                {}
func (l *listener) Announce(string, []byte, *hub.Session, bool)             {}
func (l *listener) Leave(room string, s *hub.Session)                       {}
func (l *listener) Close(s *hub.Session, code protocol.Code, reason string) {}
func (l *listener) Detach(string, *hub.Session)                             {}
func (l *listener) Attach(string, *hub.Session, []byte, func())             {}
func (l *listener) Deliver(hub.Entry, []*hub.Session, bool)                 {}
func (l *listener) Replay(*hub.Session, []hub.Item, []byte, func())         {}
func (l *listener) Show(*protocol.Message, []*hub.Session)                  {}
func (l *listener) Join(room string, s *hub.Session, _ []byte, attached bool) {
	published := s.Handle.(*atomic.Int64)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms[room] = &heardRoom{published: published, since: published.Load()}
	l.wake()
}

func (l *listener) Enqueue(p *hub.Publication, _ *hub.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[p.Room]
	if r == nil {
		return
	}
	n, err := strconv.ParseInt(string(p.Data), 10, 64)
	if err != nil {
		panic(err)
	}
	r.numbers = append(r.numbers, n)
	l.wake()
}

func (l *listener) wake() {
	select {
	case l.moved <- struct{}{}:
	default:
	}
}

// await returns when cond is true, under l.mu.
func (l *listener) await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		l.mu.Lock()
		ok := cond()
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-l.moved:
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// startHub starts a hub at server with the shard l.
func startHub(t *testing.T, server *redistest.Server, name string, l *listener, opts Options) *hub.Hub {
	t.Helper()
	opts.URL, opts.Name = server.URL(), name
	b, _ := newBroker(t, opts)
	h := hub.New(hub.Options{Name: name, Broker: b, AttachTimeout: unhurried})
	h.AddShard(l)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestJoinsWhileAnotherHubPublishes has clients of one hub join hundreds of rooms, one each, and leave them again, while
// another hub publishes in all of them: from its answer on, each gets everything, once and in order.
func TestJoinsWhileAnotherHubPublishes(t *testing.T) {
	t.Parallel()
	const rooms, turns, after = 300, 4, 5
	server := redistest.New(t, redistest.Options{})
	l := newListener()
	from := startHub(t, server, "from", newListener(), Options{})
	to := startHub(t, server, "to", l, Options{Keep: time.Millisecond})
	l.await(t, "the hubs to be joined", func() bool { return !from.Isolated() && !to.Isolated() })

	published := make([]atomic.Int64, rooms)
	name := func(room int) string { return fmt.Sprintf("live.%d", room) }
	publish := func() {
		for room := range rooms {
			n := published[room].Add(1) - 1
			if _, err := from.PublishHTTP(t.Context(), hub.Identity{}, name(room), "", protocol.Text, fmt.Append(nil, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for turn := range turns {
		sessions := make([]*hub.Session, rooms)
		for room := range rooms {
			s := to.NewSession(l, &published[room], false)
			sessions[room] = s
			for _, frame := range []string{`{"type":"hello"}`, fmt.Sprintf(`{"type":"join","room":%q}`, name(room))} {
				if err := s.Receive([]byte(frame), false); err != nil {
					t.Fatal(err)
				}
			}
			if room%20 == 0 {
				publish()
			}
		}
		l.await(t, "an answer to each join", func() bool { return len(l.rooms) == rooms })
		for range after {
			publish()
		}
		l.await(t, "the last of each room", func() bool {
			for _, r := range l.rooms {
				if n := len(r.numbers); n == 0 || r.numbers[n-1] < r.published.Load()-1 {
					return false
				}
			}
			return true
		})
		l.mu.Lock()
		heard := l.rooms
		l.rooms = make(map[string]*heardRoom)
		l.mu.Unlock()
		for room, r := range heard {
			next := r.since
			for _, n := range r.numbers {
				if n < r.since {
					continue // was on its way
				}
				if n != next {
					t.Fatalf("turn %d: in %s came %d, want %d: all from %d on was to come", turn, room, n, next, r.since)
				}
				next++
			}
		}
		for _, s := range sessions {
			s.Closed(false)
		}
		l.await(t, "the end of the subscriptions", func() bool { n, _ := subscriptions(t, server, "to"); l.wake(); return n == 0 })
	}
}
