package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestOneHub is the first row of the mission: each message reaches every client of the hub but its sender, once, as it
// was, and a client that closed is forgotten at once. It needs no Redis.
func TestOneHub(t *testing.T) { bothKinds(t, "lobby", testOneHub) }

func testOneHub(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	a, b, c := dialPlain(t, h, room), dial(t, h.WS()+"?room="+room, ""), dialPlain(t, h, room)
	exchange(t, a, b, c)

	elsewhere := dialPlain(t, h, "elsewhere")
	if n := h.Metrics()["realtime_hub_connections"]; n != 4 {
		t.Errorf("%v connections, want 4", n)
	}
	b.ws.Close(websocket.StatusNormalClosure, "")
	elsewhere.ws.CloseNow()
	eventually(t, "the clients that left are forgotten", func() error {
		if n := h.Metrics()["realtime_hub_connections"]; n != 2 {
			return fmt.Errorf("%v connections, want 2", n)
		}
		return nil
	})
	talk(t, "when two are left", a, c)
	nothingElse(t, []*hub{h}, a, c)
}

// TestDefaultRoom has clients that name no room.
func TestDefaultRoom(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	a, b, c := dialPlain(t, h, ""), dial(t, h.WS(), ""), dialPlain(t, h, "lobby")
	talk(t, "in the lobby", a, b, c)
	nothingElse(t, []*hub{h}, a, b, c)
}

// TestKindsMix has clients of both subprotocols in one room.
func TestKindsMix(t *testing.T) { bothKinds(t, "mixed", testKindsMix) }

func testKindsMix(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	plain, v1, other := dialPlain(t, h, room), dialV1(t, h, "Ada", room), dialV1(t, h, "Bob", room)
	plain.send("from plain")
	plain.sendAs(websocket.MessageBinary, "\x00\xff")
	for _, c := range []*conn{v1, other} {
		f := c.expect("message")
		if string(f.Data) != `"from plain"` || f.Kind != "text" || f.From.ID == "" || f.From.Name != "" || (f.Position != "") != isLog(room) {
			t.Errorf("got %+v", f)
		}
		if f := c.expect("message"); string(f.Data) != `"AP8="` || f.Kind != "binary" {
			t.Errorf("got %+v", f)
		}
	}
	v1.send(`{"type":"publish","room":"` + room + `","key":"k1","kind":"json","data":{"a": "<b>"}}`)
	ack := v1.expectAck(room)
	if ack.Key != "k1" {
		t.Errorf("got %+v", ack)
	}
	plain.expectText(`{"a": "<b>"}`)
	f := other.expect("message")
	if string(f.Data) != `{"a": "<b>"}` || f.Kind != "json" || f.From.Name != "Ada" || f.ID != ack.ID ||
		f.Position != ack.Position || f.Hub != h.Ready().Hub {
		t.Errorf("got %+v", f)
	}
	if at, err := time.Parse("2006-01-02T15:04:05.000Z", f.Time); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("time %q: %v", f.Time, err)
	}
	v1.send(`{"type":"ping"}`)
	if f := v1.expect("pong"); f.Time == "" {
		t.Errorf("got %+v", f)
	}
	nothingElse(t, []*hub{h}, plain, v1, other)
}

// exchange sends messages of all sorts between clients of one room, plain ones.
func exchange(t *testing.T, conns ...*conn) {
	t.Helper()
	var all strings.Builder
	for i := range 256 {
		all.WriteByte(byte(i))
	}
	messages := []frame{
		{websocket.MessageText, "hello"},
		{websocket.MessageText, ""},
		{websocket.MessageText, `{"type":"hello"} <b>markup</b> "quotes" \ and ` + "\x00\x1f\u2028 €😀"},
		{websocket.MessageText, strings.Repeat("x", 64<<10)},
		{websocket.MessageBinary, all.String()},
		{websocket.MessageBinary, ""},
		{websocket.MessageBinary, "text that is to stay binary"},
		{websocket.MessageBinary, strings.Repeat("\xff", 64<<10)},
	}
	for i, from := range conns {
		for _, m := range messages {
			from.sendAs(m.kind, m.data)
			for j, to := range conns {
				if j == i {
					continue
				}
				if got := to.next(); got != m {
					t.Errorf("%d to %d: got %v %.40q, want %v %.40q", i, j, got.kind, got.data, m.kind, m.data)
				}
			}
		}
	}
}

// nothingElse stops the hubs in order, which sends all that is owed, and fails the test where clients get another
// message: a copy too many, or one of their own.
func nothingElse(t *testing.T, hubs []*hub, conns ...*conn) {
	t.Helper()
	for _, h := range hubs {
		h.Stop()
	}
	for i, c := range conns {
		for _, f := range c.expectClosed(4001) {
			if !strings.Contains(f.data, `"type":"bye"`) && !isNews(f.data) && !c.isToldAgain(f.data) {
				t.Errorf("client %d got %v %.100q at the end", i, f.kind, f.data)
			}
		}
	}
}

// isToldAgain is toldAgain for what may be no frame of hub.v1.
func (c *conn) isToldAgain(text string) bool {
	f, err := protocol.DecodeFrame([]byte(text))
	return err == nil && c.toldAgain(f)
}

// isNews reports whether text is a frame about other people.
func isNews(text string) bool {
	return strings.HasPrefix(text, `{"type":"joined"`) || strings.HasPrefix(text, `{"type":"left"`)
}

// TestStart looks at what every start must show: how long it took, and that the binary is small.
func TestStart(t *testing.T) {
	binary := buildBinary(t)
	since := time.Now()
	h := startHub(t)
	took := time.Since(since)
	eventually(t, "the hub printed its address", func() error {
		if !strings.Contains(h.Log(), h.Addr()) || !strings.Contains(h.Log(), "startup_ms") {
			return fmt.Errorf("it printed %q", h.Log())
		}
		return nil
	})
	file, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ready %v after its start (with the race detector: %v); the binary has %.1f MB; it printed %s",
		took.Round(time.Millisecond), raceDetector, float64(file.Size())/1e6, h.Log())
	if file.Size() >= 20e6 && !raceDetector {
		t.Errorf("the binary has %d bytes, 20 MB or more", file.Size())
	}
	h.Stop()
}
