package ws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// numbered is the data of a message that a test counts.
type numbered struct {
	N   int
	Pad string
}

// tally follows the numbered messages of a live room: what came and what the hub says was dropped is all, in order.
type tally struct {
	next, gaps int
}

// message takes the next message that came.
func (y *tally) message(t *testing.T, data []byte) {
	t.Helper()
	var m numbered
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if m.N != y.next {
		t.Fatalf("got message %d, where %d was to come", m.N, y.next)
	}
	y.next++
}

// gap takes word of a hole.
func (y *tally) gap(t *testing.T, count *int) {
	t.Helper()
	if count == nil || *count < 1 {
		t.Fatalf("a gap of %v", count)
	}
	y.next += *count
	y.gaps += *count
}

// publishNumbered publishes so many numbered messages, each in all rooms.
func publishNumbered(t *testing.T, h *testHub, messages, size int, rooms ...string) {
	t.Helper()
	pad := strings.Repeat("x", size)
	for n := range messages {
		data, _ := json.Marshal(numbered{n, pad})
		for _, room := range rooms {
			if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, room, "", protocol.JSON, data); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestGap has a client of three live rooms that reads nothing while much is published: afterwards it is told of all that
// it did not get, before what follows, and one that reads is told of nothing.
func TestGap(t *testing.T) {
	const queue, messages, size = 256 << 10, 700, 12 << 10
	rooms := []string{"live.a", "live.b", "live.c"}
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: queue})
	slow, plain := dialV1(t, h, "slow"), dialPlain(t, h, "live.a")
	for _, room := range rooms {
		slow.join(room)
	}
	publishNumbered(t, h, messages, size, rooms...)
	got := map[string]*tally{}
	for _, room := range rooms {
		got[room] = new(tally)
	}
	all := func() bool {
		for _, y := range got {
			if y.next < messages {
				return false
			}
		}
		return true
	}
	for !all() {
		f := slow.frame()
		switch f.Type {
		case protocol.TypeMessage:
			got[f.Room].message(t, f.Data)
		case protocol.TypeGap:
			got[f.Room].gap(t, f.Count)
		case protocol.TypeThere, protocol.TypeJoined:
		default:
			t.Fatalf("got %s", f.Encode())
		}
	}
	told := 0
	for room, y := range got {
		if y.next != messages || y.gaps == 0 {
			t.Errorf("%s: %+v of %d messages", room, y, messages)
		}
		told += y.gaps
	}
	last, lost := -1, 0
	for last != messages-1 { // what is not of hub.v1 is told nothing
		var m numbered
		if err := json.Unmarshal([]byte(plain.text()), &m); err != nil {
			t.Fatal(err)
		}
		lost += m.N - last - 1
		last = m.N
	}
	stats := h.ws.Stats()
	if dropped := int(stats.Dropped[hub.DropSendQueue]); dropped != told+lost {
		t.Errorf("%d messages were told as lost, and %d missing at the plain one, of %d dropped", told, lost, dropped)
	}
	if n := stats.Dropped[hub.DropShardQueue]; n > 0 {
		t.Fatalf("%d messages were dropped for all", n)
	}
}

// TestNoGap has a client that reads what comes: it is told of no gap.
func TestNoGap(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: 256 << 10})
	c := dialV1(t, h, "reads")
	c.join("live.a")
	var y tally
	for n := range 200 {
		data, _ := json.Marshal(numbered{n, strings.Repeat("x", 10<<10)})
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "live.a", "", protocol.JSON, data); err != nil {
			t.Fatal(err)
		}
		y.message(t, c.want(protocol.TypeMessage).Data)
	}
	if n := h.ws.Stats().Dropped[hub.DropSendQueue]; n > 0 {
		t.Errorf("%d messages were dropped", n)
	}
}
