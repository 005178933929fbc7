package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
	"github.com/soumya-codes/realtime-hub/internal/epoll/tlsfd"
)

// newEngine returns the engine for l.
func newEngine(l *load) (engine, error) {
	if l.opts.Goroutines {
		return newCrowd(l), nil
	}
	return newLoop(l)
}

// socket is what the loop, or the crowd, keeps of a connection.
type socket struct {
	fd       int
	tls      *tlsfd.Conn // nil without TLS
	watching bool        // whether the loop waits for the socket to take more

	crowdSocket
}

// loop reads and writes all sockets in one goroutine, into one buffer.
type loop struct {
	load   *load
	poller *epoll.Poller
	ended  chan struct{} // closed by the goroutine at its end; received by do and stop

	// guarded by mu
	mu      sync.Mutex
	errands []func() // for the goroutine
	over    bool     // the goroutine takes no more

	// owned by the goroutine
	opened    int      // sockets that are watched
	buffer    []byte   // what is read; as long as the longest frame yet, at least
	spare     [][]byte // buffers for the beginnings of frames, which only connections have that just got one
	armed     int64    // when the poller's tick comes, in ns since the load's base; 0: it came
	waited    int64    // ns, of the measured time
	woken     int64    // how far the wake-ups have used up what they may; see rest
	stopAfter int64    // when to end, where connections are not gone before; 0: not yet
}

const (
	// readSize is how much is read at once: as much as a socket's buffer holds of a burst.
	readSize = 256 << 10
	// goodbye is how long servers may take to answer the close frames at the end.
	goodbye = 2 * time.Second
)

func newLoop(l *load) (*loop, error) {
	poller, err := epoll.New()
	if err != nil {
		return nil, err
	}
	p := &loop{load: l, poller: poller, ended: make(chan struct{}), buffer: make([]byte, readSize)}
	go p.run() // until stop, which waits for it
	return p, nil
}

func (p *loop) name() string { return engineLoop }

func (p *loop) open(c *conn, nc net.Conn, early []byte) error {
	fd, secure, err := tlsfd.Detach(nc)
	if err != nil {
		_ = nc.Close()
		return err
	}
	if !p.leave(func() { p.adopt(c, fd, secure, early) }) {
		epoll.Close(fd)
	}
	return nil
}

// leave leaves an errand for the goroutine, and reports whether it will be done.
func (p *loop) leave(f func()) bool {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return false
	}
	p.errands = append(p.errands, f)
	p.mu.Unlock()
	p.poller.Wake()
	return true
}

func (p *loop) do(f func()) {
	done := make(chan struct{}) // closed by the goroutine when f is done
	if !p.leave(func() { f(); close(done) }) {
		<-p.ended
		f() // nobody else works at the load then
		return
	}
	<-done
}

func (p *loop) busy() (share float64) {
	p.do(func() {
		if length := p.load.to - p.load.from; length > 0 {
			share = 1 - float64(p.waited)/float64(length)
		}
	})
	return share
}

func (p *loop) stop() {
	p.do(func() {
		p.load.phase = closing
		p.stopAfter = p.load.now() + int64(goodbye)
		for _, c := range p.load.conns {
			if p.has(c) {
				c.out = appendFrame(c.out, opClose, []byte{1000 >> 8, 1000 & 0xff}, p.load.mask())
				p.load.touch(c)
			}
		}
	})
	<-p.ended
}

// run works until stop.
func (p *loop) run() {
	defer close(p.ended)
	defer p.poller.Close()
	for {
		now := p.load.now()
		if p.stopAfter > 0 && (now > p.stopAfter || p.opened == 0) {
			break
		}
		next := p.load.pace.due(now)
		p.flush()
		if p.stopAfter > 0 {
			next = min(next, p.stopAfter)
		}
		events, err := p.wait(next)
		if err != nil {
			p.load.broken = err
			p.load.fail(err)
			break
		}
		for _, e := range events {
			p.event(e)
		}
		p.work()
	}
	p.end()
}

// work does the errands.
func (p *loop) work() {
	p.mu.Lock()
	errands := p.errands
	p.errands = nil
	p.mu.Unlock()
	for _, f := range errands {
		f()
	}
}

// end closes what is left, and does the last errands.
func (p *loop) end() {
	p.load.phase = closing
	for _, c := range p.load.conns {
		if p.has(c) {
			p.drop(c, 0, net.ErrClosed)
		}
	}
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.work()
	for _, c := range p.load.conns { // that came by the last errands
		if p.has(c) {
			p.drop(c, 0, net.ErrClosed)
		}
	}
}

// has reports whether c has a socket.
func (p *loop) has(c *conn) bool { return c.peer != nil && !c.gone }

