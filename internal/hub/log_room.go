package hub

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file joins the state machines of log rooms to the log and the shards: it gives them their events, and carries out
// their effects, in order and before the next event, under the lock of the room's stripe.

// openLog makes r a log room. The stripe is locked.
func (h *Hub) openLog(st *stripe, r *room) {
	r.log = logroom.New(logroom.Options{
		MaxAge: h.options.OutboxAge, Portion: h.options.Portion,
		Marks: h.options.Outbox / logroom.Overhead, // as many as the outbox can hold
	}, h.outbox)
	r.check = h.now() + h.checkAfter()
	// Where the log comes or goes just now, the room is told once more; see logReceiver.SetAway.
	if !h.logAway.Load() {
		h.step(st, r, logroom.Connected{})
	}
}

// joinLog has sub follow the log: at once, or when it is its turn. The stripe is locked.
func (h *Hub) joinLog(st *stripe, r *room, sub *subscription, j joining) {
	much := !j.cursor.IsZero() || j.history > 0
	if !much || h.logAway.Load() || sub.session.dialog.turns.take(sub, j) {
		h.beginLog(st, r, sub, j)
	} else {
		sub.waits = &j
	}
}

// beginLog has sub follow the log. The stripe is locked.
func (h *Hub) beginLog(st *stripe, r *room, sub *subscription, j joining) {
	sub.waits, sub.history = nil, j.history > 0
	if !j.cursor.IsZero() && !j.begins {
		sub.resume = resumed
	}
	h.step(st, r, logroom.Join{
		Session: sub, Publisher: sub.session.client().ID, Cursor: j.cursor, Provisional: j.provisional, History: j.history,
	})
}

// publishLog has the room's log take m, which is published for reply.
func (h *Hub) publishLog(m *protocol.Message, own bool, birth *Position, reply any) {
	st := h.stripe(m.Room)
	st.mu.Lock()
	defer st.mu.Unlock()
	r := h.enter(st, m.Room)
	p := logroom.Publish{Message: m, Own: own, Reply: reply}
	if birth == nil {
		p.Birth = r.log.Position() // made now: the log will have it beyond that
	} else {
		p.Birth = *birth
	}
	h.step(st, r, p)
	h.dropIdle(st, r)
}

// step has the room take an event, and carries out what follows. The stripe is locked.
func (h *Hub) step(st *stripe, r *room, e logroom.Event) {
	for {
		st.effects = r.log.Step(h.now(), e, st.effects[:0])
		for _, effect := range st.effects {
			h.carryOut(st, r, effect)
		}
		clear(st.effects)
		if len(st.next) == 0 {
			return
		}
		e = st.next[0]
		st.next = append(st.next[:0], st.next[1:]...)
	}
}

// given gives the room an event from elsewhere, unless the hub has dropped it meanwhile.
func (h *Hub) given(r *room, e logroom.Event) {
	st := h.stripe(r.name)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.rooms[r.name] == r {
		h.step(st, r, e)
		h.dropIdle(st, r)
	}
	h.paced()
}

// carryOut does one effect. The stripe is locked; nothing here waits.
func (h *Hub) carryOut(st *stripe, r *room, effect logroom.Effect) {
	switch e := effect.(type) {
	case logroom.Subscribe:
		r.number = e.Number
		h.logs.Subscribe(r.name, e.Number)
	case logroom.Unsubscribe:
		h.logs.Unsubscribe(r.name)
	case logroom.ReadPage:
		h.readPage(st, r, e)
	case logroom.Append:
		h.append(st, r, e)
	case logroom.Attach:
		h.attach(r, e)
	case logroom.Detach:
		sub := e.Session.(*subscription)
		sub.session.shard.Detach(r.name, sub.session)
	case logroom.Deliver:
		holders := sessions(e.Holders)
		for _, s := range h.shards {
			s.Deliver(e.Entry, holders, e.Entry.Message.Hub != h.name)
		}
	case logroom.Replay:
		h.replay(r, e)
	case logroom.History:
		h.sendHistory(r, e)
	case logroom.Orphans:
		count := int(min(e.To-e.At.Offset, math.MaxInt32)) // the client's word
		h.tell(r, e.Session, orphaned, &protocol.Frame{
			Type: protocol.TypeOrphans, Room: r.name, Position: e.At.String(), Count: &count,
		})
	case logroom.Reset:
		h.tell(r, e.Session, wasReset, &protocol.Frame{Type: protocol.TypeReset, Room: r.name, Position: e.At.String()})
	case logroom.Show:
		h.show(e)
	case logroom.Settle:
		// In a stream positions only count up, and this one does not move the cursor.
		if s := e.Session.(*subscription).session; s.speaksV1() {
			s.shard.Send(s, protocol.AppendAck(nil, protocol.Ack{
				Room: r.name, ID: e.ID, Scope: protocol.ScopeCluster, At: e.At,
			}))
		}
	case logroom.Outcome:
		e.Reply.(reply).answer(r, e)
	case logroom.Drop:
		h.counts.outboxAge.Add(1)
	}
}

