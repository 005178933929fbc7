package logroom_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// config is how large a run is and how rough. Everything is small, so that every bound is met.
type config struct {
	seed                        uint64
	hubs, rooms, clients        int
	duration                    time.Duration
	latency, lag, check         time.Duration
	slow, late, doubles, errors int // per cent

	ring, buffer, page, marks int
	outbox, least             int // bytes
	batch, queue, shown       int

	history                       int
	streamLife, metaLife, keyLife time.Duration
	giveUp, maxAge, delays        time.Duration
	longest                       time.Duration // of a fault

	lossless      bool // no fault loses what Redis has
	checksInDrain bool
}

// keepsAll reports whether the log keeps all that a run publishes.
func (c *config) keepsAll() bool { return c.history >= 1000 && c.streamLife > time.Hour }

// newConfig draws a configuration.
func newConfig(seed uint64) config {
	rng := rand.New(rand.NewPCG(seed, 0))
	pick := func(list ...int) int { return list[rng.IntN(len(list))] }
	c := config{
		seed: seed, hubs: pick(1, 2, 2, 3, 3, 4), rooms: pick(1, 1, 2), clients: pick(3, 4, 6, 8, 10),
		duration: 12 * time.Second,
		latency:  time.Duration(pick(2, 10, 40)) * time.Millisecond,
		lag:      time.Duration(pick(100, 500, 2000)) * time.Millisecond,
		check:    3 * time.Second,
		slow:     pick(0, 2, 10), late: pick(0, 0, 5, 20), doubles: pick(0, 5, 20), errors: pick(0, 0, 2),
		ring: pick(1, 2, 4, 8, 64), buffer: pick(1, 2, 4, 32), page: pick(1, 2, 3, 8), marks: pick(1, 3, 16),
		batch: pick(1, 2, 8), queue: pick(10, 40, 200), shown: pick(2, 5, 20),
		history: pick(4, 10, 30, 1000, 1000), streamLife: 100 * time.Hour, metaLife: 200 * time.Hour,
		giveUp: 5 * time.Second, maxAge: 4 * time.Second, delays: 14 * time.Second,
		lossless: rng.IntN(4) == 0, checksInDrain: rng.IntN(2) == 0,
	}
	c.keyLife = c.giveUp + c.maxAge + c.delays
	c.longest = 4 * time.Second
	if rng.IntN(8) == 0 { // long enough for keys to be forgotten
		c.duration, c.longest, c.giveUp, c.maxAge = 30*time.Second, 20*time.Second, time.Second, time.Second
		c.keyLife = c.giveUp + c.maxAge + c.delays
	}
	if c.lossless {
		c.history = 1000
	} else if rng.IntN(4) == 0 {
		c.streamLife = time.Duration(pick(2, 5, 20)) * time.Second
		c.metaLife = c.keyLife + time.Second
	}
	c.least = logroom.Size(&protocol.Message{ID: "c0/m0", From: protocol.Client{ID: "c0"}})
	c.outbox = c.least * pick(3, 10, 40)
	return c
}

// action is one thing that the plan does to the world. Any of them may be left out.
type action struct {
	at   time.Duration
	kind string
	who  int           // hub or client
	long time.Duration // of what ends
}

func (a action) String() string {
	return fmt.Sprintf("%.3f %s %d %v", a.at.Seconds(), a.kind, a.who, a.long)
}

// faults are the kinds of actions, by how often they come.
var faults = []struct {
	kind   string
	weight int
	loses  bool // what Redis has
}{
	{"cut client", 30, false},
	{"rewind", 10, false},
	{"kill hub", 3, false},
	{"stop hub", 3, false},
	{"cut hub", 8, false},
	{"cut subscriptions", 8, false},
	{"deafen", 4, false},
	{"move slot", 4, false},
	{"isolate", 12, false},
	{"hang", 3, false},
	{"full", 2, false},
	{"lie", 8, false},
	{"restart", 4, false},
	{"restart without tail", 5, true},
	{"restart empty", 1, true},
	{"flush", 1, true},
	{"evict", 1, true},
	{"churn", 2, true},
	{"fail over", 6, true},
	{"old primary back", 3, true},
	{"demoted and promoted", 3, true},
	{"fail over soundly", 3, false},
}

