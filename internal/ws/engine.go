package ws

import (
	"net"
	"runtime"
)

// Engine names what moves bytes between sockets and sessions.
type Engine string

// The engines. What a client sees of a hub does not depend on which it has.
const (
	// EngineAuto is EngineEpoll where the system has it, and EngineGoroutine elsewhere.
	EngineAuto Engine = "auto"
	// EngineEpoll has each loop read and write all its connections itself: a connection that is idle has no goroutine and
	// no buffer. It is there on Linux.
	EngineEpoll Engine = "epoll"
	// EngineGoroutine has two goroutines for each connection, a reader and a writer.
	EngineGoroutine Engine = "goroutine"
)

// Supported reports whether this system has the engine.
func (e Engine) Supported() bool {
	switch e {
	case EngineAuto, EngineGoroutine:
		return true
	case EngineEpoll:
		return hasEpoll
	}
	return false
}

// engine moves the bytes of the connections of one shard, and runs the shard's loop.
type engine interface {
	// start gives c its socket, which is looked at the first time at c.reading.look. What c is to be told by then waits in
	// its queue, and it may be that it is to be closed already.
	start(c *conn, nc net.Conn)

	// wake writes what waits for c, soon. It is called by the shard's loop, with c.mu held; wakeAny by any goroutine.
	wake(c *conn)
	wakeAny(c *conn)

	// crowd says whether those that are woken from now on are many at once, who need not go before others. It is called by
	// the shard's loop.
	crowd(many bool)

	// hurry sees to c, which is to be closed, and bounds the time for what is left to be written. It is called by any
	// goroutine, with c.mu held.
	hurry(c *conn)

	// told says that something was put into the shard's inbox. It is called by any goroutine.
	told()

	// run is the shard's loop. It ends after stop was called and no connection is left.
	run()
	stop()
}

// defaultLoops is how many loops there are where nobody says: with more, each write carries fewer messages, and two cores
// with two loops deliver less than with one.
func defaultLoops() int { return max(1, runtime.GOMAXPROCS(0)/4) }

// few is how many connections are not a crowd.
const few = 64

// lingerMost is how many bytes are read and thrown away after a close frame was sent, while waiting for the peer's.
const lingerMost = 1 << 20

// writeMost returns how many bytes one write takes at most: the write time-out is for so many. It is a quarter of the
// queue at most, as what was begun cannot be dropped any more, and the newest is to be kept.
func (o *Options) writeMost() int { return min(256<<10, o.SendQueue/4) }
