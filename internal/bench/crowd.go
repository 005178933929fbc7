package bench

import (
	"errors"
	"net"
	"sync"
	"time"
)

// crowd is the engine with a goroutine for each connection: for other systems than Linux.
type crowd struct {
	mu   sync.Mutex // guards the load
	load *load

	wake    chan struct{}  // sent by whoever changed when something is due, received by pace; holds one; never closed
	quit    chan struct{}  // closed by stop, received by pace
	readers sync.WaitGroup // one for each connection
	others  sync.WaitGroup // pace, and the writers
}

// crowdSocket is what the crowd keeps of a connection. It is guarded by the crowd's mu.
type crowdSocket struct {
	nc      net.Conn
	writing bool // a goroutine writes
}

// crowdReadSize is how much a connection reads at once, at least.
const crowdReadSize = 16 << 10

func newCrowd(l *load) *crowd {
	w := &crowd{load: l, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	w.others.Go(w.pace) // until stop, which waits
	return w
}

func (w *crowd) name() string { return engineGoroutines }

func (w *crowd) busy() float64 { return -1 }

func (w *crowd) open(c *conn, nc net.Conn, early []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.load.failed != nil || w.load.phase == closing {
		_ = nc.Close()
		return nil
	}
	c.nc = nc
	w.readers.Go(func() { w.read(c, early) }) // until the connection ends, at stop at the latest; stop waits
	w.load.opened(c)
	w.flush()
	return nil
}

func (w *crowd) do(f func()) {
	w.mu.Lock()
	f()
	w.flush()
	w.mu.Unlock()
	w.hurry()
}

// hurry has pace look what is due.
func (w *crowd) hurry() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// pace publishes what is due when it is.
func (w *crowd) pace() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-w.wake:
		case <-timer.C:
		}
		w.mu.Lock()
		now := w.load.now()
		next := w.load.pace.due(now)
		w.flush()
		w.mu.Unlock()
		if next != never {
			timer.Reset(max(time.Duration(next-now), 0))
		}
	}
}

// read reads from c until its end.
func (w *crowd) read(c *conn, early []byte) {
	b := make([]byte, crowdReadSize)
	b, held := append(b[:0], early...), len(early)
	b = b[:max(cap(b), crowdReadSize)]
	for first := held > 0; ; first = false {
		n := 0
		if !first {
			var err error
			if n, err = c.nc.Read(b[held:]); n == 0 && err != nil {
				w.drop(c, 0, err)
				return
			}
		}
		w.mu.Lock()
		now := w.load.now()
		if !first {
			w.load.read(n, now)
		}
		taken, need, err := w.load.receive(c, b[:held+n], now)
		if w.load.opts.Window > 0 {
			w.load.pace.due(now)
		}
		w.flush()
		w.mu.Unlock()
		if err != nil {
			code := 0
			if closed, ok := errors.AsType[*errClosed](err); ok {
				code = closed.code
			}
			w.drop(c, code, err)
			return
		}
		held = copy(b, b[taken:held+n])
		if need > len(b) || held == len(b) {
			b = append(b, make([]byte, max(need, 2*len(b))-len(b))...)
		}
	}
}

// drop closes c, and says why.
func (w *crowd) drop(c *conn, code int, err error) {
	if code != 0 && code != 1005 {
		_ = c.nc.SetWriteDeadline(time.Now().Add(goodbyeWrite))
		_, _ = c.nc.Write(appendFrame(nil, opClose, []byte{byte(code >> 8), byte(code)}, 0))
	}
	_ = c.nc.Close()
	w.mu.Lock()
	w.load.lost(c, code, err)
	w.flush()
	w.mu.Unlock()
	w.hurry()
}

// flush has all written that is to be. The caller holds mu.
func (w *crowd) flush() {
	for _, c := range w.load.touched {
		c.touched = false
		if !c.writing && !c.gone && len(c.out) > 0 {
			c.writing = true
			w.others.Go(func() { w.write(c) }) // until nothing is left, or the connection is closed; stop waits
		}
	}
	w.load.touched = w.load.touched[:0]
}

// write writes what waits for c until nothing does.
func (w *crowd) write(c *conn) {
	var b []byte
	for {
		w.mu.Lock()
		if len(b) > 0 {
			w.load.wrote(len(b), w.load.now())
		}
		if len(c.out) == 0 || c.gone {
			c.writing = false
			w.mu.Unlock()
			return
		}
		b, c.out = c.out, b[:0]
		w.mu.Unlock()
		w.hurry() // more may be published
		if _, err := c.nc.Write(b); err != nil {
			_ = c.nc.Close() // the reader says so
			b = nil
		}
	}
}

func (w *crowd) stop() {
	close(w.quit)
	w.do(func() {
		w.load.phase = closing
		for _, c := range w.load.conns {
			if c.peer != nil && !c.gone {
				c.out = appendFrame(c.out, opClose, []byte{1000 >> 8, 1000 & 0xff}, w.load.mask())
				w.load.touch(c)
				_ = c.nc.SetDeadline(time.Now().Add(goodbyeWrite))
			}
		}
	})
	w.readers.Wait()
	w.others.Wait()
}

// goodbyeWrite is how long servers may take at the end.
const goodbyeWrite = 2 * time.Second
