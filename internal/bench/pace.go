package bench

import (
	"math"
	"time"
)

const (
	// floodBytes is how much waits for one publisher's socket where messages go as fast as they can.
	floodBytes = 32 << 10
	// heldBytes is how much waits for one publisher's socket until no more is added. What is held back so keeps its
	// planned time.
	heldBytes = 1 << 20
	// burst is how many messages are published before the sockets are looked at again.
	burst = 1024
	// never is a time that does not come.
	never = math.MaxInt64
	// grain is the least time from one look at the timetable to the next, by rate. What is due in between goes out together,
	// up to so much late, which counts as latency. Each message alone would cost a wake-up of generator and hub, which
	// on a small machine is a good part of what they cost.
	grain = int64(500 * time.Microsecond)
	// expiry is how often what waits too long is looked for.
	expiry = int64(100 * time.Millisecond)
)

// pace decides when which publisher publishes. It belongs to its load.
type pace struct {
	load  *load
	start int64
	next  uint64 // by rate: the number of the next message of all
	rests int64  // by rate: until when nothing is published
	turn  int    // otherwise: which publisher is next

	held     bool  // by rate: the next message waits for its publisher's socket
	released int64 // when such a wait last ended

	inFlight int   // with a window
	expire   int64 // when to look for what waits too long
}

// slot is a message on its way.
type slot struct {
	number uint32
	wanted int32 // deliveries that have not come, and the acknowledgement; 0: the slot is free
	sent   int64
}

// newPace returns the pace of l, and gives its publishers their rings.
func newPace(l *load) pace {
	if window := l.opts.Window; window > 0 {
		size := 16
		for size < 4*window/len(l.publishers) {
			size *= 2
		}
		for i := range l.publishers {
			l.publishers[i].ring = make([]slot, size)
		}
	}
	return pace{load: l}
}

func (p *pace) begin(now int64) { p.start, p.expire = now, now }

// due publishes what is due, and returns when it wants to be called next at the latest.
func (p *pace) due(now int64) (next int64) {
	l := p.load
	switch {
	case l.phase != publishing && l.phase != draining || len(l.publishers) == 0:
		return never
	case l.opts.Window > 0:
		return p.dueByWindow(now)
	case l.opts.Rate > 0:
		return p.dueByRate(now)
	case l.phase == draining:
		return never
	}
	return p.flood(now)
}

// plannedAt returns when a message is to be sent, by rate.
func (p *pace) plannedAt(n uint64) int64 {
	return p.start + int64(float64(n)*(float64(time.Second)/p.load.opts.Rate))
}

func (p *pace) dueByRate(now int64) int64 {
	l := p.load
	first := p.next
	for range burst {
		at := p.plannedAt(p.next)
		if at >= l.to {
			return never
		}
		if at > now {
			if p.next > first {
				p.rests = now + grain
			}
			return max(at, p.rests)
		}
		if now < p.rests {
			return p.rests
		}
		by := &l.publishers[p.next%uint64(len(l.publishers))]
		if by.conn.gone || by.sent == maxNumber {
			l.counts.unsent++
		} else if len(by.conn.out) >= heldBytes {
			p.held = true
			return never // until the socket takes more, after which this is called again
		} else {
			if p.held {
				p.held, p.released = false, now
			}
			l.publish(by, at, now)
			if l.planned(at) && at >= p.released {
				l.late.Record(time.Duration(now - at))
			}
		}
		if l.planned(at) {
			l.counts.windowOffered++
		}
		p.next++
		if l.phase == draining {
			l.recount()
		}
	}
	return now
}

// left returns how many messages were planned and not sent.
func (p *pace) left() (n uint64) {
	if p.load.opts.Rate == 0 || p.load.phase == connecting {
		return 0
	}
	for p.plannedAt(p.next+n) < p.load.to {
		n++
	}
	return n
}

