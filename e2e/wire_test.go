package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// wire stands between clients and one hub: it passes connections on, and cuts them. Its address stays where the hub is
// another, or none.
//
// It owns one goroutine that accepts, and two for each connection; the test's end closes and awaits them.
type wire struct {
	listener net.Listener
	work     sync.WaitGroup

	mu    sync.Mutex
	hub   string                // host:port; "" while there is none; guarded by mu
	conns map[net.Conn]struct{} // both ends of each; guarded by mu
}

// newWire returns a wire to a hub, which may be none yet.
func newWire(tb testing.TB, h *hub) *wire {
	tb.Helper()
	listener, err := net.Listen("tcp", freeAddr(tb))
	if err != nil {
		tb.Fatal(err)
	}
	w := &wire{listener: listener, conns: map[net.Conn]struct{}{}}
	if h != nil {
		w.lead(h)
	}
	w.work.Go(w.accept) // ends with the listener
	tb.Cleanup(func() {
		listener.Close()
		w.cut()
		w.work.Wait()
	})
	return w
}

// URL returns the address for clients.
func (w *wire) URL() string { return "http://" + w.listener.Addr().String() }

// lead has the wire lead to a hub from now on.
func (w *wire) lead(h *hub) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hub = h.Addr()
}

// cut ends all connections by a reset, as a network does that fails.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.(*net.TCPConn).SetLinger(0) // fails only where the connection is gone
		c.Close()
	}
}

func (w *wire) accept() {
	for {
		conn, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.work.Go(func() { w.pass(conn) }) // ends with the connection, which cut ends
	}
}

// pass connects conn with the hub, until either end is closed.
func (w *wire) pass(conn net.Conn) {
	defer conn.Close()
	w.mu.Lock()
	addr := w.hub
	w.mu.Unlock()
	if addr == "" {
		return
	}
	hub, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return
	}
	defer hub.Close()
	w.hold(conn, hub)
	defer w.release(conn, hub)
	w.work.Go(func() { // ends when the hub closes its end, or pass does
		_, _ = io.Copy(conn, hub)
		conn.Close()
	})
	_, _ = io.Copy(hub, conn)
}

func (w *wire) hold(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = struct{}{}
	}
}

func (w *wire) release(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.conns, c)
	}
}