// readPage asks the log for a page.
func (h *Hub) readPage(st *stripe, r *room, e logroom.ReadPage) {
	err := h.logs.Read(r.name, e.From, e.Limit, true, func(p LogPage, err error) {
		if err != nil {
			h.given(r, logroom.ReadFailed{Request: e.Request})
			return
		}
		h.given(r, logroom.Read{Request: e.Request, Page: logroom.Page{
			Epoch: p.Epoch, Top: p.Top, Forks: p.Forks,
			Reset: p.Status == LogReset, Before: p.Before, Orphans: p.Orphans, Entries: p.Entries,
		}})
	})
	if err != nil {
		st.next = append(st.next, logroom.ReadFailed{Request: e.Request})
	}
}

// append asks the log to store a message.
func (h *Hub) append(st *stripe, r *room, e logroom.Append) {
	err := h.logs.Append(e.Message, func(a Appended, err error) {
		if err != nil {
			h.given(r, appendFailed(e, err))
			return
		}
		h.given(r, logroom.Appended{Request: e.Request, Epoch: a.Epoch, At: a.At, Duplicate: a.Duplicate})
	})
	if err != nil {
		st.next = append(st.next, appendFailed(e, err))
	}
}

func (h *Hub) attach(r *room, e logroom.Attach) {
	sub := e.Session.(*subscription)
	s := sub.session
	frame := (&protocol.Frame{Type: protocol.TypeSubscribed, Room: r.name, Position: e.At.String()}).Encode()
	var next func()
	if !sub.history {
		next = func() { h.endTurn(sub) } // when all of it was written
	}
	s.shard.Attach(r.name, s, frame, next)
	if sub.resume != 0 {
		h.counts.resumes.add(sub.resume)
		sub.resume = 0
	}
	sub.attached()
}

func (h *Hub) replay(r *room, e logroom.Replay) {
	sub := e.Session.(*subscription)
	items := make([]Item, len(e.Items))
	for i, item := range e.Items {
		items[i] = Item{Entry: item.Entry, Held: item.Held}
	}
	sub.session.shard.Replay(sub.session, items, nil, func() { h.given(r, logroom.Ready{Session: sub}) })
}

func (h *Hub) sendHistory(r *room, e logroom.History) {
	sub := e.Session.(*subscription)
	s := sub.session
	items := make([]Item, 0, len(e.Entries))
	for _, entry := range e.Entries {
		if entry.Message.Kind != 0 {
			items = append(items, Item{Entry: entry, Past: true})
		}
	}
	count := len(items)
	s.shard.Replay(s, items, (&protocol.Frame{Type: protocol.TypeHistory, Room: r.name, Count: &count}).Encode(),
		func() { h.endTurn(sub) })
}

// tell sends f to the session of one subscriber, or where that is nil to all who are attached.
func (h *Hub) tell(r *room, to logroom.Session, result resumeResult, f *protocol.Frame) {
	if to == nil {
		frame := f.Encode()
		for _, s := range h.shards {
			s.Announce(r.name, frame, nil, true)
		}
		return
	}
	sub := to.(*subscription)
	sub.resume = result
	if !sub.session.plain {
		sub.session.send(f)
	}
}

func (h *Hub) show(e logroom.Show) {
	for _, shard := range h.shards {
		var to []*Session
		for _, s := range sessions(e.To) {
			if s.shard == shard {
				to = append(to, s)
			}
		}
		if len(to) > 0 {
			shard.Show(e.Message, to)
		}
	}
}

func sessions(list []logroom.Session) []*Session {
	if len(list) == 0 {
		return nil
	}
	out := make([]*Session, len(list))
	for i, s := range list {
		out[i] = s.(*subscription).session
	}
	return out
}

// checkAfter is how long it is until a room is compared with its log: all rooms are, spread over the time.
func (h *Hub) checkAfter() time.Duration {
	half := h.options.CheckInterval / 2
	return half + rand.N(2*half)
}

// pass has time pass for all log rooms, and compares those that are due with their logs.
func (h *Hub) pass() {
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		for _, r := range st.rooms {
			if r.log == nil {
				continue
			}
			h.step(st, r, logroom.Tick{})
			if now := h.now(); now >= r.check && len(r.subs) > 0 {
				r.check = now + h.checkAfter()
				h.compare(r)
			}
			h.dropIdle(st, r)
		}
		st.mu.Unlock()
	}
	h.paced()
}

// compare looks up where the room's log ends. What cannot be asked now is asked the next time.
func (h *Hub) compare(r *room) {
	_ = h.logs.Read(r.name, Position{}, 1, true, func(p LogPage, err error) {
		if err == nil {
			h.given(r, logroom.Top{Epoch: p.Epoch, Offset: p.Top})
		}
	})
}
