//go:build unix && !short

package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Name returns what a hub is called that was started without a name.
func (h *hub) Name() string {
	_, port, _ := net.SplitHostPort(h.addr)
	return "hub" + port
}

// watcher is a client that keeps to what it is told of the people in a room.
type watcher struct {
	*conn
	room string

	mu    sync.Mutex
	known map[string]protocol.Person // guarded by mu; nil in a crowd
	count int                        // guarded by mu
	left  []string                   // guarded by mu: ids that were told to have left, in order
	news  chan struct{}              // one slot: full after a change; sent by follow, received by await; never closed
}

// watch has a client called "watcher" join room and follow who is there until the test ends.
func watch(t *testing.T, h *hub, room string) *watcher {
	t.Helper()
	w := &watcher{conn: dialV1(t, h, "watcher"), room: room, news: make(chan struct{}, 1)}
	w.sendFrame(&protocol.Frame{Type: protocol.TypeJoin, Room: room})
	go w.follow() // ends with the connection
	w.await(t, "itself", func() bool { return w.count > 0 })
	return w
}

func (w *watcher) follow() {
	for in := range w.in {
		f, err := protocol.DecodeFrame([]byte(in.data))
		if err != nil {
			w.tb.Error(err)
			return
		}
		w.mu.Lock()
		w.take(f)
		w.mu.Unlock()
		select {
		case w.news <- struct{}{}:
		default:
		}
	}
}

// take keeps what a frame tells. It is called with mu held.
func (w *watcher) take(f *protocol.Frame) {
	switch f.Type {
	case protocol.TypeThere:
		was := w.known
		w.known, w.count = nil, *f.Count
		if f.People != nil {
			w.known = make(map[string]protocol.Person)
			for _, p := range f.People {
				w.known[p.ID] = p
			}
			for id := range was {
				if _, there := w.known[id]; !there {
					w.left = append(w.left, id)
				}
			}
		}
	case protocol.TypeJoined, protocol.TypeUpdated:
		w.known[f.Person.ID], w.count = *f.Person, *f.Count
	case protocol.TypeLeft:
		delete(w.known, f.Person.ID)
		w.left, w.count = append(w.left, f.Person.ID), *f.Count
	}
}

// await waits until cond, which is called with mu held, holds, and returns how long that took.
func (w *watcher) await(t *testing.T, what string, cond func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		ok := cond()
		known, count := maps.Clone(w.known), w.count
		w.mu.Unlock()
		if ok {
			return time.Since(began)
		}
		select {
		case <-w.news:
		case <-deadline:
			t.Fatalf("waited for %s; told of %d: %v", what, count, known)
		}
	}
}

// at returns on which hub a client is said to be.
func (w *watcher) at(id string) string { return w.known[id].Hub }

// leavers returns how many were told to have left.
func (w *watcher) leavers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.left)
}

// guest is a client that comes and goes.
type guest struct {
	*conn
	creds *protocol.Credentials
	name  string
	hub   int
}

// come has the guest join room on a hub, as who it was before, if it was there before.
func (g *guest) come(t *testing.T, h *hub, room string) {
	t.Helper()
	g.conn = dial(t, h.WS(), protocol.SubprotocolV1)
	g.sendFrame(&protocol.Frame{Type: protocol.TypeHello, Name: g.name, Client: g.creds})
	welcome := g.expect(protocol.TypeWelcome)
	if g.creds != nil && welcome.Client.ID != g.creds.ID {
		t.Errorf("%s came back as %s", g.creds.ID, welcome.Client.ID)
	}
	g.creds = welcome.Client
	g.expect(protocol.TypeStatus)
	g.sendFrame(&protocol.Frame{Type: protocol.TypeJoin, Room: room})
	g.expect(protocol.TypeThere)
}

// TestPeopleOverHubs has somebody come on one hub, be reloaded, go over to another, and leave: those on all hubs are told
// the same, and nothing of the reload.
func TestPeopleOverHubs(t *testing.T) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	const room = "people"
	a, b := watch(t, hubs[0], room), watch(t, hubs[1], room)
	for _, w := range []*watcher{a, b} {
		w.await(t, "the other", func() bool { return w.count == 2 })
	}
	ada := &guest{name: "Ada"}
	ada.come(t, hubs[0], room)
	id := ada.creds.ID
	took := b.await(t, "Ada", func() bool { return b.known[id] == protocol.Person{ID: id, Name: "Ada", Hub: hubs[0].Name()} })
	t.Logf("somebody who comes is seen on the other hub after %v", took)

	ada.ws.CloseNow() // as a page that is reloaded
	ada.come(t, hubs[0], room)
	ada.sendFrame(&protocol.Frame{Type: protocol.TypeHello, Name: "Countess"})
	b.await(t, "the new name", func() bool { return b.known[id].Name == "Countess" })

	ada.ws.CloseNow()
	ada.name = "Ada"
	ada.come(t, hubs[1], room)
	for _, w := range []*watcher{a, b} {
		w.await(t, "the move", func() bool { return w.at(id) == hubs[1].Name() && w.count == 3 })
	}
	if n := a.leavers() + b.leavers(); n > 0 {
		t.Errorf("%d were told to have left", n)
	}
	_ = ada.ws.Close(websocket.StatusNormalClosure, "")
	took = a.await(t, "Ada to leave", func() bool { return len(a.left) == 1 && a.count == 2 })
	t.Logf("somebody who leaves is gone on the other hub after %v", took)
}

