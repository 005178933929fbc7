package logroom

import (
	"slices"
	"time"
)

// kept is a publication in the outbox.
type kept struct {
	Publish
	others []any  // replies to the same publication that came before
	order  uint64 // of publications, which the outbox keeps to
	since  time.Duration
	told   bool   // the publisher knows that the hub keeps it
	shown  uint64 // to all that could be shown it when so many had joined the room
}

// show shows a message that has no position to whom cannot have it and was not shown it, and tells its publisher.
func (r *Room) show(k *kept) {
	var to []*subscriber
	for _, s := range r.subs {
		if k.shown == r.joined {
			break // nobody came since
		}
		if r.shows(s, k.Message, k.Birth) {
			to = append(to, s)
		}
	}
	if len(to) > 0 {
		r.mark(k.Message.ID, k.Message.From.ID, to)
		sessions := make([]Session, len(to))
		for i, s := range to {
			sessions[i] = s.session
		}
		r.do(Show{Message: k.Message, To: sessions})
	}
	k.shown = r.joined
	if !k.told {
		k.told = true
		r.answer(k.Reply, k.Message.ID, Kept)
	}
}

func (r *Room) limitMarks() int {
	if !r.holds(ruleMarks) {
		return 1 << 30
	}
	return r.options.Marks
}

// queue puts into the outbox what counts in the budget already. The last publications may be the first that fail, as
// where a connection breaks: they wait in the order in which they were made.
func (r *Room) queue(p Publish, order uint64) *kept {
	k := &kept{Publish: p, order: order, since: r.now}
	i := len(r.outbox)
	for i > 0 && r.outbox[i-1].order > order && r.holds(ruleOrder) && (i > 1 || r.flushing == 0) {
		i--
	}
	r.outbox = slices.Insert(r.outbox, i, k)
	r.kept[p.Message.ID] = k
	return k
}

// unqueue removes the first of the outbox.
func (r *Room) unqueue() {
	r.flushing = 0
	delete(r.kept, r.outbox[0].Message.ID)
	r.outbox[0] = nil
	if r.outbox = r.outbox[1:]; len(r.outbox) == 0 {
		r.outbox = nil
	}
}

// flush appends the outbox, one message at a time, once the room has caught up.
func (r *Room) flush() {
	r.expire() // here too: the process may have been stopped for long
	behind := len(r.subs) > 0 && !r.synced && r.holds(ruleFirst)
	if len(r.outbox) == 0 || r.flushing != 0 || r.isolated || behind {
		return
	}
	r.flushing = r.ask()
	r.do(Append{Request: r.flushing, Message: r.outbox[0].Message})
}

// expire gives up what is too old, as the log would take it for new once its key is forgotten there. Its sender has
// it still, if anybody has.
func (r *Room) expire() {
	for len(r.outbox) > 0 && r.flushing == 0 && r.now-r.outbox[0].since > r.options.MaxAge && r.holds(ruleAge) {
		m := r.outbox[0].Message
		r.unqueue()
		r.budget.give(size(m))
		r.do(Drop{Message: m})
	}
}