// adopt begins to watch a socket, on which bytes may have come before.
func (p *loop) adopt(c *conn, fd int, secure *tlsfd.Conn, early []byte) {
	c.fd, c.tls = fd, secure
	if p.load.failed != nil || p.load.phase == closing {
		epoll.Close(fd)
		return
	}
	if err := p.poller.Add(fd, uint32(c.index), true, false); err != nil {
		epoll.Close(fd)
		p.load.fail(fmt.Errorf("watch a connection: %w", err))
		return
	}
	p.opened++
	p.load.opened(c)
	if len(early) > 0 {
		p.take(c, copy(p.buffer, early), p.load.now())
	}
	if c.tls != nil && !c.gone {
		p.read(c) // the poller does not tell of what TLS has read already
	}
}

// event works on what happened at one socket. What is told of one that has gone in the meantime is not.
func (p *loop) event(e epoll.Event) {
	c := p.load.conns[e.Serial]
	if c.gone || c.fd != e.FD {
		return
	}
	if e.Readable {
		p.read(c)
	}
	if e.Writable && !c.gone && c.watching {
		c.blocked = false
		p.load.touch(c)
	}
}

// read reads once what there is on c's socket: more of it is told again.
func (p *loop) read(c *conn) {
	if c.tls != nil {
		p.readTLS(c)
		return
	}
	held := copy(p.buffer, c.carry)
	n, err := epoll.Read(c.fd, p.buffer[held:])
	if err == nil && n == 0 {
		err = io.EOF
	}
	p.took(c, held, n, err)
}

// took works on n bytes that were read behind those that were held, and then on the error of the read.
func (p *loop) took(c *conn, held, n int, err error) {
	if n > 0 {
		now := p.load.now()
		p.load.read(n, now)
		p.take(c, held+n, now)
	}
	switch {
	case err == nil || errors.Is(err, epoll.ErrAgain):
	case err == io.EOF:
		p.drop(c, 0, errors.New("it closed the connection"))
	default:
		p.drop(c, 0, err)
	}
}

// take works on the first n bytes of the buffer, which are c's, and keeps what is not a whole frame.
func (p *loop) take(c *conn, n int, now int64) {
	taken, need, err := p.load.receive(c, p.buffer[:n], now)
	if err != nil {
		closed, ok := errors.AsType[*errClosed](err)
		if !ok {
			p.drop(c, 0, err)
			return
		}
		p.drop(c, closed.code, nil)
		return
	}
	if need+readSize > len(p.buffer) {
		p.buffer = append(p.buffer, make([]byte, need+readSize-len(p.buffer))...)
	}
	p.keep(c, p.buffer[taken:n])
}

// keep keeps rest, the beginning of a frame, until more of it comes.
func (p *loop) keep(c *conn, rest []byte) {
	switch last := len(p.spare) - 1; {
	case len(rest) > 0 && c.carry == nil && last >= 0:
		c.carry, p.spare = p.spare[last], p.spare[:last]
	case len(rest) == 0 && c.carry != nil:
		p.spare = append(p.spare, c.carry[:0])
		c.carry = nil
		return
	case len(rest) == 0:
		return
	}
	c.carry = append(c.carry[:0], rest...)
}

// flush writes what is to be written.
func (p *loop) flush() {
	touched := p.load.touched
	p.load.touched = p.load.touched[:0]
	for _, c := range touched {
		c.touched = false
		if !c.gone && !c.blocked {
			p.write(c)
		}
	}
}

func (p *loop) write(c *conn) {
	if c.tls != nil {
		p.writeTLS(c)
		return
	}
	for len(c.out) > 0 {
		n, err := epoll.Write(c.fd, c.out)
		if errors.Is(err, epoll.ErrAgain) {
			break
		}
		if err != nil {
			p.drop(c, 0, err)
			return
		}
		p.wrote(c, n)
	}
	p.watch(c, len(c.out) > 0)
}

// wrote notes that the first n bytes of what waits are on their way.
func (p *loop) wrote(c *conn, n int) {
	p.load.wrote(n, p.load.now())
	c.out = c.out[:copy(c.out, c.out[n:])]
}

// watch has the poller tell when the socket takes more, where it is full.
func (p *loop) watch(c *conn, full bool) {
	c.blocked = full
	if len(c.out) == 0 && c.publisher < 0 {
		c.out = nil // it seldom has something to say
	}
	if c.blocked != c.watching {
		if err := p.poller.Change(c.fd, uint32(c.index), true, c.blocked); err != nil {
			p.drop(c, 0, err)
			return
		}
		c.watching = c.blocked
	}
}

// drop closes c's socket, and says why.
func (p *loop) drop(c *conn, code int, err error) {
	if c.gone {
		return
	}
	if code != 0 && code != 1005 {
		p.last(c, appendFrame(nil, opClose, []byte{byte(code >> 8), byte(code)}, p.load.mask()))
	}
	epoll.Close(c.fd)
	c.tls = nil
	p.opened--
	p.load.lost(c, code, err)
}
