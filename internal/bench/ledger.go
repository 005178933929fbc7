package bench

import "time"

// ledger has what did not come in its turn: for a connection and a place among the publishers of its room, which
// numbers below the next one are missing. What comes in its turn does not touch it.
type ledger map[pair][]gap

// pair is a connection, and a publisher of its room.
type pair struct{ conn, place int }

// gap is the missing numbers from from, included, to to.
type gap struct{ from, to uint32 }

// miss notes that numbers are missing.
func (l ledger) miss(p pair, g gap) { l[p] = append(l[p], g) }

// find takes a number out of what is missing, and reports whether it was. The newest gaps are looked at first, as what
// comes late seldom comes very late.
func (l ledger) find(p pair, number uint32) bool {
	gaps := l[p]
	for i := len(gaps) - 1; i >= 0; i-- {
		g := gaps[i]
		if number >= g.to {
			return false // they stand in order
		}
		if number < g.from {
			continue
		}
		parts := make([]gap, 0, 2)
		if g.from < number {
			parts = append(parts, gap{g.from, number})
		}
		if number+1 < g.to {
			parts = append(parts, gap{number + 1, g.to})
		}
		l[p] = append(gaps[:i:i], append(parts, gaps[i+1:]...)...)
		return true
	}
	return false
}

// lacks reports whether a number is missing.
func (l ledger) lacks(p pair, number uint32) bool {
	for _, g := range l[p] {
		if g.from <= number && number < g.to {
			return true
		}
	}
	return false
}

// count returns how many numbers are missing.
func (l ledger) count(p pair) (n uint64) {
	for _, g := range l[p] {
		n += uint64(g.to - g.from)
	}
	return n
}

// message notes that body came to c.
func (l *load) message(c *conn, body []byte, now int64) {
	s, ok := readStamp(body, l.mark)
	if !ok || len(body) != len(l.body) || s.publisher >= len(l.publishers) {
		l.counts.strange++
		return
	}
	p := &l.publishers[s.publisher]
	if p.conn.room != c.room || s.number >= p.sent || s.at > now {
		l.counts.strange++
		return
	}
	if p.conn == c && !l.opts.Echo {
		l.counts.echoed++
		return
	}
	switch next := c.next[p.place]; {
	case s.number == next:
		c.next[p.place]++
	case s.number > next:
		if l.ledger == nil {
			l.ledger = ledger{}
		}
		l.ledger.miss(pair{c.index, p.place}, gap{next, s.number})
		c.next[p.place] = s.number + 1
	case l.ledger.find(pair{c.index, p.place}, s.number):
		l.counts.outOfOrder++
	default:
		l.counts.duplicates++
		return
	}
	l.counts.delivered++
	if l.inWindow(now) {
		l.counts.windowDeliveries++
	}
	if l.planned(s.at) {
		l.delay.Record(time.Duration(now - s.at))
	}
	if p.ring != nil {
		l.pace.over(p, s.number)
	}
	if l.phase == draining {
		l.checkSettled()
	}
}

// planned reports whether a message that was to be sent at a time is one of those that are measured. Times in stamps
// are rounded down, and so are the bounds.
func (l *load) planned(at int64) bool {
	return l.from>>timeShift <= at>>timeShift && at>>timeShift < l.to>>timeShift
}

// acked notes that a message of c was acknowledged.
func (l *load) acked(c *conn, key, scope []byte, now int64) {
	s, ok := readStamp(key, l.mark)
	if !ok || s.publisher != c.publisher || s.number >= l.publishers[s.publisher].sent || s.at > now {
		l.counts.strange++
		return
	}
	count(l.acks, scope)
	l.counts.acked++
	if l.planned(s.at) {
		l.ack.Record(time.Duration(now - s.at))
	}
	if p := &l.publishers[s.publisher]; p.ring != nil {
		l.pace.over(p, s.number)
	}
	if l.phase == draining {
		l.checkSettled()
	}
}

// refused notes that the server did not take a message of c. It stays one that was to come.
func (l *load) refused(c *conn, key, why []byte) {
	count(l.noes, why)
	s, ok := readStamp(key, l.mark)
	if !ok || s.publisher != c.publisher || s.number >= l.publishers[s.publisher].sent {
		return
	}
	l.counts.acked++
	if p := &l.publishers[s.publisher]; p.ring != nil {
		l.pace.drop(p, s.number)
	}
	if l.phase == draining {
		l.checkSettled()
	}
}
