package ws

import (
	"slices"
	"time"
)

const (
	// turnBytes is how much is taken of one connection before the next has its turn, where each frame counts for
	// frameOverhead more than its own bytes: two small messages, or as many microseconds. Where rounds are long in any
	// case, turns may be too, so that more goes out with each write: for each connection to which the last round wrote,
	// turnPerWrite comes on top, which takes a tenth of the time of a write.
	turnBytes     = 512
	turnPerWrite  = 256
	frameOverhead = 128

	// turnRate, in bytes a microsecond, is what a connection saves up to turnBurst, for a longer turn: so who sends some
	// dozens of messages now and then has them all go out in one write, as 150,000 small ones a second would, and who
	// floods has saved nothing.
	turnRate  = 32
	turnBurst = 16 << 10

	// turnAlone is what comes on top where nothing was read from anybody else for aloneAfter: nobody is there to wait, and the
	// more is taken at once, the more goes out in one write, and in one call of Redis.
	turnAlone  = 64 << 10
	aloneAfter = time.Second

	// resumed is how many of those that wait with more than a turn has are gone on with in a round.
	resumed = 16
)

// turn is what is left to be taken of one connection before the next has its. It is charged for frames, control frames and
// fragments too, so that nothing that a client may send holds up the others.
type turn struct {
	conn    *conn  // whose turn it is
	now     uint32 // when it began, in microseconds of the server's clock
	saved   int    // bytes of it that the connection had saved
	given   int    // bytes
	left    int    // bytes of those; what is larger is taken whole if there is something left
	from    int    // up to where its decoder's bytes are charged for
	refused bool   // some was not taken
}

// startTurn gives the turn to c.
func (l *loop) startTurn(c *conn) {
	l.turn.end()
	clock := l.now()
	now := uint32(clock / time.Microsecond)
	since := int(int32(now - c.engine.account)) // after half an hour of silence it may be negative, which does no harm
	saved := turnRate * min(max(since, 0), turnBurst/turnRate)
	given := turnBytes + turnPerWrite*l.writes + saved
	if l.alone(c, clock) {
		given += turnAlone
	}
	l.turn = turn{conn: c, now: now, saved: saved, given: given, left: given}
}

// voice is when something was read from a connection.
type voice struct {
	conn *conn
	at   time.Duration // by the server's clock
}

// hear notes that something can be read from c.
func (l *loop) hear(c *conn) {
	if l.last.conn != c {
		l.other = l.last
	}
	l.last = voice{c, l.now()}
}

// alone reports whether nothing was read from anybody but c lately.
func (l *loop) alone(c *conn, now time.Duration) bool {
	other := l.last
	if other.conn == c {
		other = l.other
	}
	return other.conn == nil || now-other.at > aloneAfter
}

// end takes what was used of the turn from what the connection has saved.
func (t *turn) end() {
	if t.conn != nil && !t.conn.engine.readDone {
		t.conn.engine.account = t.now - uint32(max(t.saved-(t.given-t.left), 0)/turnRate)
	}
}

// mayDecode reports whether another frame of the connection whose turn it is may be worked on, and charges for it.
func (l *loop) mayDecode() bool {
	l.charge()
	t := &l.turn
	if t.left <= 0 || !l.may() || t.conn.session.FarBehind() {
		t.refused = true
		return false
	}
	t.left -= frameOverhead
	return true
}

// charge charges for what was decoded since it was called last.
func (l *loop) charge() {
	at := l.turn.conn.reading.decoder.start
	l.turn.left -= at - l.turn.from
	l.turn.from = at
}

// resume goes on with some of those of which more was received than could be worked on, in turns.
func (l *loop) resume() {
	paused := l.paused
	l.paused = nil
	for i, c := range paused {
		if i == resumed || !l.may() { // the others go before those that had their turn, or who floods would have each
			l.paused = append(paused[i:], l.paused...)
			return
		}
		p := &c.engine.polled
		p.paused = false
		if p.fd >= 0 && !p.readDone {
			l.startTurn(c)
			l.decode(c)
			l.readSecure(c)
		}
		if p.fd >= 0 && p.muted && !p.paused {
			p.muted = false
			l.watch(c)
		}
	}
}

// resumable reports whether there is somebody to go on with: whose turn comes, and who does not wait for the log.
func (l *loop) resumable() bool {
	return slices.ContainsFunc(l.paused, func(c *conn) bool { return !c.session.FarBehind() })
}

// pause reads nothing more of c, until resume. The kernel is told if it says that there is more: often c goes on before.
func (l *loop) pause(c *conn) {
	p := &c.engine.polled
	if p.paused {
		return
	}
	p.paused = true
	l.paused = append(l.paused, c)
}
