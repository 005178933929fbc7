package ws_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// enter joins a log room, and returns where the session begins.
func (c *client) enter(f protocol.Frame) *protocol.Frame {
	c.t.Helper()
	f.Type = protocol.TypeJoin
	c.send(&f)
	if there := c.want(protocol.TypeThere); there.Log == nil || !*there.Log {
		c.t.Fatalf("%s is no log room: %s", f.Room, there.Encode())
	}
	return c.want(protocol.TypeSubscribed)
}

// next returns the next frame that is neither of people nor of status.
func (c *client) next() *protocol.Frame {
	c.t.Helper()
	for {
		switch f := c.frame(); f.Type {
		case protocol.TypeJoined, protocol.TypeLeft, protocol.TypeUpdated, protocol.TypeThere, protocol.TypeStatus:
		default:
			return f
		}
	}
}

func offsetOf(t *testing.T, f *protocol.Frame) uint64 {
	t.Helper()
	p, err := protocol.ParsePosition(f.Position)
	if err != nil {
		t.Fatalf("no position in %s", f.Encode())
	}
	return p.Offset
}

// TestLogFanOut has clients on two hubs publish in one log room: each of them gets all of the others' messages, and of
// its own the positions, in one order and without a hole; plain ones get the texts in the same order.
func TestLogFanOut(t *testing.T) {
	const clients, messages = 6, 50
	j := newLogs()
	hubs := []*testHub{startHub(t, j, "hub1", ws.Options{}), startHub(t, j, "hub2", ws.Options{})}
	var all []*client
	for i := range clients {
		c := dialV1(t, hubs[i%2], fmt.Sprint("client ", i))
		c.enter(protocol.Frame{Room: "r"})
		all = append(all, c)
	}
	plain := dialPlain(t, hubs[0], "r")
	for n := range messages {
		for i, c := range all {
			text := fmt.Sprint(i, " ", n)
			c.send(&protocol.Frame{Type: protocol.TypePublish, Room: "r", Key: fmt.Sprint(n), Data: []byte(strconv.Quote(text))})
		}
	}
	texts := make([]string, clients*messages) // in the order of their positions
	for i, c := range all {
		for offset := uint64(1); offset <= clients*messages; offset++ {
			f := c.next()
			if got := offsetOf(t, f); got != offset {
				t.Fatalf("client %d: got position %d, want %d", i, got, offset)
			}
			if f.Type == protocol.TypeAck {
				if f.Scope != protocol.ScopeCluster || f.ID != protocol.MessageID(c.id, f.Key) {
					t.Fatalf("client %d: got %s", i, f.Encode())
				}
				continue
			}
			if f.From.ID == c.id {
				t.Fatalf("client %d: its own message: %s", i, f.Encode())
			}
			text := string(f.Data)
			if was := texts[offset-1]; was != "" && was != text {
				t.Fatalf("at %d there is %s, and for client %d %s", offset, was, i, text)
			}
			texts[offset-1] = text
		}
	}
	for offset := range texts {
		if got := strconv.Quote(plain.text()); got != texts[offset] {
			t.Fatalf("the plain client got %s at %d, want %s", got, offset+1, texts[offset])
		}
	}
	plain.write(websocket.MessageText, []byte("and I"))
	for i, c := range all {
		if f := c.next(); f.Type != protocol.TypeMessage || string(f.Data) != `"and I"` {
			t.Errorf("client %d got %s of a plain one", i, f.Encode())
		}
	}
	all[0].send(&protocol.Frame{Type: protocol.TypePublish, Room: "r", Key: "last", Data: []byte(`"last"`)})
	if got := plain.text(); got != "last" {
		t.Errorf("the plain client got %q, which may be its own", got)
	}
}

// TestLogHistoryAndResume joins with history, is cut, and goes on at another hub.
func TestLogHistoryAndResume(t *testing.T) {
	j := newLogs()
	one, two := startHub(t, j, "hub1", ws.Options{}), startHub(t, j, "hub2", ws.Options{})
	publish := func(n int) {
		if _, err := one.PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.JSON, []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		publish(n)
	}
	c := dialV1(t, one, "Ada")
	begin := c.enter(protocol.Frame{Room: "r", History: 3})
	for n := 2; n < 5; n++ {
		if f := c.next(); !f.Past || string(f.Data) != strconv.Itoa(n) || offsetOf(t, f) != uint64(n+1) {
			t.Errorf("history: got %s, want %d", f.Encode(), n)
		}
	}
	if f := c.want(protocol.TypeHistory); f.Count == nil || *f.Count != 3 {
		t.Errorf("got %s", f.Encode())
	}
	_ = c.nc.CloseNow()
	for n := 5; n < 8; n++ {
		publish(n)
	}
	c = dialV1(t, two, "Ada")
	c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: "r", Position: begin.Position})
	for n := 5; n < 8; n++ {
		if f := c.next(); f.Type != protocol.TypeMessage || f.Past || string(f.Data) != strconv.Itoa(n) {
			t.Errorf("what was missed: got %s, want %d", f.Encode(), n)
		}
	}
	if f := c.want(protocol.TypeSubscribed); offsetOf(t, f) != 8 {
		t.Errorf("got %s", f.Encode())
	}
	publish(8)
	if f := c.next(); string(f.Data) != "8" || offsetOf(t, f) != 9 {
		t.Errorf("got %s", f.Encode())
	}
}

// TestLogTooSlow has a client of a log room stop reading: nothing is dropped, it is closed with 4008, and when it
// comes back it gets more than its queue holds, in portions, and all of it.
func TestLogTooSlow(t *testing.T) {
	const most, size = 900, 32 << 10 // far more than the kernel's buffers hold, and no more than the log keeps
	h := startHub(t, newLogs(), "hub1", ws.Options{SendQueue: 512 << 10, WriteTimeout: time.Second})
	slow := dialV1(t, h, "does not read")
	begin := slow.enter(protocol.Frame{Room: "r"})
	other := dialV1(t, h, "reads")
	other.enter(protocol.Frame{Room: "r"})
	published := uint64(0)
	data := []byte(strings.Repeat("x", size))
	for published < most && h.ws.Stats().Closed[protocol.CodeTooSlow] == 0 {
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, data); err != nil {
			t.Fatal(err)
		}
		published++
		if f := other.next(); offsetOf(t, f) != published {
			t.Fatalf("who reads got %d, want %d", offsetOf(t, f), published)
		}
	}
	eventually(t, "the slow one is closed", func() bool { return h.ws.Stats().Closed[protocol.CodeTooSlow] == 1 })
	if n := h.ws.Stats().Dropped[hub.DropSendQueue]; n != 0 {
		t.Errorf("%d messages were dropped", n)
	}

	c := dialV1(t, h, "comes back")
	c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: "r", Position: begin.Position})
	for offset := uint64(1); offset <= published; offset++ {
		if f := c.next(); f.Type != protocol.TypeMessage || offsetOf(t, f) != offset {
			t.Fatalf("who came back got %.100s, want %d of %d", f.Encode(), offset, published)
		}
	}
	if f := c.want(protocol.TypeSubscribed); offsetOf(t, f) != published {
		t.Errorf("got %s", f.Encode())
	}
	t.Logf("closed after %d messages of %d bytes", published, size)
}
