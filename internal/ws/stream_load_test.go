package ws_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestStreamTooSlow has a stream of a log room that is not read: it is ended as a WebSocket is, and who comes back with
// the last id that was read gets all the rest, in order and once.
func TestStreamTooSlow(t *testing.T) {
	const most, size = 900, 32 << 10 // far more than the kernel's buffers hold, and no more than the log keeps
	h := startHub(t, newLogs(), "hub1", ws.Options{SendQueue: 512 << 10, WriteTimeout: time.Second})
	slow, other := openStream(t, h, "r", ""), openStream(t, h, "r", "")
	slow.id()
	other.id()
	data := `"` + strings.Repeat("x", size) + `"`
	published := 0
	for published < most && h.ws.Stats().Closed[protocol.CodeTooSlow] == 0 {
		publishJSON(t, h, "r", data)
		published++
		other.message(data)
	}
	eventually(t, "the slow one is ended", func() bool { return h.ws.Stats().Closed[protocol.CodeTooSlow] == 1 })
	if n := h.ws.Stats().Dropped[hub.DropSendQueue]; n != 0 {
		t.Errorf("%d messages were dropped", n)
	}
	read := 0
	for {
		e, err := slow.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Logf("the slow one ended with %v", err) // a reset, as more was on its way
			}
			break
		}
		if e.Data != "" {
			read++
		}
	}
	again := openStream(t, h, "r", slow.LastID)
	for n := read + 1; n <= published; n++ {
		if m := again.message(data); !strings.HasSuffix(m.Position, fmt.Sprint(":", n)) {
			t.Fatalf("who came back got %s, want %d of %d", m.Position, n, published)
		}
	}
	again.id()
	t.Logf("ended after %d messages of %d bytes, of which %d were read", published, size, read)
}

// TestStreamGap has a stream of a live room that is read late: what is missing is told before what follows.
func TestStreamGap(t *testing.T) {
	const queue, messages, size = 256 << 10, 1500, 12 << 10
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: queue})
	s := openStream(t, h, "live.a", "")
	publishNumbered(t, h, messages, size, "live.a")
	var y tally
	for y.next < messages {
		e := s.next()
		if e.Type == "gap" {
			var count int
			if _, err := fmt.Sscanf(e.Data, `{"count":%d}`, &count); err != nil || e.ID != "" {
				t.Fatalf("got %+v: %v", e, err)
			}
			y.gap(t, &count)
			continue
		}
		m, err := e.Message()
		if err != nil {
			t.Fatal(err)
		}
		y.message(t, m.Data)
	}
	if dropped := int(h.ws.Stats().Dropped[hub.DropSendQueue]); y.gaps == 0 || dropped != y.gaps {
		t.Errorf("%d messages were dropped, and %d told", dropped, y.gaps)
	}
}

// TestStreamCost opens 1,000 streams: what each costs, that all get what is published, and that nothing of them is left.
func TestStreamCost(t *testing.T) {
	const streams, messages = 1000, 20
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	before, goroutines := memoryInUse(), runtime.NumGoroutine()
	all := make([]*stream, streams)
	for i := range all {
		all[i] = openStream(t, h, "r", "")
	}
	for _, s := range all {
		s.id()
	}
	cost, each := (memoryInUse()-before)/streams, float64(runtime.NumGoroutine()-goroutines)/streams
	if each > 2.1 { // its reader and its writer, and a few that serve HTTP
		t.Errorf("%.2f goroutines a stream", each)
	}
	if cost > 48<<10 {
		t.Errorf("%d bytes a stream, its client's included", cost)
	}
	since := time.Now()
	for n := range messages {
		publishJSON(t, h, "r", fmt.Sprint(n))
	}
	for _, s := range all {
		for n := range messages {
			s.message(fmt.Sprint(n))
		}
	}
	t.Logf("%d bytes and %.2f goroutines a stream, its client included; %d events read in %v", cost, each, streams*messages,
		time.Since(since).Round(time.Millisecond))
	for _, s := range all {
		s.Close()
	}
	eventually(t, "all have ended", func() bool { return h.ws.Stats().Connections.All() == 0 })
	h.http.CloseClientConnections()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if got := h.Hub.Stats().Rooms; got != 0 {
		t.Errorf("%d rooms are left", got)
	}
}

// memoryInUse returns how many bytes are in use, heap and stacks.
func memoryInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
