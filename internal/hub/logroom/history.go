package logroom

// recall gives a session that is live the history that it asked for: from the ring, or a page read for it. History is
// not the stream: all of it lies at or behind the cursor, its messages are whole, one's own too, and the client
// leaves out what it has.
func (r *Room) recall(s *subscriber) {
	after := r.cursor.Offset - min(r.cursor.Offset, uint64(s.history))
	entries, ok := r.ring.after(after)
	switch {
	case ok || after == r.cursor.Offset:
		r.tell(s, entries)
	case r.isolated: // better what is here than nothing
		r.tell(s, r.ring.entries[r.ring.start:])
	default:
		r.readFor(s, r.forks.At(after), s.history)
	}
}

// recalled takes the page that was read for it. A log that was trimmed is read from its oldest entry.
func (r *Room) recalled(s *subscriber, p *Page) {
	if p.Reset && p.Before < p.Top {
		r.readFor(s, p.Forks.At(p.Before), s.history)
		return
	}
	n := 0
	for n < len(p.Entries) && p.Entries[n].At.Offset <= r.cursor.Offset {
		n++
	}
	r.tell(s, p.Entries[:n])
}

// tell sends history. What was shown without a position has one now, and can be lost with it like any other.
func (r *Room) tell(s *subscriber, entries []Entry) {
	s.history = 0
	r.recalls--
	for _, e := range entries {
		if r.holds(ruleRecalled) {
			r.marks.forget(e.Message.ID, s.publisher)
		}
	}
	r.do(History{Session: s.session, Entries: append([]Entry(nil), entries...)})
}