func (p *pace) dueByWindow(now int64) int64 {
	l := p.load
	if now >= p.expire {
		p.giveUp(now)
		p.expire = now + expiry
	}
	if l.phase == draining {
		return p.expire
	}
	unable := 0
	for n := 0; p.inFlight < l.opts.Window && unable < len(l.publishers); n++ {
		if n == burst {
			return now
		}
		by := &l.publishers[p.turn]
		p.turn = (p.turn + 1) % len(l.publishers)
		if by.conn.gone || by.sent == maxNumber || len(by.conn.out) >= heldBytes || by.slot(by.sent).wanted > 0 {
			unable++
			continue
		}
		unable = 0
		l.publish(by, now, now)
		p.load.countOffered(now)
	}
	return p.expire
}

func (p *pace) flood(now int64) int64 {
	l := p.load
	next := int64(never)
	for i := range l.publishers {
		by := &l.publishers[i]
		for n := 0; n < burst && !by.conn.gone && by.sent < maxNumber && len(by.conn.out) < floodBytes; n++ {
			l.publish(by, now, now)
			l.countOffered(now)
			next = now
		}
	}
	return next
}

// countOffered counts a message that is sent now and was not planned before.
func (l *load) countOffered(now int64) {
	if l.planned(now) {
		l.counts.windowOffered++
	}
}

// publish has p publish a message that was to be sent at a time.
func (l *load) publish(p *publisher, at, now int64) {
	stamp{publisher: p.conn.publisher, number: p.sent, at: at}.put(l.body, l.run)
	if p.ring != nil {
		wanted := l.present[p.conn.room]
		if !l.opts.Echo {
			wanted--
		}
		if l.opts.Dialect.Acks() {
			wanted++
		}
		if wanted > 0 {
			*p.slot(p.sent) = slot{number: p.sent, wanted: int32(wanted), sent: now}
			l.pace.inFlight++
		}
	}
	p.sent++
	l.counts.published++
	l.counts.expected += uint64(l.receivers(p.conn.room))
	if l.planned(at) {
		l.counts.windowPublished++
	}
	p.conn.peer.Publish(l.at(p.conn, now), l.body)
}

func (p *publisher) slot(number uint32) *slot { return &p.ring[number&uint32(len(p.ring)-1)] }

// over notes that a message has come to one more of those that are to have it.
func (p *pace) over(by *publisher, number uint32) {
	s := by.slot(number)
	if s.number != number || s.wanted == 0 {
		return // it was given up
	}
	if s.wanted--; s.wanted == 0 {
		p.inFlight--
	}
}

// drop ends the waiting for a message.
func (p *pace) drop(by *publisher, number uint32) {
	if s := by.slot(number); s.number == number && s.wanted > 0 {
		s.wanted = 0
		p.inFlight--
	}
}

// giveUp ends the waiting for what was sent too long ago.
func (p *pace) giveUp(now int64) {
	l := p.load
	for i := range l.publishers {
		ring := l.publishers[i].ring
		for j := range ring {
			if s := &ring[j]; s.wanted > 0 && now-s.sent > int64(l.opts.GiveUp) {
				s.wanted = 0
				p.inFlight--
				l.counts.givenUp++
			}
		}
	}
}

// forget ends the waiting for what a connection that is gone has not got.
func (p *pace) forget(c *conn) {
	l := p.load
	if l.opts.Window == 0 {
		return
	}
	for i := range l.publishers {
		by := &l.publishers[i]
		if by.conn.room != c.room || by.conn == c && !l.opts.Echo {
			continue
		}
		for j := range by.ring {
			if s := &by.ring[j]; s.wanted > 0 && l.lacks(c, by, s.number) {
				p.over(by, s.number)
			}
		}
	}
}

// done reports whether nothing more is to be published. It is asked while draining.
func (p *pace) done() bool {
	return p.load.opts.Rate == 0 || p.plannedAt(p.next) >= p.load.to
}
