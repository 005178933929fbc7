package logroom

// goOn resumes what waits for no page: the last one failed, or was of no use.
func (r *Room) goOn() {
	if r.behind+r.recalls == 0 {
		return
	}
	for _, s := range r.subs {
		switch {
		case s.request != 0 || s.sending:
		case s.state == replaying:
			r.replay(s)
		case s.state == live && s.history > 0:
			r.recall(s)
		}
	}
}

// readFor reads a page for one session.
func (r *Room) readFor(s *subscriber, from Position, limit int) {
	s.request = r.ask()
	r.pages[s.request] = s
	r.do(ReadPage{Request: s.request, From: from, Limit: limit})
}

// waitsFor returns the subscriber that waits for the answer to request, and now no more; nil if there is none.
func (r *Room) waitsFor(request uint64) *subscriber {
	s := r.pages[request]
	delete(r.pages, request)
	if s == nil || s.request != request || r.bySession[s.session] != s {
		return nil
	}
	s.request = 0
	return s
}

// sessionPage takes a page that was read for s. It may be older or newer than what the room knows, and is then of no
// use: the room catches up first.
func (r *Room) sessionPage(s *subscriber, p *Page) {
	switch {
	case (p.Epoch != r.epoch || p.Orphans > 0) && r.holds(ruleReplayEpoch):
		s.state, s.arrived = waiting, r.runs
		r.catchUp()
	default:
		r.replayPage(s, p)
	}
}

// replay sends s what it lacks, from the ring or a page read for it, one portion at a time: a client that comes back
// from afar must not be too slow before it has begun.
func (r *Room) replay(s *subscriber) {
	if s.cursor.Offset < r.cursor.Offset {
		entries, ok := r.ring.after(s.cursor.Offset)
		if !ok {
			if !r.isolated {
				r.readFor(s, s.cursor, r.options.Page)
			}
			return
		}
		r.send(s, entries)
	}
	if s.cursor.Offset == r.cursor.Offset {
		r.attach(s, false)
	}
}

// ready goes on once the client has taken a portion.
func (r *Room) ready(session Session) {
	s := r.bySession[session]
	if s == nil {
		return
	}
	s.sending = false
	if s.state == replaying && s.request == 0 {
		r.replay(s)
	}
}

// replayPage sends what was read for s.
func (r *Room) replayPage(s *subscriber, p *Page) {
	if p.Reset {
		if r.holds(ruleReplayTrimmed) {
			r.resetOne(s)
		} else {
			r.attach(s, false)
		}
		return
	}
	n := 0
	for n < len(p.Entries) && (p.Entries[n].At.Offset <= r.cursor.Offset || !r.holds(ruleReplayBound)) {
		n++
	}
	if n == 0 {
		return // of a log that ends before the room's cursor: another catch-up or tick goes on
	}
	r.send(s, p.Entries[:n])
	if s.cursor.Offset == r.cursor.Offset {
		r.attach(s, false)
	}
}

// send sends a portion of entries to s, whose cursor moves to the last.
func (r *Room) send(s *subscriber, entries []Entry) {
	n, bytes := 0, 0
	for n < min(len(entries), r.options.Page) {
		if bytes += size(entries[n].Message); n > 0 && bytes > r.options.Portion {
			break
		}
		n++
	}
	entries = entries[:n]
	items := make([]Item, n)
	for i, e := range entries {
		held := e.Message.From.ID == s.publisher && r.holds(ruleOwn) || r.marks.of[e.Message.ID].holds(s)
		items[i] = Item{Entry: e, Held: held}
		r.marks.settle(e.Message.ID, s)
	}
	s.cursor, s.sending = entries[n-1].At, true
	r.do(Replay{Session: s.session, Items: items})
}
