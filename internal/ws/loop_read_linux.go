package ws

import (
	"errors"
	"io"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// ready does what an event asks for. It may be stale: the descriptor's number may be another connection's by now.
func (l *loop) ready(e epoll.Event) {
	if e.FD >= len(l.conns) {
		return
	}
	c := l.conns[e.FD]
	if c == nil || c.engine.serial != e.Serial {
		return
	}
	p := &c.engine.polled
	if e.Writable && p.blocked {
		p.blocked = false
		l.watch(c)
		c.mu.Lock()
		l.wakeIn(&l.bulk, c)
		c.mu.Unlock()
	}
	if e.Readable {
		l.read(c)
	}
}

// read reads once. Where more is there, the kernel says so again.
func (l *loop) read(c *conn) {
	p, now := &c.engine.polled, l.now()
	switch {
	case p.readDone && !p.paused:
		l.skim(c)
		return
	case p.paused:
		if !p.muted {
			p.muted = true
			l.watch(c)
		}
		return
	case c.speaks != events && !l.may() || l.inDebt(c, now):
		l.pause(c)
		return
	}
	l.hear(c, now)
	l.startTurn(c, now)
	defer l.endTurn()
	if p.secure != nil {
		l.readSecure(c)
		return
	}
	into, borrowed := l.into(c)
	n, err := epoll.Read(int(p.fd), into)
	l.took(c, into, n, err, borrowed)
}

// into returns where to read c's bytes to: into the loop's buffer, where c has none that are left.
func (l *loop) into(c *conn) (into []byte, borrowed bool) {
	if c.reading.decoder == nil {
		return l.buffer, true
	}
	return c.reading.decoder.space(), false
}

// took works on n bytes that were read, and reports whether there may be more.
func (l *loop) took(c *conn, into []byte, n int, err error, borrowed bool) bool {
	switch {
	case errors.Is(err, epoll.ErrAgain):
		return false
	case err == nil && n == 0:
		err = io.EOF
		fallthrough
	case err != nil:
		l.endSession(c, c.lost(err), true)
		return false
	}
	r := &c.reading
	r.heard, r.pinged = l.now(), false
	if c.speaks == events {
		l.turn.left -= frameOverhead + n
		return true // what the client sends means nothing
	}
	if borrowed {
		l.lent = *c.newDecoder()
		r.decoder = &l.lent
		r.decoder.borrow(into[:n])
	} else {
		r.decoder.received(n)
	}
	l.decode(c)
	return !c.engine.paused && !c.engine.readDone
}

// decode takes the messages that were received.
func (l *loop) decode(c *conn) {
	look, d := c.reading.look, c.reading.decoder
	if d == nil {
		return
	}
	l.turn.from, l.turn.refused = d.start, false
	how, peerDone, ended := c.decode(&l.headers, l.mayRead)
	l.charge()
	d.keep()
	switch {
	case d.idle():
		c.reading.decoder = nil
	case d == &l.lent:
		own := *d
		c.reading.decoder = &own
	}
	switch {
	case ended:
		l.endSession(c, how, peerDone)
		return
	case l.turn.refused:
		l.pause(c)
	}
	if end := c.before(look); end < look { // a token came that ends before
		c.reading.look = end
		l.place(c)
	}
}

// skim reads and throws away what the peer still sends, until it closes its end or its time is over. A socket that is
// closed with unread bytes in it sends a reset, which can destroy the close frame on its way.
func (l *loop) skim(c *conn) {
	p := &c.engine.polled
	n, err := epoll.Read(int(p.fd), l.buffer)
	if errors.Is(err, epoll.ErrAgain) {
		return
	}
	p.account += uint32(max(n, 0))
	if err == nil && n > 0 && p.account < lingerMost {
		return
	}
	p.peerDone = true
	if p.wroteAll {
		l.finish(c)
		return
	}
	if err != nil {
		c.abort(protocol.CodeAbnormal) // nobody is left to write to
		return
	}
	l.watch(c)
}

// endSession closes c's session: nothing more is decoded. What it is owed is still written, and then how it ended.
// peerDone says that nothing more is to be expected of the peer.
func (l *loop) endSession(c *conn, how closing, peerDone bool) {
	p := &c.engine.polled
	if p.readDone {
		return
	}
	p.readDone, p.peerDone, p.account = true, peerDone, 0
	c.session.Closed(mayReturn(how))
	c.reading.decoder = nil
	if how.silent {
		c.abort(how.code)
	} else {
		c.shard.Close(c.session, how.code, how.reason) // after what the hub sent it up to now
	}
	switch {
	case p.wroteAll && peerDone:
		l.finish(c)
	case peerDone:
		l.watch(c)
	}
}

// finish closes the socket, and forgets the connection.
func (l *loop) finish(c *conn) {
	p := &c.engine.polled
	if p.fd < 0 {
		return
	}
	if !p.readDone {
		p.readDone = true
		c.session.Closed(mayReturn(*c.howClosed()))
	}
	l.conns[p.fd] = nil
	l.open--
	l.wheel.remove(c)
	epoll.Close(int(p.fd))
	p.fd, p.secure = -1, nil
	c.mu.Lock()
	c.started = false
	c.queue.discard()
	c.endSlowLocked()
	c.mu.Unlock()
	c.server.ended(c)
}
