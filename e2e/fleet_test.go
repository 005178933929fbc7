//go:build unix && !short

package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// fleet is hubs on one Redis, and programs with the client of package client, on which a nemesis is let loose. Nothing is
// to be lost. At the end the checker of the log rooms compares what the clients recorded with the logs.
type fleet struct {
	t       *testing.T
	redis   *redistest.Server
	hubs    []*hub // those that are up
	wires   []*wire
	rooms   []string
	clients []*goClient
	pace    time.Duration
	begun   time.Time
}

// quickPresence has people who are gone be told to be so in a part of the usual time.
var quickPresence = []string{"--linger", "500ms", "--presence-timeout", "3s"}

// startFleet starts hubs, with places for more of them, and at each place clients which know all places.
func startFleet(t *testing.T, redis *redistest.Server, hubs, places, clients int) *fleet {
	t.Helper()
	f := &fleet{t: t, redis: redis, rooms: []string{"red", "blue"}, pace: 150 * time.Millisecond}
	if raceDetector {
		f.pace *= 2
	}
	f.hubs = startLogHubs(t, redis, hubs, quickPresence...)
	for i := range places {
		var h *hub
		if i < hubs {
			h = f.hubs[i]
		}
		f.wires = append(f.wires, newWire(t, h))
	}
	f.begun = time.Now()
	for i := range clients {
		at := i % places
		f.clients = append(f.clients, startGoClient(t, fmt.Sprint("go", i), i%4 != 3, f.rooms, slices.Concat(f.wires[at:], f.wires[:at])...))
	}
	// Who publishes where he is not in does not know yet that this is a log room, and would try once.
	for _, c := range f.clients {
		for _, room := range f.rooms {
			c.publish(room)
		}
	}
	return f
}

// load has all clients publish in both rooms.
func (f *fleet) load() {
	for _, c := range f.clients {
		for _, room := range f.rooms {
			c.publishIn(room, f.pace)
		}
	}
}

// waitStored waits until n more messages are stored.
func (f *fleet) waitStored(n int) {
	f.t.Helper()
	stored := func() (sum int) {
		for _, c := range f.clients {
			n, _ := c.progress()
			sum += n
		}
		return sum
	}
	before := stored()
	eventually(f.t, fmt.Sprint(n, " more messages are stored"), func() error {
		if got := stored() - before; got < n {
			return fmt.Errorf("only %d", got)
		}
		return nil
	})
}

// waitSettled waits until all hubs reach Redis, and none keeps a message that is stored nowhere: such a one is lost where
// that hub is killed, as its client gave it up.
func (f *fleet) waitSettled() {
	f.t.Helper()
	for _, h := range f.hubs {
		h.waitIsolated(false)
	}
	eventually(f.t, "no hub keeps anything", func() error {
		for _, c := range f.clients {
			if _, kept := c.progress(); kept > 0 {
				return fmt.Errorf("%d of %s", kept, c.name)
			}
		}
		return nil
	})
}

// waitKept waits until hubs keep so many messages that are not stored.
func (f *fleet) waitKept(n int) {
	f.t.Helper()
	eventually(f.t, fmt.Sprint("hubs keep ", n, " messages"), func() error {
		all := 0
		for _, c := range f.clients {
			_, kept := c.progress()
			all += kept
		}
		if all < n {
			return fmt.Errorf("only %d", all)
		}
		return nil
	})
}

// waitConnected waits until all clients are connected, and returns how long that took.
func (f *fleet) waitConnected() time.Duration {
	f.t.Helper()
	since := time.Now()
	eventually(f.t, "all clients are connected", func() error {
		for _, c := range f.clients {
			if !c.client.Connected() {
				return fmt.Errorf("%s is not", c.name)
			}
		}
		return nil
	})
	return time.Since(since)
}

// killHub kills a hub as kill -9 does, and waits until its clients are elsewhere and all go on.
func (f *fleet) killHub(h *hub) {
	f.t.Helper()
	f.lose(h)
	f.waitStored(len(f.clients))
	took := f.waitConnected()
	f.t.Logf("%s killed: all are connected %v later", h.Addr(), took.Round(time.Millisecond))
}

// lose kills a hub as kill -9 does.
func (f *fleet) lose(h *hub) {
	h.Kill()
	f.hubs = slices.DeleteFunc(slices.Clone(f.hubs), func(o *hub) bool { return o == h })
}

// restart starts a hub again.
func (f *fleet) restart(h *hub) {
	f.t.Helper()
	h.Restart()
	f.hubs = append(f.hubs, h)
	h.waitIsolated(false)
}

// add starts another hub, at the first place that is empty.
func (f *fleet) add(place int) *hub {
	f.t.Helper()
	h := startLogHubs(f.t, f.redis, 1, quickPresence...)[0]
	f.wires[place].lead(h)
	f.hubs = append(f.hubs, h)
	return h
}

