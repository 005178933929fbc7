package ws

import "slices"

const (
	// turnBytes is how much is taken of one connection before the next has its turn, where each frame counts for
	// frameOverhead more than its own bytes: two small messages, or as many microseconds. Where rounds are long in any
	// case, turns may be too, so that more goes out with each write: for each connection to which the last round wrote,
	// turnPerWrite comes on top, which takes a tenth of the time of a write.
	turnBytes     = 512
	turnPerWrite  = 256
	frameOverhead = 128

	// resumed is how many of those that wait with more than a turn has are gone on with in a round.
	resumed = 16
)

// turn is what is left to be taken of one connection before the next has its. It is charged for frames, control frames and
// fragments too, so that nothing that a client may send holds up the others.
type turn struct {
	conn    *conn // whose turn it is
	from    int   // up to where its decoder's bytes are charged for
	left    int   // bytes; what is larger is taken whole if there is something left
	refused bool  // some was not taken
}

// startTurn gives the turn to c.
func (l *loop) startTurn(c *conn) { l.turn = turn{conn: c, left: turnBytes + turnPerWrite*l.writes} }

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
