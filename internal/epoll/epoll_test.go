//go:build linux

package epoll

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns both ends of a TCP connection, the first detached.
func pair(t testing.TB) (fd int, peer *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialed.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if fd, err = Detach(accepted); err != nil {
		t.Fatal(err)
	}
	return fd, dialed.(*net.TCPConn)
}

func newPoller(t testing.TB) *Poller {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// wait waits for one event. A watchdog wakes it, so that a test fails rather than hangs.
func wait(t testing.TB, p *Poller) Event {
	t.Helper()
	watchdog := time.AfterFunc(time.Minute, p.Wake)
	defer watchdog.Stop()
	p.Park()
	events, _, err := p.Wait()
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, error %v", len(events), err)
	}
	return events[0]
}

// TestSocket reads and writes through a poller: what comes is told, as long as it was not read, and so is the end.
func TestSocket(t *testing.T) {
	p := newPoller(t)
	fd, peer := pair(t)
	defer Close(fd)
	if err := p.Add(fd, 7, true, false); err != nil {
		t.Fatal(err)
	}
	if events, _, err := p.Poll(); err != nil || len(events) != 0 {
		t.Fatalf("%v, error %v before anything came", events, err)
	}
	b := make([]byte, 16)
	if n, err := Read(fd, b); n != 0 || !errors.Is(err, ErrAgain) {
		t.Fatalf("read %d bytes, error %v", n, err)
	}
	if _, err := peer.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e := wait(t, p); e != (Event{FD: fd, Serial: 7, Readable: true}) {
			t.Fatalf("event %+v", e)
		}
	}
	if n, err := Read(fd, b); err != nil || string(b[:n]) != "hello" {
		t.Fatalf("read %q, error %v", b[:n], err)
	}
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, p); !e.Readable {
		t.Fatalf("event %+v at the end", e)
	}
	if n, err := Read(fd, b); n != 0 || err != nil {
		t.Fatalf("read %d bytes, error %v at the end", n, err)
	}
}

// TestWritable fills a socket, hears that it takes more once its peer reads, and writes pieces in order.
func TestWritable(t *testing.T) {
	p := newPoller(t)
	fd, peer := pair(t)
	defer Close(fd)
	chunk := []byte(strings.Repeat("x", 64<<10))
	written := 0
	for {
		n, err := Write(fd, chunk)
		written += n
		if errors.Is(err, ErrAgain) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Add(fd, 1, true, false); err != nil {
		t.Fatal(err)
	}
	if err := p.Change(fd, 1, false, true); err != nil {
		t.Fatal(err)
	}
	if events, _, err := p.Poll(); err != nil || len(events) != 0 {
		t.Fatalf("%v, error %v of a full socket", events, err)
	}
	if _, err := io.CopyN(io.Discard, peer, int64(written)); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, p); e != (Event{FD: fd, Serial: 1, Writable: true}) {
		t.Fatalf("event %+v", e)
	}
	var v Vectors
	for _, piece := range []string{"one", "and", "two"} {
		v.Append([]byte(piece))
	}
	if n, err := Writev(fd, &v); n != 9 || err != nil || v.Len() != 3 {
		t.Fatalf("wrote %d bytes of %d pieces, error %v", n, v.Len(), err)
	}
	b := make([]byte, 9)
	if _, err := io.ReadFull(peer, b); err != nil || string(b) != "oneandtwo" {
		t.Fatalf("got %q, error %v", b, err)
	}
	if err := p.Remove(fd); err != nil {
		t.Fatal(err)
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNothingWatched has nothing of a socket be watched for, so that not even a reset is told, until that changes.
func TestNothingWatched(t *testing.T) {
	p := newPoller(t)
	fd, peer := pair(t)
	defer Close(fd)
	if err := p.Add(fd, 1, true, false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Change(fd, 1, false, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := peer.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	if events, _, err := p.Poll(); err != nil || len(events) != 0 {
		t.Fatalf("%v, error %v of a socket that is not watched", events, err)
	}
	if err := p.Change(fd, 1, true, false); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, p); !e.Readable {
		t.Fatalf("event %+v", e)
	}
}

// TestReset has a peer that ends with a reset, which is told as something to read.
func TestReset(t *testing.T) {
	p := newPoller(t)
	fd, peer := pair(t)
	defer Close(fd)
	if err := p.Add(fd, 1, true, false); err != nil {
		t.Fatal(err)
	}
	_ = peer.SetLinger(0)
	_ = peer.Close()
	if e := wait(t, p); !e.Readable {
		t.Fatalf("event %+v", e)
	}
	if _, err := Read(fd, make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Fatalf("error %v", err)
	}
}

// TestWake wakes one that waits, one that is about to, and one that was woken before.
func TestWake(t *testing.T) {
	p := newPoller(t)
	for range 1000 {
		p.Park()
		go p.Wake() // ends at once; Wait returns only after it
		if events, ticked, err := p.Wait(); len(events) != 0 || ticked || err != nil {
			t.Fatalf("%v, ticked %v, error %v", events, ticked, err)
		}
	}
	p.Park()
	p.Wake()
	p.Wake()
	if _, _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestTick has time pass.
func TestTick(t *testing.T) {
	p := newPoller(t)
	if err := p.Tick(5 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		p.Park()
		if _, ticked, err := p.Wait(); !ticked || err != nil {
			t.Fatalf("ticked %v, error %v", ticked, err)
		}
	}
}

// TestAllocations shows that neither waiting nor reading nor writing allocates.
func TestAllocations(t *testing.T) {
	p := newPoller(t)
	fd, peer := pair(t)
	defer Close(fd)
	if err := p.Add(fd, 1, true, false); err != nil {
		t.Fatal(err)
	}
	b, piece := make([]byte, 16), []byte("hello")
	var v Vectors
	n := testing.AllocsPerRun(100, func() {
		v.Reset()
		v.Append(piece)
		v.Append(piece)
		if _, err := Writev(fd, &v); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(peer, b[:10]); err != nil {
			t.Fatal(err)
		}
		if _, err := peer.Write(piece); err != nil {
			t.Fatal(err)
		}
		p.Park()
		if events, _, err := p.Wait(); err != nil || len(events) != 1 {
			t.Fatal(events, err)
		}
		if n, err := Read(fd, b); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkWake has one goroutine wake another and wait for its answer.
func BenchmarkWake(b *testing.B) {
	p := newPoller(b)
	woken := make(chan struct{})
	go func() { // ends when the channel is closed
		for range woken {
			p.Wake()
		}
	}()
	for b.Loop() {
		p.Park()
		woken <- struct{}{}
		if _, _, err := p.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	close(woken)
}
