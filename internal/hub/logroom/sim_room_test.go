package logroom_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// step gives the core an event, carries out what follows, and looks at what the room holds.
func (r *room) step(e logroom.Event) {
	w := r.hub.w
	before := r.core.Position()
	p, _ := e.(logroom.Publish)
	again := p.Message != nil && r.core.Keeps(p.Message.ID)
	effects := r.core.Step(w.now, e, nil)
	if w.log != nil && (len(effects) > 0 || e != logroom.Event(logroom.Tick{})) {
		w.trace("%v < %s", r, describe(e))
	}
	for _, effect := range effects {
		if w.log != nil {
			w.trace("%v > %s", r, describe(effect))
		}
		if _, ok := effect.(logroom.Show); ok && again {
			w.fail("I3", "%v shows %s again, which is in its outbox", r, p.Message.ID)
		}
		r.carryOut(effect)
	}
	if w.log != nil && before != r.core.Position() {
		w.trace("%v is at %v, newest %s", r, r.core.Position(), r.core.Epoch())
	}
	r.checkSizes()
}

// describe prints an event or effect by its type and fields.
func describe(x any) string {
	name := fmt.Sprintf("%T", x)[len("logroom."):]
	switch x := x.(type) {
	case logroom.Join:
		return fmt.Sprintf("%s %v cursor %v", name, x.Session, x.Cursor)
	case logroom.Publish:
		return fmt.Sprintf("%s %s birth %v own %v", name, x.Message.ID, x.Birth, x.Own)
	case logroom.Published:
		return name + entries(x.Entries)
	case logroom.Read:
		p := x.Page
		return fmt.Sprintf("%s %d newest %s top %d forks %v reset %v orphans %d%s", name, x.Request, p.Epoch, p.Top, p.Forks,
			p.Reset, p.Orphans, entries(p.Entries))
	case logroom.Append:
		return fmt.Sprintf("%s %d %s", name, x.Request, x.Message.ID)
	case logroom.Deliver:
		return fmt.Sprintf("%s%s holders %v", name, entries([]logroom.Entry{x.Entry}), x.Holders)
	case logroom.Replay:
		var s strings.Builder
		fmt.Fprintf(&s, "%s to %v", name, x.Session)
		for _, i := range x.Items {
			fmt.Fprintf(&s, " %s@%v held %v", i.Entry.Message.ID, i.Entry.At, i.Held)
		}
		return s.String()
	case logroom.History:
		return fmt.Sprintf("%s to %v%s", name, x.Session, entries(x.Entries))
	case logroom.Show:
		return fmt.Sprintf("%s %s to %v", name, x.Message.ID, x.To)
	case logroom.Outcome:
		return fmt.Sprintf("%s %s %v at %v duplicate %v for %v", name, x.ID, x.Result, x.At, x.Duplicate, x.Reply)
	case logroom.Drop:
		return name + " " + x.Message.ID
	}
	return fmt.Sprintf("%s %+v", name, x)
}

func entries(list []logroom.Entry) string {
	var s strings.Builder
	for _, e := range list {
		fmt.Fprintf(&s, " %s@%v", e.Message.ID, e.At)
	}
	return s.String()
}

// carryOut does what the core decided. What it sends to whom must be a session of the room.
func (r *room) carryOut(effect logroom.Effect) {
	h := r.hub
	switch e := effect.(type) {
	case logroom.Subscribe:
		r.subscription = e.Number
		r.subscribe()
	case logroom.Unsubscribe:
		r.subscription, r.heard, r.confirmed = 0, false, false
	case logroom.ReadPage:
		h.call(r, func(s *server) func() {
			p := s.read(r.number, h.w.nonce(), e.From, e.Limit)
			return func() { r.step(logroom.Read{Request: e.Request, Page: p}) }
		}, func() { r.step(logroom.ReadFailed{Request: e.Request}) })
	case logroom.Append:
		r.appends = append(r.appends, e)
		r.append()
	case logroom.Attach:
		c := r.member(e.Session)
		if slices.Contains(r.attached, c) {
			h.w.fail("I1", "%v is attached twice", c)
		}
		r.attached = append(r.attached, c)
		c.send(func() { c.client.attached(e) })
	case logroom.Detach:
		r.forget(e.Session.(*conn))
	case logroom.Deliver:
		for _, s := range e.Holders {
			if c := r.member(s); !slices.Contains(r.attached, c) {
				h.w.fail("I9", "%v is a holder and not attached", c)
			}
		}
		for _, c := range r.attached {
			held := slices.Contains(e.Holders, logroom.Session(c))
			c.send(func() { c.client.entry(e.Entry, held) })
		}
	case logroom.Replay:
		c := r.member(e.Session)
		if slices.Contains(r.attached, c) {
			h.w.fail("I1", "a replay for %v, which is live", c)
		}
		h.w.stats.Replayed += len(e.Items)
		for _, i := range e.Items {
			c.send(func() { c.client.entry(i.Entry, i.Held) })
		}
		c.whenRead(func() { r.step(logroom.Ready{Session: c}) })
	case logroom.History:
		c := r.member(e.Session)
		c.send(func() { c.client.history(e.Entries) })
	case logroom.Orphans:
		for _, c := range r.those(e.Session) {
			c.send(func() { c.client.orphans(e) })
		}
	case logroom.Reset:
		for _, c := range r.those(e.Session) {
			c.send(func() { c.client.reset(e) })
		}
	case logroom.Show:
		for _, s := range e.To {
			c := r.member(s)
			c.send(func() { c.client.provisional(e.Message) })
		}
	case logroom.Settle:
		c := r.member(e.Session)
		c.send(func() { c.client.settled(e.ID, e.At) })
	case logroom.Outcome:
		if c, ok := e.Reply.(*conn); ok {
			c.send(func() { c.client.outcome(e) })
		}
	case logroom.Drop:
		h.w.stats.GivenUp++
	}
}

// member returns the connection that a session is, and checks that it joined the room.
func (r *room) member(s logroom.Session) *conn {
	c := s.(*conn)
	if !slices.Contains(r.joined, c) {
		r.hub.w.fail("I9", "%v gets something of %v and is not in it", c, r)
	}
	return c
}

// those returns one session, or all that are attached.
func (r *room) those(s logroom.Session) []*conn {
	if s != nil {
		return []*conn{r.member(s)}
	}
	return r.attached
}

func (r *room) forget(c *conn) {
	is := func(x *conn) bool { return x == c }
	r.joined = slices.DeleteFunc(r.joined, is)
	r.attached = slices.DeleteFunc(r.attached, is)
}

// join and leave are what a hub does for a session.
func (r *room) join(c *conn, e logroom.Join) {
	r.joined = append(r.joined, c)
	r.step(e)
}

func (r *room) leave(c *conn) {
	r.forget(c)
	r.step(logroom.Leave{Session: c})
}

// checkSizes is I8: what a room and a hub hold is bounded.
func (r *room) checkSizes() {
	c, s := &r.hub.w.config, r.core.Sizes()
	if s.Ring > c.ring || s.Buffer > c.buffer || s.Marks > c.marks || s.Forks > logroom.MaxForks {
		r.hub.w.fail("I8", "%v holds %+v", r, s)
	}
	if used := r.hub.budget.Used(); used > c.outbox || used < 0 || used < (s.Outbox+s.Unanswered)*c.least {
		r.hub.w.fail("I8", "%s holds %d bytes of messages, %d and %d in %v", r.hub.name, used, s.Outbox, s.Unanswered, r)
	}
}
