//go:build linux

package main

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

const (
	patience = 10 * time.Second       // how long a connection may take nothing
	stall    = 100 * time.Millisecond // after so much silence, twice as long at most, a round is ended with what it has
)

// floor is the loop. All but join is called by the goroutine of run.
type floor struct {
	// immutable
	poller *epoll.Poller
	frames float64 // in a write, on average; 0 for what is there

	mu     sync.Mutex
	joined []int // guarded by mu: sockets that the loop does not have yet

	// owned by the loop
	conns   map[int]*conn // by descriptor
	members []*conn       // the same, to walk
	ended   bool          // some of them have
	buf     [64 << 10]byte

	// the round: frames that have come and are not written yet
	full    int     // with how many it ends; 0 with those that are there
	rest    float64 // what the rounds up to this one have less than they should, below 1
	heard   bool    // something came since the last tick
	out     []byte
	pieces  []piece
	without []byte // out without the frames of one connection
}

// conn is one connection.
type conn struct {
	fd   int
	in   []byte // the beginning of a frame
	own  int    // how many frames of the round are its own
	gone bool
}

// piece is a frame of the round.
type piece struct {
	from       *conn
	start, end int // in out
}

// join hands over a socket. It may be called by several goroutines at once.
func (f *floor) join(fd int) {
	f.mu.Lock()
	f.joined = append(f.joined, fd)
	f.mu.Unlock()
	f.poller.Wake()
}

func (f *floor) run() error {
	if f.frames > 0 {
		if err := f.poller.Tick(stall); err != nil {
			return err
		}
	}
	f.next()
	for {
		f.poller.Park()
		events, ticked, err := f.poller.Wait()
		if err != nil {
			return err
		}
		if err := f.turn(events); err != nil {
			return err
		}
		if f.full == 0 || ticked && !f.heard {
			f.write()
		}
		f.heard = f.heard && !ticked
		f.leave()
	}
}

// next begins a round. With 25.4 frames a write two rounds in five have 26, and the others 25.
func (f *floor) next() {
	f.out, f.pieces = f.out[:0], f.pieces[:0]
	f.rest += f.frames
	f.full = int(f.rest)
	f.rest -= float64(f.full)
}

// turn reads what has come.
func (f *floor) turn(events []epoll.Event) error {
	f.mu.Lock()
	joined := f.joined
	f.joined = nil
	f.mu.Unlock()
	for _, fd := range joined {
		c := &conn{fd: fd}
		f.conns[fd], f.members = c, append(f.members, c)
		if err := f.poller.Add(fd, 1, true, false); err != nil {
			return err
		}
	}
	for _, e := range events {
		if c := f.conns[e.FD]; c != nil && !c.gone {
			f.read(c)
		}
	}
	return nil
}

func (f *floor) read(c *conn) {
	n, err := epoll.Read(c.fd, f.buf[:])
	switch {
	case errors.Is(err, epoll.ErrAgain):
		return
	case err != nil || n == 0:
		f.end(c)
		return
	}
	b := f.buf[:n]
	if len(c.in) > 0 {
		c.in = append(c.in, b...)
		b = c.in
	}
	for !c.gone {
		h, ok := parse(b)
		if !ok {
			break
		}
		f.take(c, h, b[h.size:h.size+h.length])
		b = b[h.size+h.length:]
	}
	c.in = append(c.in[:0], b...)
	if len(c.in) == 0 {
		c.in = nil
	}
}

// take puts a frame into the round, and ends the round where it is full.
func (f *floor) take(c *conn, h header, payload []byte) {
	switch h.opcode {
	case opText, opBinary:
	case opPing:
		unmask(payload, h.mask)
		f.writeAll(c, append([]byte{opPong | 0x80, byte(len(payload))}, payload...))
		return
	case opPong:
		return
	default: // the end, or what the generator does not send
		f.end(c)
		return
	}
	start := len(f.out)
	f.out = appendHeader(f.out, h.opcode, len(payload))
	body := len(f.out)
	f.out = append(f.out, payload...)
	unmask(f.out[body:], h.mask)
	f.pieces = append(f.pieces, piece{from: c, start: start, end: len(f.out)})
	c.own++
	f.heard = true
	if len(f.pieces) == f.full {
		f.write()
	}
}

// write ends the round: one write for each connection.
func (f *floor) write() {
	if len(f.pieces) == 0 {
		return
	}
	for _, c := range f.members {
		switch {
		case c.gone:
		case c.own == 0:
			f.writeAll(c, f.out)
		default:
			f.without = f.without[:0]
			for _, p := range f.pieces {
				if p.from != c {
					f.without = append(f.without, f.out[p.start:p.end]...)
				}
			}
			c.own = 0
			f.writeAll(c, f.without)
		}
	}
	f.next()
}

// writeAll writes b, and spins where the connection takes no more.
func (f *floor) writeAll(c *conn, b []byte) {
	var since time.Time
	for len(b) > 0 {
		n, err := epoll.Write(c.fd, b)
		switch {
		case err == nil:
			b = b[n:]
			since = time.Time{}
		case !errors.Is(err, epoll.ErrAgain):
			f.end(c)
			return
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > patience:
			f.end(c)
			return
		}
	}
}

// end marks a connection that leave will forget.
func (f *floor) end(c *conn) { c.gone, f.ended = true, true }

// leave forgets the connections that have ended.
func (f *floor) leave() {
	if !f.ended {
		return
	}
	f.ended = false
	f.members = slices.DeleteFunc(f.members, func(c *conn) bool {
		if c.gone {
			delete(f.conns, c.fd)
			epoll.Close(c.fd)
		}
		return c.gone
	})
}
