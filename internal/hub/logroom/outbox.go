package logroom

import "time"

// kept is a publication in the outbox.
type kept struct {
	Publish
	since time.Duration
	told  bool // the publisher knows that the hub keeps it
}

// keep takes what is published while the hub is cut off, shows it at once to whom cannot have it, and says so.
func (r *Room) keep(p Publish) { r.show(r.queue(p)) }

// show shows a message that has no position to whom cannot have it and was not shown it, and tells its publisher.
func (r *Room) show(k *kept) {
	var to []*subscriber
	for _, s := range r.subs {
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

// queue appends to the outbox what counts in the budget already.
func (r *Room) queue(p Publish) *kept {
	k := &kept{Publish: p, since: r.now}
	r.outbox = append(r.outbox, k)
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
