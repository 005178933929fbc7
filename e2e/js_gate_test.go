//go:build unix && !short

package e2e

import (
	"net"
	"sync"
	"testing"
)

// gate passes connections on to a hub, and can be shut: then nothing goes through and nobody is told, as in a tunnel.
type gate struct {
	listener net.Listener
	hub      *hub
	work     sync.WaitGroup // of its goroutines, which end with the listener and the connections

	mu    sync.Mutex
	open  chan struct{} // closed while the gate is open; guarded by mu
	conns []net.Conn    // guarded by mu
	ended bool          // guarded by mu
}

// newGate opens a gate in front of a hub.
func newGate(t *testing.T, h *hub) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, hub: h, open: make(chan struct{})}
	close(g.open)
	g.work.Go(g.accept)
	t.Cleanup(func() {
		l.Close()
		g.mu.Lock()
		g.ended = true
		for _, c := range g.conns {
			c.Close()
		}
		g.mu.Unlock()
		g.set(true)
		g.work.Wait()
	})
	return g
}

// WS returns the address for WebSockets.
func (g *gate) WS() string { return "ws://" + g.listener.Addr().String() + "/ws" }

// set opens or shuts the gate.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
		if !open {
			g.open = make(chan struct{})
		}
	default:
		if open {
			close(g.open)
		}
	}
}

func (g *gate) accept() {
	for {
		from, err := g.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", g.hub.Addr())
		if err != nil {
			from.Close()
			continue
		}
		g.mu.Lock()
		g.conns = append(g.conns, from, to)
		if g.ended {
			from.Close()
			to.Close()
		}
		g.mu.Unlock()
		g.work.Go(func() { g.pass(from, to) })
		g.work.Go(func() { g.pass(to, from) })
	}
}

// pass copies until one side ends.
func (g *gate) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		g.mu.Lock()
		open := g.open
		g.mu.Unlock()
		<-open
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}
