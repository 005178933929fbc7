package ws

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// goroutineEngine has two goroutines for each connection, goroutines.read and goroutines.write, which stand on what
// package net has. The shard's loop is a third for all.
type goroutineEngine struct {
	// immutable
	shard *shard
	ready chan struct{} // one slot: full while something may wait in the inbox; sent by told, received by run; never closed
	ended chan struct{} // closed by stop
}

func newGoroutineEngine(s *shard) *goroutineEngine {
	return &goroutineEngine{shard: s, ready: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (e *goroutineEngine) told() {
	select {
	case e.ready <- struct{}{}:
	default:
	}
}

func (e *goroutineEngine) crowd(bool) {} // each has a writer of its own

func (e *goroutineEngine) stop() { close(e.ended) }

// run does what the shard was told, in rounds, until stop.
func (e *goroutineEngine) run() {
	var round []op
	for {
		select {
		case <-e.ready:
		case <-e.ended:
			return
		}
		round = e.shard.inbox.Take(round)
		e.shard.work(round)
	}
}

// goroutines is a connection's own part of the engine.
type goroutines struct {
	// immutable once they run
	conn    *conn
	nc      net.Conn
	wake    chan struct{} // one slot; sent by whoever puts into the queue, received by the writer; never closed
	written chan struct{} // closed by the writer as it ends

	waiting bool    // the writer waits for wake; guarded by the connection's mu
	headers headers // owned by the reader
}

// start starts the connection's goroutines.
func (e *goroutineEngine) start(c *conn, nc net.Conn) {
	if c.reading.decoder == nil {
		c.reading.decoder = c.newDecoder()
	}
	g := &goroutines{conn: c, nc: nc, wake: make(chan struct{}, 1), written: make(chan struct{})}
	c.mu.Lock()
	c.engine.goroutines, c.started = g, true
	if c.closing != nil {
		e.hurry(c)
	} else {
		g.setReadDeadline()
	}
	c.mu.Unlock()
	go g.write() // ends when the connection is closed; read waits for it
	go g.read()  // ends with the connection; Shutdown waits for it
}

func (e *goroutineEngine) wakeAny(c *conn) { e.wake(c) }

func (e *goroutineEngine) wake(c *conn) {
	g := c.engine.goroutines
	if !g.waiting {
		return
	}
	g.waiting = false
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (e *goroutineEngine) hurry(c *conn) {
	g := c.engine.goroutines
	if c.closing.silent {
		_ = g.nc.SetDeadline(aLongTimeAgo) // what is being read and written ends as well
	} else {
		// A peer that does not read must not hold this up; what is being written had a longer time-out.
		_ = g.nc.SetWriteDeadline(time.Now().Add(c.server.options.closeTimeout()))
	}
	e.wake(c)
}

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// read reads until the connection ends, by either side, and then clears up.
func (g *goroutines) read() {
	c := g.conn
	how, peerDone := g.receive()
	c.session.Closed(mayReturn(how)) // before anything that may take time: whoever is gone is gone at once
	if how.silent {
		c.abort(how.code)
	} else {
		c.shard.Close(c.session, how.code, how.reason) // after what the hub sent it up to now
	}
	<-g.written
	if !peerDone {
		g.linger()
	}
	_ = g.nc.Close()
	c.server.ended(c)
}

// receive takes messages until the connection is to be closed, and returns how. peerDone says that nothing more is to be
// expected of the peer: it sent its close frame, or its end of the connection is gone.
func (g *goroutines) receive() (how closing, peerDone bool) {
	c := g.conn
	c.reading.heard = c.server.clock()
	for {
		if c.speaks == events {
			c.reading.decoder.start = c.reading.decoder.end // what the client sends means nothing
		}
		look := c.reading.look
		if how, peerDone, ended := c.decode(&g.headers, g.patient); ended {
			return how, peerDone
		}
		if end := c.before(look); end < look { // a token came that ends before
			c.reading.look = end
			g.setReadDeadlineOpen()
		}
		if how, ended := g.fill(); ended {
			return how, how.code != protocol.CodeExpired // whose peer may be talking
		}
	}
}

// patient waits until another message may be worked on, which holds up nobody else.
func (g *goroutines) patient() bool {
	g.conn.server.pace()
	g.conn.session.Await()
	return true
}

// fill reads more bytes, and looks at the time where none come.
func (g *goroutines) fill() (how closing, ended bool) {
	c := g.conn
	for {
		n, err := g.nc.Read(c.reading.decoder.space())
		if n > 0 {
			c.received(n)
			return closing{}, false
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return c.lost(err), true
		}
		if how := c.howClosed(); how != nil {
			select {
			case <-g.written: // and this was its deadline for the peer's close frame
				return *how, true
			default:
			}
			<-g.written
			continue
		}
		if how, ended := c.silence(); ended {
			return how, true
		}
		g.setReadDeadlineOpen()
	}
}

// setReadDeadlineOpen sets when fill looks at the time again. Once the connection is to be closed, the writer's deadline
// stands. A deadline that is too early costs one more look, so none is set for each message.
func (g *goroutines) setReadDeadlineOpen() {
	g.conn.mu.Lock()
	defer g.conn.mu.Unlock()
	if g.conn.closing == nil {
		g.setReadDeadline()
	}
}

func (g *goroutines) setReadDeadline() {
	_ = g.nc.SetReadDeadline(g.conn.server.made.Add(g.conn.reading.look))
}

// linger reads and throws away what the peer still sends, until it closes its end or the writer's deadline passes. A
// socket that is closed with unread bytes in it sends a reset, which can destroy the close frame on its way.
func (g *goroutines) linger() {
	buf := make([]byte, smallBuffer)
	for total := 0; total < lingerMost; {
		n, err := g.nc.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}
