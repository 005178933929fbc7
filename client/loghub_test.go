package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// startLogHubs starts hubs that share the logs of their rooms, and returns where they listen.
func startLogHubs(t *testing.T, n int) []string {
	t.Helper()
	logs, bus := memory.NewLogs(memory.LogOptions{}), memory.NewBus(memory.Options{})
	var addresses []string
	for i := range n {
		h := hub.New(hub.Options{Name: fmt.Sprint("hub", i+1), Broker: bus.Broker(), Logs: logs.Log()})
		transport := ws.New(ws.Options{Hub: h})
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(transport)
		addresses = append(addresses, server.Listener.Addr().String())
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err := transport.Shutdown(ctx)
			server.Close()
			if err := errors.Join(err, h.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	return addresses
}

// wire passes connections on to hubs, to one after the other, and cuts them.
type wire struct {
	listener net.Listener
	hubs     []string
	all      sync.WaitGroup // of its goroutines, which end with the listener and the connections

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
	ended bool       // guarded by mu
}

func newWire(t *testing.T, hubs []string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, hubs: hubs}
	w.all.Go(w.accept)
	t.Cleanup(func() {
		l.Close()
		w.cut(true)
		w.all.Wait()
	})
	return w
}

func (w *wire) url() string { return "http://" + w.listener.Addr().String() }

func (w *wire) accept() {
	for n := 0; ; n++ {
		from, err := w.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", w.hubs[n%len(w.hubs)])
		if err != nil {
			from.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, from, to)
		ended := w.ended
		w.mu.Unlock()
		if ended {
			w.cut(true)
			return
		}
		for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
			w.all.Go(func() {
				io.Copy(pair[0], pair[1])
				from.Close()
				to.Close()
			})
		}
	}
}

// cut cuts all connections, and those that come later where they are the last.
func (w *wire) cut(last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = w.ended || last
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

func dialQuickly(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), url, client.WithBackoff(time.Millisecond, 20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestLogRoomOverCuts has clients of two real hubs publish while their connections are cut all the time and lead to
// the other hub: each gets what the others publish once, all in one order, and knows where its own is stored.
func TestLogRoomOverCuts(t *testing.T) {
	const clients, messages = 3, 100
	w := newWire(t, startLogHubs(t, 2))
	var all, cutting sync.WaitGroup
	stop := make(chan struct{}) // closed below, received by the goroutine
	var mu sync.Mutex
	ids := make(map[uint64]string) // of messages by their offset, as anybody was told; guarded by mu
	note := func(id string, at protocol.Position) {
		mu.Lock()
		defer mu.Unlock()
		if other, ok := ids[at.Offset]; ok && other != id || at.IsZero() {
			t.Errorf("%s is at %v, and so is %s", id, at, other)
		}
		ids[at.Offset] = id
	}
	rooms := make([]*client.Room, clients)
	for i := range rooms {
		var err error
		if rooms[i], err = dialQuickly(t, w.url()).Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
	}
	for _, room := range rooms {
		all.Go(func() {
			for n := range messages {
				ack, err := room.Send(t.Context(), strconv.Itoa(n))
				if err != nil {
					t.Error(err)
					return
				}
				note(ack.ID, ack.Position)
			}
		})
		all.Go(func() {
			seen, last := 0, uint64(0)
			for m, err := range room.Messages(t.Context()) {
				if err != nil || m.Position.Offset <= last {
					t.Errorf("behind %d came %s at %v: %v", last, m.ID, m.Position, err)
					return
				}
				last = m.Position.Offset
				note(m.ID, m.Position)
				if seen++; seen == (clients-1)*messages {
					return
				}
			}
		})
	}
	cutting.Go(func() { // ends with stop; waited for below
		for {
			select {
			case <-stop:
				return
			case <-time.After(15 * time.Millisecond):
				w.cut(false)
			}
		}
	})
	all.Wait()
	close(stop)
	cutting.Wait()
	if len(ids) != clients*messages {
		t.Errorf("%d messages, want %d", len(ids), clients*messages)
	}
}

// TestHistoryOfRealHub joins a room in which something was published before, and all the time.
func TestHistoryOfRealHub(t *testing.T) {
	url := "http://" + startLogHubs(t, 1)[0]
	writer, reader := dialQuickly(t, url), dialQuickly(t, url)
	const before, during = 20, 200
	for n := range before {
		if _, err := writer.Publish(t.Context(), "lobby", protocol.Text, []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := reader.Publish(t.Context(), "lobby", protocol.Text, []byte(strconv.Itoa(before))); err != nil {
		t.Fatal(err) // the reader's own
	}
	var writing sync.WaitGroup
	writing.Go(func() { // ends when all is published; waited for below
		for n := range during {
			if _, err := writer.Publish(t.Context(), "lobby", protocol.Text, []byte(strconv.Itoa(before+1+n))); err != nil {
				t.Error(err)
			}
		}
	})
	defer writing.Wait()
	room, err := reader.Join(t.Context(), "lobby", client.WithHistory(1000))
	if err != nil {
		t.Fatal(err)
	}
	want, past := 0, true
	for m, err := range room.Messages(t.Context()) {
		if err != nil || string(m.Data) != strconv.Itoa(want) || m.Past && !past {
			t.Fatalf("got %q, past %v, %v, want %d", m.Data, m.Past, err, want)
		}
		past = m.Past
		if want++; want == before+1+during {
			break
		}
	}
}
