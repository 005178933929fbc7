//go:build !short

package redis

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// network stands between a broker and Redis. It can hold back what is on its way and hand it over much later, when the
// broker has long closed the connection, as a network may that was cut off. Its goroutines end with the test.
type network struct {
	t      *testing.T
	listen net.Listener
	server string
	loops  sync.WaitGroup
	down   atomic.Int64 // bytes that went to the broker

	mu    sync.Mutex
	open  []net.Conn // guarded by mu: to close at the end
	paths []*path    // guarded by mu
}

// tally counts what is written.
type tally struct{ n *atomic.Int64 }

func (c *tally) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// path is one connection through a network, from the broker to Redis.
type path struct {
	server net.Conn

	mu      sync.Mutex
	holding bool   // guarded by mu
	held    []byte // guarded by mu
}

func newNetwork(t *testing.T, server string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{t: t, listen: l, server: server}
	t.Cleanup(func() {
		l.Close()
		n.mu.Lock()
		for _, conn := range n.open {
			conn.Close()
		}
		n.mu.Unlock()
		n.loops.Wait()
	})
	// Ends when the listener is closed; the test's end waits for it, as for all that it starts.
	n.loops.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", n.server)
			if err != nil {
				t.Error(err)
				return
			}
			p := &path{server: server}
			n.mu.Lock()
			n.open = append(n.open, client, server)
			n.paths = append(n.paths, p)
			n.mu.Unlock()
			n.loops.Go(func() { p.copy(client) })
			n.loops.Go(func() {
				io.Copy(io.MultiWriter(&tally{&n.down}, client), server)
				client.Close()
			})
		}
	})
	return n
}

// copy passes on what comes from client, or keeps it while the path holds. The end of the client is not passed on: the
// network has not heard of it.
func (p *path) copy(client net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := client.Read(b)
		p.mu.Lock()
		if p.holding {
			p.held = append(p.held, b[:n]...)
		} else {
			p.server.Write(b[:n])
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// hold holds back what comes on the connections that there are, and returns what hands it over.
func (n *network) hold() (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	held := n.paths
	n.paths = nil
	for _, p := range held {
		p.mu.Lock()
		p.holding = true
		p.mu.Unlock()
	}
	return func() {
		for _, p := range held {
			p.mu.Lock()
			p.holding = false
			p.server.Write(p.held)
			p.mu.Unlock()
		}
	}
}

// TestLateArrival has Redis get what a broker published in one life when the next has long begun.
func TestLateArrival(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	network := newNetwork(t, server.Addr())
	a := start(t, Options{URL: "redis://" + network.listen.Addr().String(), Timeout: hang})
	b := start(t, Options{URL: server.URL()})
	a.AwaitIsolated(false)
	b.AwaitIsolated(false)
	publish(a, "sender", 0, 0)
	b.AwaitID("sender/0")

	release := network.hold()
	publish(a, "sender", 1, 10)
	a.AwaitIsolated(true)
	if _, _, why := a.Isolated(); !strings.HasSuffix(why.Error(), "no answer within 2s") {
		t.Errorf("isolated: %v", why)
	}
	a.AwaitIsolated(false)
	publish(a, "sender", 11, 20)
	b.AwaitID("sender/20")

	before := server.CommandCalls("publish")
	release()
	b.Await("Redis to publish what came late", func() bool { return server.CommandCalls("publish") > before })
	publish(a, "sender", 21, 30)
	b.AwaitID("sender/30")
	got := b.Got()
	brokertest.CheckSequence(t, got[:1], "sender", 0, 0)
	brokertest.CheckSequence(t, got[1:], "sender", 11, 30)
	dropped := a.Stats().Dropped
	if lost := dropped[hub.DropBrokerError] + dropped[hub.DropIsolated]; lost != 10 {
		t.Errorf("dropped: %s, want 10 in all", fmt.Sprint(dropped))
	}
}
