package logroom_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// hub is a model of what is around the rooms of one hub process: connections to Redis, calls, deadlines, ticks.
type hub struct {
	w    *world
	name string

	up     bool
	life   int // starts
	rooms  []*room
	budget *logroom.Budget

	cutOff    bool // by the network
	connected bool // to Redis
	link      int  // counts command connections
	listening bool // on a connection for what is published
	ear       int  // counts those
	deaf      bool // that connection hears nothing
	server    *server

	stopped bool // SIGSTOP
	missed  []func()
}

// run has the process do something, now or once it goes on.
func (h *hub) run(do func()) {
	if h.stopped {
		h.missed = append(h.missed, do)
		return
	}
	do()
}

// later has the process do something after a time.
func (h *hub) later(d time.Duration, do func()) { h.w.after(d, func() { h.run(do) }) }

// stop and goOn are SIGSTOP and SIGCONT.
func (h *hub) stop() { h.stopped = true }

func (h *hub) goOn() {
	h.stopped = false
	missed := h.missed
	h.missed = nil
	for _, do := range missed {
		h.run(do)
	}
}

// room is one room of a hub, with its members and its calls.
type room struct {
	hub      *hub
	number   int
	core     *logroom.Room
	attached []*conn
	joined   []*conn

	heard        bool // registered at the server
	subscription uint64
	unsound      bool // something published was lost since the last confirmation
	confirmed    bool
	appends      []logroom.Append // that wait for the call under way
	appending    bool
}

func (h *hub) start() {
	h.up, h.life = true, h.life+1
	h.rooms = make([]*room, h.w.config.rooms)
	h.budget = logroom.NewBudget(h.w.config.outbox)
	h.w.trace("%s starts", h.name)
	life := h.life
	h.later(h.w.between(0, 200*time.Millisecond), func() { h.dial(life) })
	h.later(h.w.between(0, 500*time.Millisecond), func() { h.tick(life) })
	h.later(h.w.between(0, h.w.config.check), func() { h.check(life) })
}

// crash ends the process and whatever it knew.
func (h *hub) crash() {
	h.w.trace("%s is killed", h.name)
	h.up, h.connected, h.listening, h.stopped, h.missed = false, false, false, false, nil
	h.link, h.ear = h.link+1, h.ear+1
	h.life++
	h.rooms = make([]*room, h.w.config.rooms)
	for _, c := range h.w.clients {
		if c.conn != nil && c.conn.hub == h {
			c.conn.cut()
		}
	}
}

func (h *hub) heal() {
	h.cutOff = false
	h.goOn()
	if h.deaf {
		h.loseEar()
	}
	if !h.up {
		h.start()
	}
}

// room returns a room, made when it is needed.
func (h *hub) room(number int) *room {
	r := h.rooms[number]
	if r == nil {
		c := &h.w.config
		r = &room{hub: h, number: number, core: logroom.New(logroom.Options{
			Ring: c.ring, Buffer: c.buffer, Page: c.page, Marks: c.marks, MaxAge: c.maxAge, Patience: time.Second,
		}, h.budget)}
		r.core.SwitchOff(h.w.mutant.rule)
		h.rooms[number] = r
		if h.connected {
			r.step(logroom.Connected{})
		}
	}
	return r
}

func (h *hub) each(do func(*room)) {
	for _, r := range slices.Clone(h.rooms) {
		if r != nil && h.rooms[r.number] == r {
			do(r)
		}
	}
}

// tick gives time to the rooms and drops those that are idle.
func (h *hub) tick(life int) {
	if h.life != life {
		return
	}
	h.each(func(r *room) {
		r.step(logroom.Tick{})
		if r.core.Idle() {
			h.rooms[r.number] = nil
		}
	})
	h.later(500*time.Millisecond, func() { h.tick(life) })
}

// check asks where the logs really end.
func (h *hub) check(life int) {
	if h.life != life {
		return
	}
	if h.connected && h.w.checks {
		h.each(func(r *room) {
			if len(r.joined) == 0 {
				return
			}
			h.call(r, func(s *server) func() {
				p := s.read(r.number, h.w.nonce(), logroom.Position{}, 0)
				return func() { r.step(logroom.Top{Epoch: p.Epoch, Offset: p.Top}) }
			}, nil)
		})
	}
	h.later(h.w.between(h.w.config.check/2, h.w.config.check), func() { h.check(life) })
}

// dial tries to reach Redis.
func (h *hub) dial(life int) {
	s := h.w.primary
	if h.life != life || h.connected {
		return
	}
	if h.cutOff || !s.up || s.hung {
		h.later(h.w.between(50*time.Millisecond, 300*time.Millisecond), func() { h.dial(life) })
		return
	}
	h.connected, h.server = true, s
	h.link++
	h.w.trace("%s is connected", h.name)
	h.each(func(r *room) { r.step(logroom.Connected{}) })
	h.listen()
}

// lose cuts both connections: the hub is isolated until it is connected again.
func (h *hub) lose(why string) {
	if !h.connected {
		return
	}
	h.w.trace("%s is isolated: %s", h.name, why)
	h.connected = false
	h.link++
	h.dropEar()
	h.each(func(r *room) {
		r.appends, r.appending = nil, false
		r.step(logroom.Isolated{})
	})
	life := h.life
	h.later(h.w.between(20*time.Millisecond, 400*time.Millisecond), func() { h.dial(life) })
}

