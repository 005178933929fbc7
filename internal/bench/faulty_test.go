package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// relay is a server that passes messages on, and of which a test can have what it likes go wrong. It writes to one
// connection after the other, whoever publishes.
type relay struct {
	// immutable
	url  string
	echo bool                           // senders get their own messages too
	pass func(n int, m []byte) [][]byte // what takes the place of the n-th message; nil: the message
	last int                            // the number of messages after which all connections but the sender's end; 0: none

	// guarded by mu
	mu     sync.Mutex
	rooms  map[string]map[*websocket.Conn]bool
	n      int
	sender *websocket.Conn // of the message that is being passed on
}

// startRelay starts r, which the end of the test ends.
func startRelay(t *testing.T, r *relay) *relay {
	t.Helper()
	r.rooms = map[string]map[*websocket.Conn]bool{}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	c, err := websocket.Accept(w, request, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	room := request.URL.Query().Get("room")
	r.mu.Lock()
	if r.rooms[room] == nil {
		r.rooms[room] = map[*websocket.Conn]bool{}
	}
	r.rooms[room][c] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.rooms[room], c)
		r.mu.Unlock()
	}()
	for {
		_, m, err := c.Read(request.Context())
		if err != nil {
			return
		}
		r.publish(request.Context(), c, room, m)
	}
}

func (r *relay) publish(ctx context.Context, from *websocket.Conn, room string, m []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sender = from
	list := [][]byte{m}
	if r.pass != nil {
		list = r.pass(r.n, m)
	}
	r.n++
	for c := range r.rooms[room] {
		if c == from && !r.echo {
			continue
		}
		for _, m := range list {
			_ = c.Write(ctx, websocket.MessageText, m) // it may be about to end
		}
		if r.n == r.last {
			go c.Close(websocket.StatusGoingAway, "") // ends when the client answers
		}
	}
}

// engines are what a generator can run on; on some systems both are the same.
var engines = map[string]bool{"usual engine": false, "goroutines": true}

// test runs a load test that must work.
func runTest(t *testing.T, o Options) *Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFaulty has a server that loses, doubles and swaps messages: exactly that is found out.
func TestFaulty(t *testing.T) {
	for name, goroutines := range engines {
		t.Run(name, func(t *testing.T) {
			var kept []byte
			// The end of the connections says that nothing more comes, so that nobody has to wait for what is lost.
			s := startRelay(t, &relay{last: 100, pass: func(n int, m []byte) [][]byte {
				switch n % 10 {
				case 3:
					return nil
				case 5:
					return [][]byte{m, m}
				case 7:
					kept = m
					return nil
				case 8:
					return [][]byte{m, kept}
				}
				return [][]byte{m}
			}})
			r := runTest(t, Options{Hubs: []string{s.url}, Conns: 6, Rate: 400, Duration: 250 * time.Millisecond,
				Drain: patience, Size: 32, Goroutines: goroutines})
			l := r.Load
			if l.PublishedTotal != 100 || l.Offered != 100 || l.Published != 100 || l.Expected != 500 || l.Latency.Count != 450 {
				t.Errorf("%d offered, %d published, %d expected, %d measured", l.Offered, l.PublishedTotal, l.Expected, l.Latency.Count)
			}
			if l.Lost != 50 || l.Duplicates != 50 || l.OutOfOrder != 50 || l.Delivered != 450 || l.Echoed != 0 || l.Strange != 0 {
				t.Errorf("%d lost, %d doubled, %d out of order, %d delivered, %d echoed, %d strange", l.Lost, l.Duplicates,
					l.OutOfOrder, l.Delivered, l.Echoed, l.Strange)
			}
		})
	}
}

// TestEcho has a server that sends messages to their senders too, which may be meant or not.
func TestEcho(t *testing.T) {
	for _, meant := range []bool{false, true} {
		s := startRelay(t, &relay{echo: true})
		r := runTest(t, Options{Hubs: []string{s.url}, Conns: 3, Publishers: 2, Rate: 200, Duration: 50 * time.Millisecond, Drain: patience,
			Echo: meant})
		l := r.Load
		want := [2]uint64{20, 10}
		if meant {
			want = [2]uint64{30, 0}
		}
		if got := [2]uint64{l.Delivered, l.Echoed}; got != want || l.Lost != 0 {
			t.Errorf("meant %v: delivered and echoed %d, want %d", meant, got, want)
		}
	}
}

// TestStall has a server that stands still for 200 ms: all that was to be sent meanwhile shows that.
func TestStall(t *testing.T) {
	const stall = 200 * time.Millisecond
	s := startRelay(t, &relay{pass: func(n int, m []byte) [][]byte {
		if n == 20 {
			time.Sleep(stall) // it is what this server does
		}
		return [][]byte{m}
	}})
	r := runTest(t, Options{Hubs: []string{s.url}, Conns: 2, Rate: 200, Duration: 500 * time.Millisecond, Drain: patience})
	l := r.Load
	if l.Lost != 0 || l.Latency.Max < stall {
		t.Errorf("%d lost, the slowest took %v", l.Lost, l.Latency.Max)
	}
	// Of 100 messages those of the first 150 ms of the stall, 30, took 50 ms at least; the first of all the whole of it.
	if l.Latency.P99 < stall*9/10 || l.Latency.quantile(.75) < 50*time.Millisecond {
		t.Errorf("p75 %v, p99 %v", l.Latency.quantile(.75), l.Latency.P99)
	}
}

// TestEnded has a server that ends a connection while it is measured, and one that ends all.
func TestEnded(t *testing.T) {
	for name, goroutines := range engines {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			s := startRelay(t, new(relay))
			var closed atomic.Bool
			after := 0
			s.pass = func(n int, m []byte) [][]byte {
				switch {
				case n == 10:
					for c := range s.rooms["live.bench-0"] {
						if c == s.sender {
							continue // of what it has under way nobody could say whether it comes
						}
						go func() { // ends when the client has answered
							_ = c.Close(4008, "")
							closed.Store(true)
						}()
						break
					}
				case closed.Load():
					if after++; after == 20 {
						cancel() // there is enough to see
					}
				}
				return [][]byte{m}
			}
			r, err := Run(ctx, Options{Hubs: []string{s.url}, Conns: 8, Rate: 200, Duration: time.Hour, Drain: patience,
				Goroutines: goroutines})
			if err != nil {
				t.Fatal(err)
			}
			if r.Closed.Count != 1 || r.Closed.Codes["4008"] != 1 || len(r.Warnings) == 0 {
				t.Errorf("ended %+v, warnings %q", r.Closed, r.Warnings)
			}
			// One lacks what was published since, and nobody else lacks anything.
			l := r.Load
			if l.Lost < 20 || l.Lost > l.PublishedTotal || l.Duplicates+l.OutOfOrder+l.Strange > 0 || l.Delivered+l.Lost != l.Expected {
				t.Errorf("of %d %d lost, %d doubled", l.PublishedTotal, l.Lost, l.Duplicates)
			}
		})
	}
	s := startRelay(t, new(relay))
	s.pass = func(_ int, m []byte) [][]byte {
		for c := range s.rooms["live.bench-0"] {
			_ = c.CloseNow() // the first of two messages did that perhaps
		}
		return nil
	}
	_, err := Run(t.Context(), Options{Hubs: []string{s.url}, Conns: 3, Rate: 400, Duration: time.Hour})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "all connections ended") {
		t.Errorf("error %v", err)
	}
}
