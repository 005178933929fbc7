//go:build linux && !race

package bench

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// TestLoopAllocations reads real sockets as the loop does, frames in pieces included: nothing is allocated, and what
// was a piece is kept nowhere when the frame is whole.
func TestLoopAllocations(t *testing.T) {
	l := loadOf(t, Options{Conns: 2, Rate: 1})
	l.begin()
	l.from, l.to = 0, int64(time.Hour)
	poller, err := epoll.New()
	if err != nil {
		t.Fatal(err)
	}
	defer poller.Close()
	p := &loop{load: l, poller: poller, buffer: make([]byte, readSize)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var peers [2]net.Conn
	for i, c := range l.conns {
		nc, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if peers[i], err = listener.Accept(); err != nil {
			t.Fatal(err)
		}
		defer peers[i].Close()
		fd, err := epoll.Detach(nc)
		if err != nil {
			t.Fatal(err)
		}
		defer epoll.Close(fd)
		p.adopt(c, fd, nil, nil)
		c.out, c.touched = nil, false
	}
	l.touched = l.touched[:0]
	watchdog := time.AfterFunc(patience, poller.Wake)
	defer watchdog.Stop()
	frame, sent := make([]byte, 0, 256), make([]byte, 1024)
	next := func(b []byte) {
		if _, err := peers[1].Write(b); err != nil {
			t.Fatal(err)
		}
		events, err := p.wait(never)
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events, error %v", len(events), err)
		}
		p.event(events[0])
	}
	n := testing.AllocsPerRun(100, func() {
		now := l.now()
		l.publish(&l.publishers[0], now, now)
		p.flush()
		if _, err := io.ReadFull(peers[0], sent[:2+4+len(l.body)]); err != nil {
			t.Fatal(err)
		}
		frame = append(header(frame[:0], len(l.body)), l.body...)
		next(frame[:10])
		next(frame[10:])
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
	if l.counts.delivered != l.counts.published || l.conns[1].carry != nil || len(p.spare) != 1 {
		t.Errorf("%d delivered of %d, %d buffers spare", l.counts.delivered, l.counts.published, len(p.spare))
	}
}