// TestPeopleOfKilledHub has a hub of three die: who goes over to another stays, and the rest are gone in time.
func TestPeopleOfKilledHub(t *testing.T) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 3)
	const room = "people"
	a, b := watch(t, hubs[0], room), watch(t, hubs[1], room)
	guests := make([]*guest, 6)
	for i := range guests {
		guests[i] = &guest{name: fmt.Sprint("guest ", i)}
		guests[i].come(t, hubs[2], room)
	}
	for _, w := range []*watcher{a, b} {
		w.await(t, "everybody", func() bool { return w.count == 8 })
	}
	hubs[2].Kill()
	began := time.Now()
	stay := guests[:3]
	for i, g := range stay {
		g.come(t, hubs[i%2], room)
	}
	for _, w := range []*watcher{a, b} {
		w.await(t, "who did not come back to be gone", func() bool { return w.count == 5 })
	}
	took := time.Since(began)
	t.Logf("who was on a hub that died was gone after %v", took)
	if took > 20*time.Second {
		t.Errorf("it took %v, and is to take 10s", took)
	}
	for i, g := range stay {
		a.await(t, "who came back", func() bool { return a.at(g.creds.ID) == hubs[i%2].Name() })
		a.mu.Lock()
		if slices.Contains(a.left, g.creds.ID) {
			t.Errorf("%s went over to another hub and was told to have left", g.name)
		}
		a.mu.Unlock()
	}
}

// TestPeopleWithoutRedis kills Redis, which comes back empty, while people come and go: nobody who stays is told to have
// left, and afterwards all are told the truth.
func TestPeopleWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 2)
	const room = "live.people"
	a, b := watch(t, hubs[0], room), watch(t, hubs[1], room)
	stays, goes := &guest{name: "stays"}, &guest{name: "goes"}
	stays.come(t, hubs[0], room)
	goes.come(t, hubs[0], room)
	for _, w := range []*watcher{a, b} {
		w.await(t, "everybody", func() bool { return w.count == 4 })
	}
	redis.Kill()
	hubs[0].waitIsolated(true)
	_ = goes.ws.Close(websocket.StatusNormalClosure, "")
	a.await(t, "who left to be gone on its own hub", func() bool { return a.count == 3 })
	comes := &guest{name: "comes"}
	comes.come(t, hubs[0], room)
	redis.Start()
	b.await(t, "what happened meanwhile", func() bool {
		_, left := b.known[goes.creds.ID]
		return b.at(comes.creds.ID) == hubs[0].Name() && !left && b.count == 4
	})
	for _, w := range []*watcher{a, b} {
		w.mu.Lock()
		if !slices.Equal(w.left, []string{goes.creds.ID}) {
			t.Errorf("told to have left: %v, and %s did", w.left, goes.creds.ID)
		}
		w.mu.Unlock()
	}
}

// TestPeopleChurn has guests come, go, break off, move and change their names on three hubs at random, and hubs be
// killed and started again under them: in the end those on each hub are told of who is there, and of nobody else.
func TestPeopleChurn(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 3, "--linger", "500ms", "--presence-timeout", "1500ms")
	const room = "people"
	watchers := []*watcher{watch(t, hubs[0], room), watch(t, hubs[1], room)}
	guests := make([]*guest, 12)
	for i := range guests {
		guests[i] = &guest{hub: -1}
	}
	for n := range 240 {
		if n%80 == 79 {
			hubs[2].Kill()
			for _, g := range guests {
				if g.hub == 2 {
					g.hub = -1
				}
			}
			hubs[2].Restart()
		}
		guests[rng.IntN(len(guests))].step(t, hubs, room, rng)
	}
	want := make(map[string]protocol.Person)
	for _, g := range guests {
		if g.hub >= 0 {
			want[g.creds.ID] = protocol.Person{ID: g.creds.ID, Name: g.name, Hub: hubs[g.hub].Name()}
		}
	}
	for i, w := range watchers {
		took := w.await(t, fmt.Sprintf("on hub %d: %v", i, want), func() bool {
			known := maps.Clone(w.known)
			maps.DeleteFunc(known, func(_ string, p protocol.Person) bool { return p.Name == "watcher" })
			return maps.Equal(known, want) && w.count == len(want)+len(watchers)
		})
		t.Logf("hub %d is told the truth after %v: %d people", i, took, len(want))
	}
}

// step has a guest do something that people do.
func (g *guest) step(t *testing.T, hubs []*hub, room string, rng *rand.Rand) {
	t.Helper()
	switch n := rng.IntN(10); {
	case g.hub < 0 || n < 3: // comes, or comes elsewhere
		if g.hub >= 0 && n > 0 {
			g.ws.CloseNow()
		}
		g.name = fmt.Sprint("n", rng.IntN(4))
		g.hub = rng.IntN(len(hubs))
		g.come(t, hubs[g.hub], room)
	case n < 5:
		_ = g.ws.Close(websocket.StatusNormalClosure, "")
		g.hub = -1
	case n < 7:
		g.ws.CloseNow()
		g.hub = -1
	default:
		g.name = fmt.Sprint("m", rng.IntN(4))
		g.sendFrame(&protocol.Frame{Type: protocol.TypeHello, Name: g.name})
	}
}
