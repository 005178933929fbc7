package ws

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// vectorsMost is how many pieces one writev takes at most (IOV_MAX).
const vectorsMost = 1024

// write writes what waits, all at once, until the connection is to be closed; then it writes how and ends. The reader
// waits for it.
func (g *goroutines) write() {
	c := g.conn
	defer close(g.written)
	defer c.endSlow()
	var buffers net.Buffers
	for {
		var how *closing
		if buffers, how = g.take(buffers); len(buffers) > 0 {
			n, err := g.writeAll(buffers, how)
			if err != nil {
				c.abort(writeFailure(err))
				return
			}
			g.wrote(n)
			continue
		}
		if how != nil {
			if !how.silent {
				_, _ = g.nc.Write(c.end(how).bytes) // the peer may be gone already
			}
			g.limitLinger()
			return
		}
		buffers = nil // an idle connection holds no memory for writing
		<-g.wake
	}
}

// take returns what is to be written next, in the memory of spent, and how the connection is to be closed after all of
// it. Where there is neither, the writer has to wait for wake.
func (g *goroutines) take(spent net.Buffers) (net.Buffers, *closing) {
	c := g.conn
	clear(spent)
	buffers := spent[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	spans, _ := c.queue.take(c.server.options.writeMost(), vectorsMost)
	for _, s := range spans {
		buffers = append(buffers, s.bytes())
	}
	g.waiting = len(buffers) == 0 && c.closing == nil
	return buffers, c.closing
}

// writeAll writes all of buffers, and returns how many bytes that were. Once the connection is to be closed, its write
// deadline stands.
func (g *goroutines) writeAll(buffers net.Buffers, how *closing) (int, error) {
	c := g.conn
	if how == nil {
		c.mu.Lock()
		if c.closing == nil {
			_ = g.nc.SetWriteDeadline(time.Now().Add(c.server.options.WriteTimeout))
		}
		c.mu.Unlock()
	}
	n, err := buffers.WriteTo(g.nc) // changes its copy of the slice, not the blocks
	return int(n), err
}

// wrote counts what was written.
func (g *goroutines) wrote(n int) {
	c, now := g.conn, time.Now().UnixMicro()
	var then []func()
	c.written(n, func(s span) {
		c.server.metrics.delivered(s.each(), now, 1)
		if s.written != nil {
			then = append(then, s.written)
		}
	})
	for _, f := range then {
		f()
	}
}

// limitLinger has the reader wait for the peer's close frame, but not for ever. Clients wait for the hub to close the
// connection first (RFC 6455 §7.1.1), and tell their programs of the close code only then: so this end of it is closed.
// The client of a stream then ends its side, and loses nothing that is on its way.
func (g *goroutines) limitLinger() {
	c := g.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing.silent {
		if half, ok := g.nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // where it fails there is nobody left
		}
		_ = g.nc.SetReadDeadline(time.Now().Add(c.server.options.closeTimeout()))
	}
}

// writeFailure returns the code for a connection to which nothing more can be written.
func writeFailure(err error) protocol.Code {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return protocol.CodeTooSlow
	}
	return protocol.CodeAbnormal
}
