package logroom

// History is what the ring holds: asked for by a session that has just come to be live, and not the stream. All of it
// lies at or behind the cursor, its messages are whole, one's own too, and the client leaves out what it has. Where the
// ring does not reach back far enough it is filled from the log, once for all who wait: when a hub begins, thousands
// may want it.

// recollection is the filling of the ring from before its oldest entry.
type recollection struct {
	request uint64  // the page that it waits for; 0 while none is under way
	entries []Entry // read so far, oldest first and without a hole
	bytes   int
}

// recall gives a session that is live the history that it asked for, or has it wait.
func (r *Room) recall(s *subscriber) {
	after := max(r.cursor.Offset-min(r.cursor.Offset, uint64(s.history)), r.floor)
	if _, ok := r.ring.after(after); ok || after == r.cursor.Offset || r.ring.full() || r.isolated {
		r.tell(s)
		return
	}
	if r.recalling.request == 0 {
		r.recalling = recollection{}
		r.recallOn(r.forks.At(after))
	}
}

// recallOn reads what the ring lacks beyond a position.
func (r *Room) recallOn(from Position) {
	r.recalling.request = r.ask()
	limit := int(min(r.ringBegins()-from.Offset, uint64(r.options.Page)))
	r.do(ReadPage{Request: r.recalling.request, From: from, Limit: limit})
}

// ringBegins returns the offset before the oldest entry of the ring, or the cursor's where it is empty.
func (r *Room) ringBegins() uint64 {
	if r.ring.len() == 0 {
		return r.cursor.Offset
	}
	return r.ring.entries[r.ring.start].At.Offset - 1
}

// recalled takes a page that was read for the ring. A log that was trimmed is read from its oldest entry. A page that
// does not fit what the room knows is of no use: the room catches up first.
func (r *Room) recalled(p *Page) {
	r.recalling.request = 0
	if (p.Epoch != r.epoch || p.Orphans > 0) && r.holds(ruleReplayEpoch) {
		r.recalling = recollection{}
		r.catchUp()
		return
	}
	end := r.ringBegins()
	if p.Reset && r.floor < p.Before && p.Before < end {
		r.floor = p.Before
		r.recalling = recollection{}
		r.recallOn(r.forks.At(p.Before))
		return
	}
	for _, e := range p.Entries {
		if e.At.Offset <= end {
			r.recalling.add(e, r.options)
		}
	}
	if n := len(p.Entries); n > 0 && p.Entries[n-1].At.Offset < end && !r.ring.full() {
		r.recallOn(r.forks.At(p.Entries[n-1].At.Offset)) // its own epoch may not be listed any more
		return
	}
	r.ring.prepend(r.recalling.entries, end)
	r.recalling = recollection{}
	grew := r.ringBegins() < end
	for _, s := range r.subs {
		switch {
		case s.state != live || s.history == 0:
		case grew:
			r.recall(s) // who wants more than who was first has it read on
		default:
			r.tell(s)
		}
	}
}

// add appends an entry that was read, and keeps no more than a ring would.
func (c *recollection) add(e Entry, o Options) {
	c.entries = append(c.entries, e)
	c.bytes += size(e.Message)
	for len(c.entries) > o.Ring || len(c.entries) > 1 && c.bytes > o.RingBytes {
		c.bytes -= size(c.entries[0].Message)
		c.entries = c.entries[1:]
	}
}

// tell sends as much of the history as is in the ring and goes out at once. What was shown without a position has one
// now, and can be lost with it like any other.
func (r *Room) tell(s *subscriber) {
	entries := r.ring.entries[r.ring.start:]
	entries = entries[max(0, len(entries)-s.history):]
	s.history = 0
	r.recalls--
	first, bytes := len(entries), 0
	for first > 0 && (bytes == 0 || bytes+size(entries[first-1].Message) <= r.options.Portion) {
		first--
		bytes += size(entries[first].Message)
	}
	entries = entries[first:]
	for _, e := range entries {
		if r.holds(ruleRecalled) {
			r.marks.settle(e.Message.ID, s)
		}
	}
	r.do(History{Session: s.session, Entries: append([]Entry(nil), entries...)})
}
