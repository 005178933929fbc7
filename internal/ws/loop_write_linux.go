package ws

import (
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// line is connections that are owed something, in the order in which they stand. Those that come while others have their
// turn stand behind them. A connection that stands in the crowd's line and is told something in a small room stands in both:
// it has its turn early, and when the other comes, nothing may be left to do.
type line struct {
	bit  uint8   // of polled.stands
	now  []*conn // whose turn it is, from at on
	at   int
	next []*conn
}

func (l *line) add(c *conn)  { l.next = append(l.next, c) }
func (l *line) empty() bool  { return l.at == len(l.now) && len(l.next) == 0 }
func (l *line) turned() bool { return l.at == len(l.now) }

// first takes out the first, or returns nil.
func (l *line) first() *conn {
	if l.turned() {
		clear(l.now)
		l.now, l.next, l.at = l.next, l.now[:0], 0
		if len(l.now) == 0 {
			return nil
		}
	}
	c := l.now[l.at]
	l.at++
	return c
}

// write writes to those whose turn it is: first to some in small rooms, then to some of the others.
func (l *loop) write() {
	l.writes = 0
	for _, line := range [...]*line{&l.express, &l.bulk} {
		for n := 1; n <= turns; n++ {
			if line.turned() && n > 1 {
				break // who stands in line again gets what comes until the next round as well
			}
			c := line.first()
			if c == nil {
				break
			}
			c.engine.stands &^= line.bit
			l.flush(c)
			l.writes++
			if n%settleEvery == 0 {
				l.settle()
			}
		}
	}
	l.settle()
	if l.bulk.turned() {
		l.accepted = 0
	}
}

// flush writes to c what it is owed, as far as the socket takes it, with one write.
func (l *loop) flush(c *conn) {
	p := &c.engine.polled
	if p.fd < 0 {
		return
	}
	o := &c.server.options
	c.mu.Lock()
	how := c.closing
	switch {
	case how == nil:
	case how.silent:
		c.mu.Unlock()
		l.finish(c)
		return
	case p.wroteAll:
		c.mu.Unlock()
		return
	case !p.ending:
		p.ending = true
		c.queue.append(c.end(how).whole())
		p.limit = l.now() + o.closeTimeout() // a peer that does not read must not hold this up
		c.mu.Unlock()
		l.place(c)
		c.mu.Lock()
	}
	if p.blocked {
		c.mu.Unlock()
		return
	}
	spans, begun := c.queue.take(o.writeMost(), epoll.MaxVectors)
	size := 0
	l.vectors.Reset()
	for i, s := range spans {
		b := s.bytes()
		if i == 0 {
			b = b[begun:]
		}
		size += len(b)
		l.vectors.Append(b)
	}
	c.mu.Unlock()

	n, err := 0, error(nil)
	switch {
	case p.secure != nil:
		n, err = p.secure.write(spans, begun, l.scratch)
	case size > 0:
		n, err = epoll.Writev(int(p.fd), &l.vectors)
	}
	if err != nil && !errors.Is(err, epoll.ErrAgain) {
		c.abort(writeFailure(err))
		return
	}
	l.wrote(c, n, c.written(n, l.spanDone), n < size || err != nil)
	l.call()
}

// wrote goes on where n bytes were written, and others still wait.
func (l *loop) wrote(c *conn, n, waits int, full bool) {
	p := &c.engine.polled
	switch {
	case full:
		l.block(c, n, waits)
	case waits > 0:
		c.mu.Lock()
		l.wakeIn(&l.bulk, c)
		c.mu.Unlock()
	case p.ending && !p.wroteAll:
		p.wroteAll = true
		l.closeWrite(c)
		if p.readDone && p.peerDone {
			l.finish(c)
			return
		}
		p.limit = l.now() + c.server.options.closeTimeout()
		l.place(c)
	case p.limit > 0 && !p.ending:
		p.limit = 0
	}
}

// closeWrite says that nothing more comes. Clients wait for the hub to close the connection first (RFC 6455 §7.1.1), and
// tell their programs of the close code only then. The client of a stream then ends its side, and loses nothing that is
// on its way.
func (l *loop) closeWrite(c *conn) {
	if p := &c.engine.polled; p.secure != nil {
		p.secure.closeWrite()
	} else {
		epoll.CloseWrite(int(p.fd))
	}
}

// block waits until the socket of c takes more. A connection that takes longer for what waits, or for writeMost bytes of
// it, than it may is closed.
func (l *loop) block(c *conn, n, waits int) {
	p := &c.engine.polled
	if !p.ending {
		p.left -= int32(n)
		if p.limit == 0 || p.left <= 0 {
			p.left = int32(min(waits, c.server.options.writeMost()))
			p.limit = l.now() + c.server.options.WriteTimeout
			l.place(c)
		}
	}
	if !p.blocked {
		p.blocked = true
		l.watch(c)
	}
}

// count counts a span that was written.
func (l *loop) count(s span) {
	switch {
	case s.written != nil:
		l.then = append(l.then, s.written)
	case s.tally != nil && int(s.to-s.from) == len(s.frames):
		if s.tally.connections == 0 {
			l.tallies = append(l.tallies, s.block)
		}
		s.tally.connections++
	case s.frames[s.from].published != 0 || s.to-s.from > 1:
		l.shard.metrics.delivered(s.each(), time.Now().UnixMicro(), 1)
	}
}

// settle counts the deliveries of blocks that went to many connections.
func (l *loop) settle() {
	if len(l.tallies) == 0 {
		return
	}
	now := time.Now().UnixMicro()
	for _, b := range l.tallies {
		l.shard.metrics.delivered(b.frames, now, b.tally.connections)
		b.tally.connections = 0
	}
	clear(l.tallies)
	l.tallies = l.tallies[:0]
}

// call calls what was to be called when something was written.
func (l *loop) call() {
	for i, f := range l.then {
		l.then[i] = nil
		f()
	}
	l.then = l.then[:0]
}