// waitPeople waits until all who read know of each other, on hubs that are up.
func (f *fleet) waitPeople() {
	f.t.Helper()
	var want []string
	up := map[string]bool{}
	for _, h := range f.hubs {
		up[h.Ready().Hub] = true
	}
	for _, c := range f.clients {
		if c.reads {
			want = append(want, c.name)
		}
	}
	slices.Sort(want)
	eventually(f.t, "all know who is there", func() error {
		for _, c := range f.clients {
			for _, room := range c.rooms {
				var got []string
				people := room.People()
				for _, p := range people.List {
					if got = append(got, p.Name); !up[p.Hub] {
						return fmt.Errorf("%s: %s is on %s, which is no more", c.name, p.Name, p.Hub)
					}
				}
				if slices.Sort(got); !slices.Equal(got, want) || people.Count != len(want) {
					return fmt.Errorf("%s: in %s are %d: %v", c.name, room.Name(), people.Count, got)
				}
			}
		}
		return nil
	})
}

// finish ends the load, waits until all has come to rest, reads the logs, and judges.
func (f *fleet) finish() figures {
	f.t.Helper()
	for _, c := range f.clients {
		c.finish()
	}
	f.waitSettled()
	k := &logChecker{logs: map[string][]stored{}}
	var sum figures
	for _, room := range f.rooms {
		for i, h := range f.hubs {
			log := h.awaitRoom(f.t, room)
			if i == 0 {
				k.logs[room] = log
				sum.entries += len(log)
			} else if !slices.Equal(log, k.logs[room]) {
				f.t.Errorf("hubs read different logs of %s: %d entries and %d", room, len(k.logs[room]), len(log))
			}
		}
	}
	eventually(f.t, "all have everything", func() (wrong error) {
		for room, log := range k.logs {
			for _, c := range f.clients {
				wrong = cmp.Or(wrong, c.rest(room, uint64(len(log))))
			}
		}
		return wrong
	})
	f.waitPeople()
	for _, c := range f.clients {
		c.drain(k.logs)
		c.leave()
		k.records = append(k.records, &c.rec)
		sum.count(&c.rec)
	}
	k.check(f.t)
	f.t.Logf("%v, %d hubs, %d clients: %v", time.Since(f.begun).Round(time.Millisecond), len(f.hubs), len(f.clients), sum)
	if sum.orphans+sum.resets > 0 {
		f.t.Errorf("%d orphan reports and %d resets, and nothing was lost", sum.orphans, sum.resets)
	}
	return sum
}

// TestClientsGoOver kills three hubs one after the other and starts them again, adds two, and takes one away in order,
// while many clients publish and read: they go over by themselves, and nothing is lost or doubled, all in order.
func TestClientsGoOver(t *testing.T) {
	f := startFleet(t, startLogRedis(t), 3, 5, 32)
	f.load()
	f.waitStored(400)
	for _, h := range slices.Clone(f.hubs) {
		f.killHub(h)
		f.restart(h)
		f.waitStored(200)
	}
	f.add(3)
	fifth := f.add(4)
	f.killHub(f.hubs[0])
	f.killHub(f.hubs[0])
	f.waitStored(200)
	f.waitSettled()
	fifth.Stop()
	f.hubs = slices.DeleteFunc(f.hubs, func(h *hub) bool { return h == fifth })
	f.waitStored(200)
	sum := f.finish()
	if sum.resumes < 100 {
		t.Errorf("only %d resumes", sum.resumes)
	}
}

// TestGoClientNemesis does to programs with the client of package client what the other nemeses do to clients that are
// made for the test: hubs and Redis are killed, connections are cut between clients and hubs and between hubs and Redis.
func TestGoClientNemesis(t *testing.T) {
	redis := startLogRedis(t, durable...)
	f := startFleet(t, redis, 3, 3, 24)
	f.load()
	f.waitStored(200)
	for range 2 {
		h := f.hubs[0]
		f.killHub(h)
		f.restart(h)
		h = f.hubs[0]
		for range 5 {
			for _, w := range f.wires {
				w.cut()
				f.waitStored(10)
			}
		}
		redis.Kill()
		for _, h := range f.hubs {
			h.waitIsolated(true)
		}
		f.waitKept(20)
		f.lose(h) // with what it kept, which its clients keep as well
		redis.Start()
		f.waitStored(100)
		f.restart(h)
	}
	for i := range 20 {
		redis.Do("CLIENT", "KILL", "TYPE", []string{"pubsub", "normal"}[i%2])
		f.waitStored(20)
	}
	redis.Kill() // too short for some to notice
	redis.Start()
	f.waitStored(100)
	f.waitConnected()
	if sum := f.finish(); sum.provisional == 0 || sum.cuts < 100 {
		t.Errorf("%d shown without a position, %d cuts", sum.provisional, sum.cuts)
	}
}