// newPlan draws what happens.
func newPlan(c *config) []action {
	rng := rand.New(rand.NewPCG(c.seed, 1))
	var plan []action
	weights := make([]int, len(faults))
	total := 0
	for i, f := range faults {
		weights[i] = f.weight
		if rng.IntN(6) == 0 {
			weights[i] *= 10 // each run has its own worst
		}
		if f.loses && c.lossless {
			weights[i] = 0
		}
		total += weights[i]
	}
	at := func() time.Duration { return time.Duration(rng.Int64N(int64(c.duration))) }
	intensity := 1 + rng.IntN(3)
	for range intensity * (30 + rng.IntN(100)) {
		plan = append(plan, action{at: at(), kind: "publish", who: rng.IntN(c.clients)})
	}
	for range 5 + rng.IntN(50) { // bursts, so that batches and gaps come about
		when, who := at(), rng.IntN(c.clients)
		for range 1 + rng.IntN(4) {
			plan = append(plan, action{at: when, kind: "publish", who: who})
		}
	}
	for range intensity * rng.IntN(60) {
		n, i := rng.IntN(total), 0
		for ; n >= weights[i]; i++ {
			n -= weights[i]
		}
		long := time.Duration(rng.Int64N(int64(c.longest)))
		plan = append(plan, action{at: at(), kind: faults[i].kind, who: rng.IntN(64), long: long})
	}
	slices.SortStableFunc(plan, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	return plan
}

// act carries out one action.
func (w *world) act(a action) {
	h, c := w.hubs[a.who%len(w.hubs)], w.clients[a.who%len(w.clients)]
	if a.kind != "publish" {
		w.trace("ACTION %v", a)
	}
	switch a.kind {
	case "publish":
		c.publish()
	case "cut client":
		if c.conn != nil {
			c.conn.cut()
		}
	case "rewind":
		c.rewind()
	case "kill hub":
		if h.up {
			h.crash()
			w.after(a.long, func() {
				if !h.up {
					h.start()
				}
			})
		}
	case "stop hub":
		if h.up && !h.stopped {
			life := h.life
			h.stop()
			w.after(min(a.long, 3*time.Second), func() {
				if h.life == life && h.stopped {
					h.goOn()
				}
			})
		}
	case "cut hub":
		h.run(func() { h.lose("cut") })
	case "cut subscriptions":
		h.run(h.loseEar)
	case "move slot":
		h.run(func() { h.move(a.who % len(h.rooms)) })
	case "deafen":
		w.deafen(h, a.long)
	case "isolate":
		h.cutOff = true
		h.run(func() { h.lose("cut off") })
		w.after(a.long, func() { h.cutOff = false })
	case "full":
		w.primary.full = true
		w.after(a.long/4, func() { w.primary.full = false })
	case "lie":
		w.lying = 30
		w.after(a.long/2, func() { w.lying = 0 })
	default:
		w.actRedis(a)
	}
}

// deafen has a hub's subscriptions hear nothing until the probe notices.
func (w *world) deafen(h *hub, long time.Duration) {
	if !h.listening {
		return
	}
	h.deaf = true
	ear := h.ear
	w.after(long, func() {
		if h.ear == ear {
			h.loseEar()
		}
	})
}

// actRedis is what happens to Redis itself.
func (w *world) actRedis(a action) {
	s := w.primary
	switch a.kind {
	case "churn": // promoted and demoted again and again, and only read: fork lists fill up
		for range 1 + a.who%logroom.MaxForks {
			s.replica = w.name("p")
			for room := range w.config.rooms {
				if s.log(room) != nil {
					s.reign(room, w.nonce())
				}
			}
		}
		w.lost()
	case "hang":
		s.hung = true
		w.after(min(a.long, 4*time.Second), func() {
			if s.hung {
				s.goOn()
			}
		})
	case "restart":
		w.restart(s.data, a.long)
	case "restart without tail":
		w.restart(w.file, a.long)
	case "restart empty":
		w.restart(newDataset(), a.long)
	case "flush":
		s.data = newDataset()
		w.lost()
	case "evict":
		s.data.rooms = map[int]*log{} // the keys stay
		w.lost()
	case "fail over":
		w.old = s
		w.failOver(&server{w: w, run: w.name("r"), replica: w.name("p"), data: w.replica.clone(), up: true})
	case "fail over soundly":
		w.old = s
		w.failOver(&server{w: w, run: w.name("r"), replica: w.name("p"), data: s.data.clone(), up: true})
	case "old primary back":
		if w.old != nil {
			back := w.old
			back.up, back.hung = true, false
			w.old = s
			w.failOver(back)
		}
	case "demoted and promoted":
		if w.old != nil {
			back := w.old // its process and its scripts are the same, what it has is the other's
			back.up, back.hung, back.replica, back.data = true, false, w.name("p"), w.replica.clone()
			w.old = s
			w.failOver(back)
		}
	default:
		panic("unknown action " + strings.TrimSpace(a.kind))
	}
}

func (w *world) name(prefix string) string {
	w.count++
	return fmt.Sprint(prefix, w.count)
}

// lost notes that logs went without a word to anybody: no hub can know before the next message or check.
func (w *world) lost() {
	for _, h := range w.hubs {
		h.each(func(r *room) { r.unsound = true })
	}
}

// restart ends the process and starts another with some of its data.
func (w *world) restart(data *dataset, down time.Duration) {
	next := &server{w: w, run: w.name("r"), replica: w.name("p"), data: data.clone()}
	if w.chance(50) {
		next.replica = w.primary.replica // as its file says
	}
	w.primary.up = false
	w.failOver(next)
	w.after(down/2, func() { next.up = true })
}

// failOver makes another server the primary. All connections are lost, which some hubs notice late.
func (w *world) failOver(next *server) {
	w.primary = next
	for _, h := range w.hubs {
		h.run(func() { h.lose("another server") })
	}
}
