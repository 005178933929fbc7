package logroom_test

// checkSound is the second half of I7: whoever heard all since the subscription was confirmed, and waits for nothing,
// is at the log's end, without any position check.
func (w *world) checkSound() {
	for _, h := range w.hubs {
		h.each(func(r *room) {
			if !r.confirmed || r.unsound || r.core.Running() || len(r.joined) == 0 {
				return
			}
			if l := w.primary.log(r.number); l != nil && !w.atTop(r, l) {
				w.fail("I7", "%v heard everything and is at %v of %s:%d", r, r.core.Position(), l.epoch, l.top)
			}
		})
	}
}

func (w *world) atTop(r *room, l *log) bool {
	at := r.core.Position()
	return at.Offset == l.top && w.truth.on(l.epoch, at) && r.core.Epoch() == l.epoch
}

// checkEnd compares everything with the logs, after all has come to rest.
func (w *world) checkEnd() {
	for _, h := range w.hubs {
		if !h.connected {
			w.fail("end", "%s is not connected", h.name)
		}
		if used := h.budget.Used(); used != 0 {
			w.fail("end", "%s holds %d bytes of messages", h.name, used)
		}
		h.each(func(r *room) {
			l := w.primary.log(r.number)
			if len(r.joined) == 0 {
				return
			}
			if !r.core.Quiet() {
				w.fail("end", "%v is not at rest: %+v", r, r.core.Sizes())
			}
			if l == nil || !w.atTop(r, l) {
				w.fail("I7", "%v is at %v, newest %s, and the log is %+v", r, r.core.Position(), r.core.Epoch(), l)
			}
		})
	}
	for _, c := range w.clients {
		w.checkClient(c)
	}
}

// checkClient compares a client's record with the log: it is at its end, and all that it was shown is there, in its
// place; the steps checked that nothing between was left out.
func (w *world) checkClient(c *client) {
	if c.conn == nil {
		w.fail("end", "%s is not connected", c.id)
		return
	}
	if len(c.outbox) > 0 {
		w.fail("end", "%s still has %s in its outbox", c.id, c.outbox[0].message.ID)
	}
	l := w.primary.log(c.room)
	if l == nil {
		return
	}
	for _, e := range c.acked {
		if w.config.lossless && !w.truth.on(l.epoch, e.At) {
			w.fail("I6", "%s was told that a message is stored at %v, and it is not", c.id, e.At)
		}
	}
	if c.kind == publisher {
		return
	}
	if c.cursor.Offset != l.top || !w.truth.on(l.epoch, c.cursor) {
		w.fail("end", "%s is at %v, and the log at %s:%d", c.id, c.cursor, l.epoch, l.top)
	}
	if len(c.shown) > 0 {
		w.fail("end", "%s still waits for the positions of %v", c.id, c.shown)
	}
	for id, at := range c.screen {
		if at.IsZero() && !c.unconfirmed[id] {
			w.fail("end", "%s shows %s, which has no position", c.id, id)
		} else if !at.IsZero() && !w.truth.on(l.epoch, at) && w.truth.entries[place{c.room, at}] == id {
			w.fail("I4", "%s shows %s at %v, which is lost, and was not told", c.id, id, at)
		}
	}
}
