package logroom

import (
	"slices"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// mostOthers is how many earlier replies a retry leaves to be answered.
const mostOthers = 4

// inflight is a publication that was handed to the broker and not answered yet.
type inflight struct {
	request uint64
	order   uint64 // of publications
	Publish
}

// publish takes a publication: to the broker, or where the hub is cut off, or has not yet caught up and stored what
// it took then, to the outbox.
func (r *Room) publish(p Publish) {
	id := p.Message.ID
	if k := r.kept[id]; k != nil && r.holds(ruleOnce) {
		k.others = append(k.others, k.Reply)
		k.others = k.others[max(0, len(k.others)-mostOthers):]
		if k.Reply = p.Reply; r.isolated {
			r.answer(p.Reply, id, Kept)
		} else {
			k.told = false
		}
		return
	}
	if !r.budget.take(size(p.Message)) && r.holds(ruleFull) {
		r.answer(p.Reply, id, Full)
		return
	}
	if p.Own {
		p.Birth = r.cursor // nobody can have it yet
	}
	r.published++
	switch {
	case r.isolated:
		r.show(r.queue(p, r.published))
	case (len(r.outbox) > 0 || len(r.subs) > 0 && !r.synced) && r.holds(ruleQueue):
		r.queue(p, r.published)
	default:
		f := inflight{request: r.ask(), order: r.published, Publish: p}
		r.inflight = append(r.inflight, f)
		r.do(Append{Request: f.request, Message: p.Message})
	}
}

// appended takes the broker's answer, and with it delivers the message if the published copy did not come first.
func (r *Room) appended(e Appended) {
	f, ok := r.takeInflight(e.Request)
	p := f.Publish
	if !ok {
		if r.flushing == 0 || e.Request != r.flushing {
			return // of a connection that was lost
		}
		p = r.outbox[0].Publish
		for _, reply := range r.outbox[0].others {
			r.outcome(Publish{Message: p.Message, Reply: reply}, e)
		}
		r.unqueue()
	}
	r.budget.give(size(p.Message))
	r.outcome(p, e)
	r.settle(p.Message.ID, e)
	if !e.Duplicate {
		r.answered(Entry{At: e.At, Message: p.Message})
	}
	if e.Epoch != r.epoch && !r.cursor.IsZero() {
		r.catchUp()
	}
	r.flush()
}

// outcome tells the publisher where its message is stored, unless the stream will, or has: what tells it of a position
// beyond its cursor would have it miss what lies between.
func (r *Room) outcome(p Publish, e Appended) {
	o := Outcome{Reply: p.Reply, ID: p.Message.ID, Result: Stored, At: e.At, Duplicate: e.Duplicate}
	if s := r.publisher[p.Message.From.ID]; s != nil {
		if s.state == waiting && s.cursor.IsZero() {
			s.stored = append(s.stored, stored{o, e.Epoch})
			return
		}
		newest := e.Epoch
		if !r.holds(ruleAckNewest) {
			newest = r.epoch
		}
		if (newest != r.epoch || s.state == waiting || e.At.Offset > r.at(s).Offset) && r.holds(ruleAckBehind) {
			return
		}
		if !e.Duplicate && s.state == live && e.At.Offset > s.since {
			return // the published copy was quicker
		}
	}
	r.do(o)
}

// settle tells those that were shown the message its position, where the stream has passed it.
func (r *Room) settle(id string, e Appended) {
	if e.Epoch != r.epoch || !r.holds(ruleSettle) {
		return
	}
	k := r.marks.of[id]
	if k == nil {
		return
	}
	for _, s := range r.subs {
		if s.state != waiting && e.At.Offset <= r.at(s).Offset && k.holds(s) {
			r.do(Settle{Session: s.session, ID: id, At: e.At})
			r.marks.settle(id, s)
		}
	}
}

// appendFailed answers a publication that was refused or may be lost. What nobody else can retry, the hub does.
func (r *Room) appendFailed(e AppendFailed) {
	if e.Request == r.flushing && r.flushing != 0 {
		r.flushing = 0 // stays in the outbox; again at the next tick
		return
	}
	p, ok := r.takeInflight(e.Request)
	switch {
	case !ok:
	case e.Refused:
		r.budget.give(size(p.Message))
		r.answer(p.Reply, p.Message.ID, Refused)
	case p.Own:
		r.queue(p.Publish, p.order)
	default:
		r.budget.give(size(p.Message))
		r.answer(p.Reply, p.Message.ID, Unknown)
	}
}

// abandonAppends answers what is in flight as the hub is cut off: unknown, as it may be stored. What nobody else can
// retry goes to the outbox.
func (r *Room) abandonAppends() {
	if !r.holds(ruleUnknown) {
		return
	}
	list := r.inflight
	r.inflight = nil
	for _, p := range list {
		if p.Own {
			r.queue(p.Publish, p.order)
			continue
		}
		r.budget.give(size(p.Message))
		r.answer(p.Reply, p.Message.ID, Unknown)
	}
}

func (r *Room) answer(reply any, id string, result Result) {
	r.do(Outcome{Reply: reply, ID: id, Result: result})
}

// takeInflight removes and returns what request publishes.
func (r *Room) takeInflight(request uint64) (inflight, bool) {
	i := slices.IndexFunc(r.inflight, func(f inflight) bool { return f.request == request })
	if i < 0 {
		return inflight{}, false
	}
	p := r.inflight[i]
	if i > 0 {
		r.inflight = slices.Delete(r.inflight, i, i+1)
		return p, true
	}
	r.inflight[0] = inflight{} // as a rule: answers come in order
	r.inflight = r.inflight[1:]
	return p, true
}

// shows reports whether s is to be shown a message of this birth: it was not yet, and cannot have it by the log,
// which has it, if at all, beyond the birth.
func (r *Room) shows(s *subscriber, m *protocol.Message, birth Position) bool {
	if s.publisher == m.From.ID || !s.provisional && r.holds(ruleProvisional) || r.marks.of[m.ID].holds(s) {
		return false
	}
	at := r.at(s)
	return at.IsZero() || at.Epoch == birth.Epoch && at.Offset <= birth.Offset || !r.holds(ruleBirth)
}
