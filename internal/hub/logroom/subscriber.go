package logroom

// subscriber is a session in the room.
type subscriber struct {
	// immutable
	session     Session
	publisher   string
	number      uint64 // in the order of joining
	provisional bool   // takes what has no position yet

	index int // in Room.subs; -1 once it has left
	named int // so often in marks
	state state

	// Of one that is not live; the cursor of a live one is the room's.
	cursor  Position // zero: none
	arrived uint64   // catch-ups begun before it came to wait
	request uint64   // the page that its replay waits for; 0 for none
	sending bool     // a portion of its replay is on its way

	since uint64 // of one that is live: the stream brought it all beyond this offset

	stored []stored // of one that waits for its first cursor: what it is told then, where the stream begins beyond it

	history int // messages of history that it asked for and did not get yet
}

// stored is the outcome of a publication, with the log's newest epoch when it was told.
type stored struct {
	Outcome
	newest string
}

type state uint8

const (
	waiting   state = iota // for the room to know where the log is
	replaying              // gets what lies between its cursor and the room's
	live                   // has all that the room has: attached
)

// join adds a subscriber. The first has the room subscribed.
func (r *Room) join(e Join) {
	first := len(r.subs) == 0
	if old := r.publisher[e.Publisher]; old != nil {
		r.remove(old)
		r.do(Detach{Session: old.session})
	}
	r.joined++
	s := &subscriber{
		number: r.joined, session: e.Session, publisher: e.Publisher, provisional: e.Provisional,
		index: len(r.subs), cursor: e.Cursor, arrived: r.runs, history: max(e.History, 0),
	}
	r.subs = append(r.subs, s)
	r.bySession[s.session], r.publisher[s.publisher] = s, s
	r.behind++
	if first {
		r.number++
		r.do(Subscribe{Number: r.number})
		if !r.holds(ruleConfirmed) {
			r.catchUp()
		}
	}
	if !r.place(s) {
		r.catchUp()
	}
}

// leave removes a session. A room that nobody is in forgets where the log is.
func (r *Room) leave(session Session) {
	s := r.bySession[session]
	if s == nil {
		return
	}
	r.remove(s)
	if len(r.subs) > 0 {
		return
	}
	r.do(Unsubscribe{})
	r.stop()
	r.subscribed, r.synced = false, false
	r.cursor, r.forks, r.epoch, r.floor = Position{}, nil, "", 0
	r.recalling = recollection{}
	r.ring.clear()
	r.flush()
}

func (r *Room) remove(s *subscriber) {
	last := len(r.subs) - 1
	r.subs[s.index] = r.subs[last]
	r.subs[s.index].index = s.index
	r.subs[last] = nil
	r.subs = r.subs[:last]
	s.index = -1
	r.marks.forget(s)
	delete(r.bySession, s.session)
	delete(r.publisher, s.publisher)
	if s.state != live {
		r.behind--
	} else if s.history > 0 {
		r.recalls--
	}
}

// placeWaiting decides for those that wait, after a catch-up, and reports whether one of them needs another.
func (r *Room) placeWaiting() (again bool) {
	if r.behind == 0 {
		return false
	}
	for _, s := range r.subs {
		if s.state != waiting || r.place(s) {
			continue
		}
		if s.arrived < r.runs || !r.holds(ruleResumeWait) {
			r.resetOne(s)
		} else {
			again = true
		}
	}
	return again
}

// place decides where a session goes on, and reports whether that could be decided: never during a catch-up, and not
// where the room knows too little.
func (r *Room) place(s *subscriber) bool {
	if r.cursor.IsZero() || r.running {
		return r.running // the end of the catch-up decides
	}
	if s.cursor.IsZero() {
		r.attach(s, true)
		return true
	}
	i := r.forks.find(s.cursor.Epoch)
	if i < 0 && r.holds(ruleResumeEpoch) {
		return false
	}
	x := s.cursor.Offset
	if i >= 0 && i < len(r.forks)-1 {
		x = min(x, r.forks[i+1].Start-1) // the last of its epoch
	}
	if x > r.cursor.Offset {
		if r.holds(ruleResumeBeyond) {
			return false // unknown, or not yet read, or lost
		}
		x = r.cursor.Offset
	}
	if x < s.cursor.Offset {
		at := r.forks.At(x)
		if r.holds(ruleResumeOrphans) {
			r.do(Orphans{Session: s.session, At: at, To: s.cursor.Offset})
		}
		s.cursor = at
	}
	s.state = replaying
	if !s.sending {
		r.replay(s)
	}
	return true
}

// attach makes s live.
func (r *Room) attach(s *subscriber, fresh bool) {
	s.state, s.cursor, s.request, s.sending = live, Position{}, 0, false
	s.since = r.cursor.Offset
	r.behind--
	r.do(Attach{Session: s.session, At: r.cursor, Fresh: fresh})
	for _, o := range s.stored {
		if o.newest == r.epoch && o.At.Offset <= r.cursor.Offset {
			r.do(o.Outcome)
		}
	}
	s.stored = nil
	if s.history > 0 {
		r.recalls++
		r.recall(s)
	}
}

// resetOne has one session go on at the room's cursor.
func (r *Room) resetOne(s *subscriber) {
	r.do(Reset{Session: s.session, At: r.cursor})
	r.attach(s, false)
}

// at returns the cursor of s; zero for none.
func (r *Room) at(s *subscriber) Position {
	if s.state == live {
		return r.cursor
	}
	return s.cursor
}
