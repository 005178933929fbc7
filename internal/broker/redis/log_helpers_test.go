//go:build !short

package redis

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// startedLog is a log with its receiver.
type startedLog struct {
	*Log
	*brokertest.LogReceiver
	out *logged
}

// newLog returns a log that is not started, unhurried unless opts say otherwise.
func newLog(t testing.TB, opts LogOptions) (*Log, *logged) {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = unhurried
	}
	out := &logged{}
	opts.Log = newTextLog(out)
	l, err := NewLog(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if out.count(secret) > 0 {
			t.Error("the log shows the password")
		}
	})
	return l, out
}

// startLog starts a log and waits until it is there.
func startLog(t testing.TB, opts LogOptions) startedLog {
	t.Helper()
	l, out := newLog(t, opts)
	r := brokertest.StartLog(t, l)
	r.AwaitAway(false)
	return startedLog{l, r, out}
}

// startLogAt starts a log at url with everything as usual.
func startLogAt(t testing.TB, url string) startedLog {
	t.Helper()
	return startLog(t, LogOptions{Options: Options{URL: url}})
}

// append appends messages first to last of sender a to the lobby, and returns the answer to the last.
func (l startedLog) append(t testing.TB, first, last int) (a hub.Appended) {
	t.Helper()
	for n := first; n <= last; n++ {
		a = brokertest.AppendUntilStored(t, l, brokertest.NewMessage("a", "lobby", n))
	}
	return a
}

// read reads the lobby after a position, again where the log is just coming back.
func (l startedLog) read(t testing.TB, after hub.Position) (p hub.LogPage) {
	t.Helper()
	l.Await("a page", func() bool {
		var err error
		p, err = brokertest.TryRead(t, l, "lobby", after, 1000, true)
		return err == nil
	})
	brokertest.CheckPage(t, p, 1000)
	return p
}

// check fails t where the page after a position is not that: status, first orphan, and the entries from offset first
// on.
func (l startedLog) check(
	t testing.TB, after hub.Position, status hub.LogStatus, orphans, first uint64, ids ...string,
) hub.LogPage {
	t.Helper()
	p := l.read(t, after)
	if p.Status != status || p.Orphans != orphans {
		t.Errorf("after %v: status %d, orphans from %d, want %d, %d; %+v", after, p.Status, p.Orphans, status, orphans, p)
	}
	brokertest.CheckEntries(t, p.Entries, first, ids...)
	return p
}

// front stands between a log and Redis: it can lead to another server, and cut connections at will. Its goroutines end
// with the test.
type front struct {
	t      testing.TB
	listen net.Listener
	loops  sync.WaitGroup

	mu     sync.Mutex
	addr   string            // guarded by mu: where connections go
	stray  map[int]string    // guarded by mu: where some go instead, by their number
	n      int               // guarded by mu: connections until now
	closed bool              // guarded by mu
	open   []net.Conn        // guarded by mu
	deaf   map[net.Conn]bool // guarded by mu: servers whose answers are thrown away
}

// newFront returns a front that leads to addr.
func newFront(t testing.TB, addr string) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, listen: l, addr: addr, stray: map[int]string{}, deaf: map[net.Conn]bool{}}
	t.Cleanup(func() {
		f.mu.Lock()
		f.closed = true
		f.mu.Unlock()
		l.Close()
		f.cut()
		f.loops.Wait()
	})
	// Ends when the listener is closed; the test's end waits for it, as for all that it starts.
	f.loops.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			f.join(client)
		}
	})
	return f
}

// join leads one connection on.
func (f *front) join(client net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	addr, astray := f.stray[f.n]
	if !astray {
		addr = f.addr
	}
	f.n++
	server, err := net.Dial("tcp", addr)
	if err != nil || f.closed {
		client.Close()
		return
	}
	f.open = append(f.open, client, server)
	f.loops.Go(func() {
		defer server.Close()
		io.Copy(server, client)
	})
	f.loops.Go(func() {
		defer client.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := server.Read(b)
			f.mu.Lock()
			deaf := f.deaf[server]
			f.mu.Unlock()
			if !deaf {
				client.Write(b[:n])
			}
			if err != nil {
				return
			}
		}
	})
}

func (f *front) url() string { return "redis://" + f.listen.Addr().String() }

// to leads connections to addr from now on, and cuts those that are there.
func (f *front) to(addr string) {
	f.mu.Lock()
	f.addr = addr
	f.mu.Unlock()
	f.cut()
}

// astray leads connection number n, counted from 0, to addr.
func (f *front) astray(n int, addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stray[n] = addr
}

// deafen throws away what servers answer on the connections that are there.
func (f *front) deafen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.open {
		f.deaf[conn] = true
	}
}

// cut closes the connections that are there.
func (f *front) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.open {
		conn.Close()
	}
	f.open = nil
}

// follow makes replica one of primary, and waits until it has everything.
func follow(t testing.TB, r *brokertest.LogReceiver, replica, primary *redistest.Server) {
	t.Helper()
	host, port, _ := strings.Cut(primary.Addr(), ":")
	replica.Do("REPLICAOF", host, port)
	r.Await("the replica to have everything", func() bool {
		info := replica.Info("replication")
		return info["master_link_status"] == "up" &&
			info["master_repl_offset"] == primary.Info("replication")["master_repl_offset"]
	})
}

// stall stops replica from following, without its primary's being told.
func stall(replica *redistest.Server) { replica.Do("REPLICAOF", "127.0.0.1", "1") }

// promote makes server a primary.
func promote(server *redistest.Server) { server.Do("REPLICAOF", "NO", "ONE") }

// ids returns the ids of append's messages first to last.
func ids(first, last int) (ids []string) {
	for n := first; n <= last; n++ {
		ids = append(ids, fmt.Sprintf("a/%d", n))
	}
	return ids
}
