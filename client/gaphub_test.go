package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// slowWire passes one connection on to a hub. What comes from there waits as long as gate is held.
type slowWire struct {
	listener net.Listener
	gate     sync.Mutex
	work     sync.WaitGroup // its goroutines, which end with the connections
}

func newSlowWire(t *testing.T, hub string) *slowWire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &slowWire{listener: listener}
	w.work.Go(func() { w.pass(hub) })
	t.Cleanup(func() { listener.Close(); w.work.Wait() })
	return w
}

func (w *slowWire) pass(hub string) {
	here, err := w.listener.Accept()
	if err != nil {
		return
	}
	defer here.Close()
	there, err := net.Dial("tcp", hub)
	if err != nil {
		return
	}
	defer there.Close()
	_ = there.(*net.TCPConn).SetReadBuffer(16 << 10) // so that the kernel does not hold all of it
	w.work.Go(func() {
		_, _ = io.Copy(there, here)
		there.Close()
	})
	buf := make([]byte, 16<<10)
	for {
		n, err := there.Read(buf)
		w.gate.Lock()
		_, failed := here.Write(buf[:n])
		w.gate.Unlock()
		if err != nil || failed != nil {
			return
		}
	}
}

// TestGapOfRealHub has a network that is too slow for a live room: what the client gets and what the hub says that it
// dropped are all that was published, and each gap is where messages are missing.
func TestGapOfRealHub(t *testing.T) {
	const messages, size = 400, 60 << 10
	h := hub.New(hub.Options{Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker()})
	transport := ws.New(ws.Options{Hub: h, SendQueue: 512 << 10})
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(transport)
	defer func() {
		err := transport.Shutdown(context.Background())
		server.Close()
		if err := errors.Join(err, h.Close()); err != nil {
			t.Error(err)
		}
	}()
	w := newSlowWire(t, server.Listener.Addr().String())
	c, err := client.Dial(t.Context(), "http://"+w.listener.Addr().String(), client.WithBuffer(2*messages*size))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	room, err := c.Join(t.Context(), "live.fast")
	if err != nil {
		t.Fatal(err)
	}
	w.gate.Lock()
	for n := range messages {
		data := append(fmt.Append(nil, n, " "), bytes.Repeat([]byte("x"), size)...)
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "live.fast", "", protocol.Text, data); err != nil {
			t.Fatal(err)
		}
	}
	w.gate.Unlock()
	next, dropped := 0, 0
	for m, err := range room.Messages(t.Context()) {
		if gap, ok := errors.AsType[*client.Gap](err); ok && gap.Dropped > 0 && gap.Away == 0 {
			next += gap.Dropped
			dropped += gap.Dropped
			continue
		}
		number, _, _ := bytes.Cut(m.Data, []byte(" "))
		if n, wrong := strconv.Atoi(string(number)); err != nil || wrong != nil || n != next {
			t.Fatalf("got %d, %v, want %d", n, err, next)
		}
		if next++; next == messages {
			break
		}
	}
	if dropped == 0 {
		t.Error("the hub dropped nothing")
	}
}
