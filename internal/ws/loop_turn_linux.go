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

	// controlOverhead is what a control frame counts for more than its own bytes. A ping is answered, most of the time with a
	// write of its own; clients that want to know whether the hub is there send one in some seconds.
	controlOverhead = 1 << 10

	// turnRate, in bytes a microsecond, is what a connection may send as long as others do: some 100,000 small messages
	// a second. What it does not send it saves up to turnBurst, for a longer turn: so who sends some dozens of messages now
	// and then has them all go out in one write. Who floods has saved nothing, and after each turn owes its time: what it
	// sends costs the others more than its turns, as all that follows from it has to be stored, collected and written too.
	turnRate  = 16
	turnBurst = 16 << 10

	// debtMost is for how long a connection waits for its next turn at most, whatever it sent.
	debtMost = 100 * time.Millisecond

	// turnAlone is what comes on top where nothing was read from anybody else for aloneAfter: nobody is there to wait, and the
	// more is taken at once, the more goes out in one write, and in one call of Redis. Nor does one owe anything then.
	turnAlone  = 64 << 10
	aloneAfter = time.Second

	// resumed is how many of those that wait with more than a turn has are gone on with in a round.
	resumed = 16
)

// turn is what is left to be taken of one connection before the next has its. It is charged for frames, control frames and
// fragments too, so that nothing that a client may send holds up the others.
type turn struct {
	conn    *conn         // whose turn it is
	now     time.Duration // when it began, by the server's clock
	alone   bool          // nobody else is there
	saved   time.Duration // for which the connection had saved
	given   int           // bytes
	left    int           // bytes of those; what is larger is taken whole if there is something left
	from    int           // up to where its decoder's bytes are charged for
	refused bool          // some was not taken
}

// startTurn gives the turn to c, which is not in debt, from now until endTurn.
func (l *loop) startTurn(c *conn, now time.Duration) {
	alone := l.alone(c, now)
	saved := min(c.engine.saving(now), turnBurst/turnRate*time.Microsecond)
	given := turnBytes + turnPerWrite*l.writes + turnRate*int(max(saved, 0)/time.Microsecond)
	if alone {
		given += turnAlone
	}
	l.turn = turn{conn: c, now: now, alone: alone, saved: saved, given: given, left: given}
}

// endTurn takes what was used of the turn from what the connection has saved.
func (l *loop) endTurn() {
	t := &l.turn
	if p := &t.conn.engine.polled; !p.readDone {
		saved := t.saved - time.Duration(t.given-t.left)*time.Microsecond/turnRate
		if t.alone {
			saved = max(saved, 0)
		}
		p.account = micros(t.now - max(saved, -debtMost))
	}
	t.conn = nil
}

// saving returns for how long the connection has saved, or owes, where it is less than nothing.
func (p *polled) saving(now time.Duration) time.Duration {
	since := time.Duration(int32(micros(now)-p.account)) * time.Microsecond
	if since < -debtMost {
		return turnBurst / turnRate * time.Microsecond // it was silent for more than half an hour
	}
	return since
}

// micros is a time in microseconds, of which the lowest bits are kept.
func micros(t time.Duration) uint32 { return uint32(t / time.Microsecond) }

// inDebt reports whether c has to wait, so that others have their time.
func (l *loop) inDebt(c *conn, now time.Duration) bool {
	return !c.engine.readDone && c.engine.saving(now) < 0 && !l.alone(c, now)
}

// voice is when something was read from a connection.
type voice struct {
	conn *conn
	at   time.Duration // by the server's clock
}

// hear notes that something can be read from c.
func (l *loop) hear(c *conn, now time.Duration) {
	if l.last.conn != c {
		l.other = l.last
	}
	l.last = voice{c, now}
}

// alone reports whether nothing was read from anybody but c lately.
func (l *loop) alone(c *conn, now time.Duration) bool {
	other := l.last
	if other.conn == c {
		other = l.other
	}
	return other.conn == nil || now-other.at > aloneAfter
}

// mayDecode reports whether another frame of the connection whose turn it is may be worked on, and charges for it.
func (l *loop) mayDecode() bool {
	l.charge()
	t := &l.turn
	if t.left <= 0 || !l.may() || t.conn.session.FarBehind() {
		t.refused = true
		return false
	}
	if t.conn.reading.decoder.atControl() {
		t.left -= controlOverhead
	} else {
		t.left -= frameOverhead
	}
	return true
}

// charge charges for what was decoded since it was called last.
func (l *loop) charge() {
	at := l.turn.conn.reading.decoder.start
	l.turn.left -= at - l.turn.from
	l.turn.from = at
}

// resume goes on with some of those of which more was received than could be worked on, in turns. Those that have more yet
// stand behind the others then, or who floods would have each.
func (l *loop) resume() {
	for n := min(resumed, len(l.paused)); n > 0 && l.may(); n-- {
		c, now := l.paused[0], l.now()
		l.paused = slices.Delete(l.paused, 0, 1)
		if l.inDebt(c, now) {
			l.paused = append(l.paused, c)
			continue
		}
		p := &c.engine.polled
		p.paused = false
		if p.fd >= 0 && !p.readDone {
			l.startTurn(c, now)
			l.decode(c)
			l.readSecure(c)
			l.endTurn()
		}
		if p.fd >= 0 && p.muted && !p.paused {
			p.muted = false
			l.watch(c)
		}
	}
}

// resumable reports whether there is somebody to go on with, who does not wait for the log. For one in debt the loop does
// not rest meanwhile: to be woken costs the others more than it costs the loop to look for them.
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