// call sends a request for a room. The server executes it, and what it returns is done when the answer arrives. A
// request whose connection is lost on the way may be executed all the same, and late.
func (h *hub) call(r *room, execute func(*server) func(), failed func()) {
	link, s, w := h.link, h.server, h.w
	answered := false
	var arrive func()
	late := false
	arrive = func() {
		if h.link != link && !late {
			late = true
			if w.chance(50) {
				return // it never arrives
			}
			if w.chance(40) {
				w.after(w.between(0, 3*time.Second), arrive)
				return
			}
		}
		s.arrive(func() {
			if failed != nil && !w.calm && w.chance(w.config.errors) {
				h.later(w.latency(), func() {
					if h.link == link {
						answered = true
						failed()
					}
				})
				if w.chance(50) {
					execute(s) // and the answer is lost
				}
				return
			}
			done := execute(s)
			h.later(w.latency(), func() {
				if h.link == link {
					answered = true
					done()
				}
			})
		})
	}
	w.after(w.latency(), arrive)
	h.later(time.Second, func() {
		if !answered && h.link == link {
			h.lose("no answer for 1 s")
		}
	})
}

// latency draws how long something takes on its way.
func (w *world) latency() time.Duration {
	if !w.calm && w.chance(w.config.slow) {
		return w.between(0, 600*time.Millisecond)
	}
	return w.between(100*time.Microsecond, w.config.latency)
}

// listen connects for what is published, and subscribes the rooms that want it.
func (h *hub) listen() {
	if h.listening || !h.connected {
		return
	}
	h.listening, h.deaf = true, false
	h.ear++
	h.each(func(r *room) { r.subscribe() })
}

func (h *hub) dropEar() {
	h.listening = false
	h.ear++
	h.each(func(r *room) { r.heard, r.confirmed = false, false })
}

// loseEar cuts the connection for what is published alone.
func (h *hub) loseEar() {
	if !h.listening {
		return
	}
	h.w.trace("%s loses its subscriptions", h.name)
	h.dropEar()
	h.each(func(r *room) { r.step(logroom.Unsubscribed{}) })
	h.later(h.w.between(10*time.Millisecond, 300*time.Millisecond), h.listen)
}

// move has another node of Redis serve a room: its subscription is lost, and its alone.
func (h *hub) move(number int) {
	r, ear := h.rooms[number], h.ear
	if r == nil || !r.heard {
		return
	}
	r.heard, r.confirmed = false, false
	r.step(logroom.Unsubscribed{})
	h.w.after(h.w.between(0, 200*time.Millisecond), func() {
		if h.ear == ear && h.rooms[number] == r {
			r.subscribe()
		}
	})
}

// subscribe registers a room and has that confirmed.
func (r *room) subscribe() {
	h, number := r.hub, r.subscription
	if number == 0 || !h.listening {
		return
	}
	ear, s := h.ear, h.server
	h.w.after(h.w.latency(), func() {
		if h.ear != ear {
			return
		}
		s.arrive(func() {
			if r.subscription == number && h.ear == ear {
				r.heard, r.unsound = true, false
				h.later(h.w.latency(), func() {
					if h.ear == ear && h.rooms[r.number] == r {
						r.confirmed = true
						r.step(logroom.Subscribed{Number: number})
					}
				})
			}
		})
	})
}

// fanOut is what PUBLISH does: a copy to each hub that listens. Copies are lost, doubled and late.
func (w *world) fanOut(s *server, number int, entries []logroom.Entry) {
	for _, h := range w.hubs {
		r := h.rooms[number]
		if r == nil || !r.heard || h.server != s {
			continue
		}
		if h.deaf || w.chance(w.lying) {
			r.unsound = true
			continue
		}
		ear, copies := h.ear, 1
		if !w.calm && w.chance(w.config.doubles) {
			copies = 2
		}
		for range copies {
			at := w.latency()
			late := !w.calm && w.chance(w.config.late)
			if late {
				at = w.between(0, 4*time.Second)
			}
			h.later(at, func() {
				if h.rooms[number] == r && (h.ear == ear || late) {
					r.step(logroom.Published{Entries: entries})
				}
			})
		}
	}
}

// append calls the script for what waits, one call at a time.
func (r *room) append() {
	if r.appending || len(r.appends) == 0 || !r.hub.connected {
		return
	}
	n := min(len(r.appends), r.hub.w.config.batch)
	batch := slices.Clone(r.appends[:n])
	r.appends = r.appends[n:]
	r.appending = true
	messages := make([]*protocol.Message, n)
	for i, a := range batch {
		messages[i] = a.Message
	}
	refused := false
	r.hub.call(r, func(s *server) func() {
		if refused = s.full; refused {
			return func() {
				r.appending = false
				for _, a := range batch {
					r.step(logroom.AppendFailed{Request: a.Request, Refused: true})
				}
				r.append()
			}
		}
		epoch, out := s.publish(r.number, r.hub.w.nonce(), messages)
		return func() {
			r.appending = false
			for i, a := range batch {
				r.step(logroom.Appended{Request: a.Request, Epoch: epoch, At: out[i].at, Duplicate: out[i].duplicate})
			}
			r.append()
		}
	}, func() {
		r.appending = false
		for _, a := range batch {
			r.step(logroom.AppendFailed{Request: a.Request})
		}
		r.append()
	})
}

func (r *room) String() string { return fmt.Sprintf("%s room %d", r.hub.name, r.number) }
