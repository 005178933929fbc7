package ws

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// writeMost returns how many bytes one writev takes at most: the write time-out is for so many. It is a quarter of the
// queue at most, as what was begun cannot be dropped any more, and the newest is to be kept.
func (o *Options) writeMost() int { return min(256<<10, o.SendQueue/4) }

// framesMost is how many frames one writev takes at most (IOV_MAX).
const framesMost = 1024

// framesKept is for how many frames a connection keeps memory while it has none to write.
const framesKept = 64

// writeLoop writes what waits, all at once, until the connection is to be closed; then it writes the close frame and
// ends; a stream ends without one. The reader waits for it.
func (c *conn) writeLoop() {
	defer close(c.written)
	defer c.endSlow()
	var frames []*frame
	var buffers net.Buffers
	for {
		var how *closing
		frames, how = c.take(frames)
		if len(frames) > 0 {
			buffers = buffers[:0]
			for _, f := range frames {
				buffers = append(buffers, f.bytes)
			}
			if err := c.write(buffers, how); err != nil {
				c.abort(writeFailure(err))
				return
			}
			c.delivered(frames)
			continue
		}
		if how != nil {
			if !how.silent {
				c.end(how)
			}
			c.limitLinger()
			return
		}
		if frames == nil {
			buffers = nil // as large as frames was
		}
		<-c.wake
	}
}

// limitLinger has the reader wait for the peer's close frame, but not for ever. Clients wait for the hub to close the
// connection first (RFC 6455 §7.1.1), and tell their programs of the close code only then: so this end of it is closed.
func (c *conn) limitLinger() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing.silent {
		if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // where it fails there is nobody left
		}
		_ = c.nc.SetReadDeadline(time.Now().Add(c.server.options.closeTimeout()))
	}
}

// writeFailure returns the code for a connection to which nothing more can be written.
func writeFailure(err error) protocol.Code {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return protocol.CodeTooSlow
	}
	return protocol.CodeAbnormal
}

// take returns what is to be written next, into the memory of spent, and how the connection is to be closed after all
// of it. Where there is neither, the writer has to wait for wake, and memory that a burst needed is given back.
func (c *conn) take(spent []*frame) ([]*frame, *closing) {
	clear(spent)
	taken := spent[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	n, size := 0, 0
	for n < min(len(c.queue), framesMost) && (n == 0 || size+len(c.queue[n].bytes) <= c.server.options.writeMost()) {
		size += len(c.queue[n].bytes)
		n++
	}
	taken = append(taken, c.queue[:n]...)
	rest := copy(c.queue, c.queue[n:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	if rest == 0 && cap(c.queue) > framesKept {
		c.queue = nil // give back what a burst needed
	}
	c.waiting = n == 0 && c.closing == nil
	if n == 0 && cap(taken) > framesKept {
		taken = nil
	}
	return taken, c.closing
}

// write writes all of buffers. Once the connection is to be closed, its write deadline stands.
func (c *conn) write(buffers net.Buffers, how *closing) error {
	if how == nil {
		c.mu.Lock()
		if c.closing == nil {
			_ = c.nc.SetWriteDeadline(time.Now().Add(c.server.options.WriteTimeout))
		}
		c.mu.Unlock()
	}
	_, err := buffers.WriteTo(c.nc) // changes its copy of the slice, not the frames
	return err
}

// delivered counts frames that were written.
func (c *conn) delivered(frames []*frame) {
	size := 0
	for _, f := range frames {
		size += len(f.bytes)
	}
	c.mu.Lock()
	c.bytes -= size
	if c.slow && c.bytes == 0 {
		c.slow = false
		c.server.metrics.slow.Add(-1)
	}
	c.mu.Unlock()
	c.server.metrics.delivered(frames, time.Now().UnixMicro())
	for _, f := range frames {
		if f.written != nil {
			f.written()
		}
	}
}

// endSlow takes the connection out of the count of slow consumers.
func (c *conn) endSlow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slow {
		c.slow = false
		c.server.metrics.slow.Add(-1)
	}
}
