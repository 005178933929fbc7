package logroom

// confirmed notes that publications arrive from now on. What came before is read.
func (r *Room) confirmed(number uint64) {
	if len(r.subs) == 0 || number != r.number {
		return // of a subscription that is over
	}
	r.subscribed = true
	if !r.holds(ruleConfirmed) && (r.running || !r.cursor.IsZero()) {
		return
	}
	r.catchUp()
}

// catchUp starts a catch-up, or has another follow the one under way. Where it cannot be done now, the confirmation
// of the subscription or the connection starts it.
func (r *Room) catchUp() {
	switch {
	case len(r.subs) == 0 || r.isolated || !r.subscribed && r.holds(ruleConfirmed):
	case r.running:
		r.again = r.holds(ruleAgain)
	default:
		r.running, r.again = true, false
		r.runs++
		r.readOn()
	}
}

// readOn asks for what follows the cursor. A room that has none begins where it can serve those that wait, and some
// that will come, from its ring: when a hub died, thousands resume elsewhere.
func (r *Room) readOn() {
	from := r.cursor
	if from.IsZero() {
		for _, s := range r.subs {
			if !s.cursor.IsZero() && (from.IsZero() || s.cursor.Offset < from.Offset) {
				from = s.cursor
			}
		}
		from.Offset -= min(from.Offset, uint64(r.options.Ring/2))
	}
	r.awaited, r.from = r.ask(), from
	r.do(ReadPage{Request: r.awaited, From: from, Limit: r.options.Page})
}

// abandon ends a catch-up whose answer will not come or whose subscription is gone. The next confirmation starts
// anew.
func (r *Room) abandon() {
	if r.holds(ruleLostEnds) {
		r.stop()
	}
}

// stop ends a catch-up, whatever it was at.
func (r *Room) stop() {
	r.running, r.again, r.awaited = false, false, 0
	r.buffer, r.buffered = nil, 0
}

// read takes the page that the catch-up or a session waits for.
func (r *Room) read(e Read) {
	if len(e.Page.Forks) == 0 {
		r.readFailed(e.Request) // of no log
		return
	}
	if s := r.waitsFor(e.Request); s != nil {
		r.sessionPage(s, &e.Page)
	} else if e.Request == r.recalling.request {
		r.recalled(&e.Page)
	} else if r.running && (e.Request == r.awaited || !r.holds(ruleAwaited)) {
		r.page(&e.Page)
	}
}

func (r *Room) readFailed(request uint64) {
	if r.running && request == r.awaited {
		r.stop()
		r.again = true // at the next tick
		return
	}
	if request == r.recalling.request {
		r.recalling = recollection{} // likewise
		return
	}
	r.waitsFor(request) // waits no more: likewise
}

// page goes on with the catch-up.
func (r *Room) page(p *Page) {
	r.forks, r.epoch = p.Forks, p.Epoch
	first := r.cursor.IsZero()
	switch {
	case first:
		r.begin(p)
	case p.Reset:
		r.reset(r.forks.At(p.Top))
	case p.Orphans > 0:
		r.orphans(p.Orphans - 1)
	}
	before := r.cursor.Offset
	for _, e := range p.Entries {
		if e.At.Offset == r.cursor.Offset+1 {
			r.deliver(e)
		}
	}
	if first && p.Top-r.cursor.Offset > uint64(r.options.Ring) {
		r.begin(&Page{Forks: p.Forks, Top: p.Top}) // too far for the ring
	}
	if before < r.cursor.Offset && r.cursor.Offset < p.Top {
		r.readOn()
		return
	}
	if r.holds(ruleName) {
		r.cursor = r.forks.At(r.cursor.Offset)
	}
	r.caughtUp()
}

// begin sets the cursor of a room that has none: where the first read began if the log goes on from there, and else
// at the log's end.
func (r *Room) begin(p *Page) {
	r.ring.clear()
	r.floor, r.recalling = 0, recollection{}
	switch {
	case r.from.IsZero() || p.Reset || len(p.Entries) == 0:
		r.cursor = r.forks.At(p.Top)
	default:
		r.cursor = r.forks.At(p.Entries[0].At.Offset - 1)
	}
}

// caughtUp ends a catch-up: sessions that wait are placed, and what came meanwhile follows on.
func (r *Room) caughtUp() {
	again, buffer := r.again, r.buffer
	r.stop()
	r.synced = true
	if r.placeWaiting() || again {
		r.catchUp() // what came meanwhile waits for it
	}
	for _, e := range buffer {
		r.live(e)
	}
	r.goOn()
	r.flush()
}

