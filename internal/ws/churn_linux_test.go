package ws_test

import (
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

var churn = flag.Duration("churn", 500*time.Millisecond, "for how long TestChurn connects and disconnects")

// TestChurn connects and disconnects as fast as it goes, in all the ways in which clients come and go, and then nothing
// of them is left: no goroutine, no descriptor, no session, no room and no memory.
func TestChurn(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for range 3 { // whatever is made once, and kept
		for _, way := range ways {
			way(t, h)
		}
	}
	settled := func() bool { return h.ws.Stats().Connections.All() == 0 && h.Stats().Rooms == 0 }
	eventually(t, "the first have gone", settled)
	goroutines, descriptors, memory := runtime.NumGoroutine(), openDescriptors(t), memoryInUse()

	var clients sync.WaitGroup
	var came atomic.Int64
	end := time.Now().Add(*churn)
	for worker := range 8 {
		clients.Go(func() { // until the time is over
			for i := worker; time.Now().Before(end) && !t.Failed(); i++ {
				ways[i%len(ways)](t, h)
				came.Add(1)
			}
		})
	}
	clients.Wait()
	eventually(t, "no session and no room is left", settled)
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "no descriptor is left", func() bool { return openDescriptors(t) <= descriptors })
	// A leak of one connection in a hundred would show: each takes some kB.
	const most = 512 << 10
	eventually(t, "no memory is left", func() bool { return memoryInUse() <= memory+most })
	t.Logf("%d came and went in %v; %d bytes are left of them", came.Load(), *churn, memoryInUse()-memory)
	if came.Load() < 100 {
		t.Errorf("only %d came and went", came.Load())
	}
}

// ways are those in which a client comes and goes.
var ways = []func(*testing.T, *testHub){
	func(t *testing.T, h *testHub) { comeAndGo(t, h, goodRequest(), "", closeInOrder) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, goodRequest(), sent(final|opText, "hi"), reset) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, goodRequest(), sent(opText, "half"), hangUp) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, goodRequest(), sent(final|3, ""), closeInOrder) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, v1Request(), v1Hello, closeInOrder) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, v1Request(), v1Hello, reset) },
	func(t *testing.T, h *testHub) { comeAndGo(t, h, v1Request(), "", hangUp) },
	func(t *testing.T, h *testHub) { halfHandshake(t, h, reset) },
	func(t *testing.T, h *testHub) { halfHandshake(t, h, hangUp) },
}

const v1Join = `{"type":"join","room":"live.churn"}`

var v1Hello = sent(final|opText, `{"type":"hello"}`) + sent(final|opText, v1Join)

func v1Request() *request { return goodRequest().with("Sec-WebSocket-Protocol", "hub.v1") }

// comeAndGo makes a handshake, sends something, and goes in one of the ways below.
func comeAndGo(t *testing.T, h *testHub, r *request, send string, end func(net.Conn) error) {
	nc := dialChurn(t, h)
	answer := make([]byte, 512)
	if _, err := io.WriteString(nc, r.String()); err != nil {
		t.Error(err)
		return
	}
	if n, err := nc.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 101 ") {
		t.Errorf("handshake: %q, %v", answer[:n], err)
		return
	}
	if _, err := io.WriteString(nc, send); err != nil {
		t.Error(err)
	}
	if err := end(nc); err != nil {
		t.Error(err)
	}
}

func halfHandshake(t *testing.T, h *testHub, end func(net.Conn) error) {
	nc := dialChurn(t, h)
	if _, err := io.WriteString(nc, goodRequest().String()[:60]); err != nil {
		t.Error(err)
	}
	if err := end(nc); err != nil {
		t.Error(err)
	}
}

func dialChurn(t *testing.T, h *testHub) net.Conn {
	nc, err := net.Dial("tcp", h.http.Listener.Addr().String())
	if err != nil {
		t.Error(err)
		return new(net.TCPConn)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

// closeInOrder closes by a close frame, and waits until the hub has closed the connection.
func closeInOrder(nc net.Conn) error {
	_, err := io.WriteString(nc, sentClose(1000, ""))
	_, read := io.Copy(io.Discard, nc)
	return errors.Join(err, read, nc.Close())
}

func hangUp(nc net.Conn) error { return nc.Close() }

func reset(nc net.Conn) error { return errors.Join(nc.(*net.TCPConn).SetLinger(0), nc.Close()) }

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