// live takes an entry as it was published.
func (r *Room) live(e Entry) {
	if r.running && r.holds(ruleBuffer) {
		r.wait(e)
		return
	}
	if r.cursor.IsZero() {
		return // what was published before the first read is in it
	}
	newest := r.epoch
	if !r.holds(ruleNewest) {
		newest = r.cursor.Epoch
	}
	if e.At.Epoch != newest && r.holds(ruleEpoch) {
		// A listed epoch is over: this is late, and was read, or is lost. One that is not listed has just begun.
		if r.forks.find(e.At.Epoch) < 0 {
			r.catchUp()
		}
		return
	}
	switch {
	case e.At.Offset <= r.cursor.Offset:
		if !r.holds(ruleBehind) {
			r.deliver(e)
		}
	case e.At.Offset == r.cursor.Offset+1 || !r.holds(ruleGap):
		r.deliver(e)
	default:
		r.catchUp()
	}
}

// wait keeps a live entry until the catch-up is over. What does not fit is read again.
func (r *Room) wait(e Entry) {
	if len(r.buffer) >= r.options.Buffer || r.buffered > r.options.BufferBytes {
		r.buffer, r.buffered = nil, 0
		r.again = r.again || r.holds(ruleOverflow)
	}
	r.buffer = append(r.buffer, e)
	r.buffered += size(e.Message)
}

// deliver moves the cursor to the next entry and sends it to all that are attached.
func (r *Room) deliver(e Entry) {
	r.cursor = e.At
	r.ring.push(e)
	if len(r.subs) == r.behind {
		return
	}
	d := Deliver{Entry: e}
	own := r.publisher[e.Message.From.ID]
	if own != nil && own.state == live && r.holds(ruleOwn) {
		d.Holders = append(d.Holders, own.session)
	}
	for _, s := range r.takeHolders(e.Message.ID) {
		if s != own {
			d.Holders = append(d.Holders, s.session)
		}
	}
	r.do(d)
}

// orphans sets the room back to offset x: what it delivered beyond is lost, and whoever got it is told.
func (r *Room) orphans(x uint64) {
	at, lost := r.forks.At(x), r.cursor.Offset
	if r.holds(ruleOrphans) && len(r.subs) > r.behind && lost > x {
		r.do(Orphans{At: at, To: lost})
	}
	r.cursor = at
	if r.holds(ruleGone) {
		r.recalling = recollection{}
	}
	if r.holds(ruleCut) {
		r.ring.cut(x)
	}
	for _, s := range r.subs {
		if s.state == replaying && s.cursor.Offset > x && r.holds(ruleOrphansReplay) {
			r.do(Orphans{Session: s.session, At: at, To: s.cursor.Offset})
			s.cursor, s.request = at, 0
		}
	}
}

// reset goes on at the end of a log that does not follow on from the cursor.
func (r *Room) reset(at Position) {
	r.cursor, r.floor = at, 0
	r.ring.clear()
	if r.holds(ruleGone) {
		r.recalling = recollection{}
	}
	if r.holds(ruleReset) && len(r.subs) > r.behind {
		r.do(Reset{At: at})
	}
	for _, s := range r.subs {
		if r.holds(ruleSkipped) {
			s.since = at.Offset
		}
		if s.state == replaying && r.holds(ruleResetReplay) {
			s.state, s.request = waiting, 0 // placed when the catch-up is over
		}
	}
}

// check compares the room with where the log really ends. An older offset is an answer that was overtaken; an epoch
// is never taken for that, as an old primary that is back has one that is listed.
func (r *Room) check(t Top) {
	switch {
	case !r.holds(ruleCheck):
	case t.Epoch != r.epoch:
		r.catchUp()
	case t.Offset > r.cursor.Offset:
		r.owe(t.Offset)
	}
}

// answered takes an entry as the answer to its publication says it. Where it is not the next, its copy comes behind
// those of what lies between.
func (r *Room) answered(e Entry) {
	next := !r.running && !r.cursor.IsZero() && e.At.Epoch == r.epoch && e.At.Offset == r.cursor.Offset+1
	switch {
	case next || !r.holds(ruleAnswer):
		r.live(e)
	case e.At.Offset > r.cursor.Offset:
		r.owe(e.At.Offset)
	}
}

// owe notes that the log has an entry whose copy is on its way. It is not read at once: a hub that is busy hears of many
// such, and what it read of a log that grows fast might be trimmed before the answer is here, while all of it came.
func (r *Room) owe(offset uint64) {
	if r.owed <= r.cursor.Offset {
		r.owed, r.owedBy = offset, r.now+r.options.Patience
	}
}

// overdue reads what did not come in time.
func (r *Room) overdue() {
	if r.owed > r.cursor.Offset && r.now >= r.owedBy && r.holds(ruleOwed) {
		r.owed = 0
		r.catchUp()
	}
}
