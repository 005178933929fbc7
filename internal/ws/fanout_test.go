package ws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestFanOut has clients of both subprotocols on two hubs. All publish, and each gets all messages of the others once,
// in the order of each publisher, and none of its own.
func TestFanOut(t *testing.T) {
	const perHub, each = 4, 200
	bus := newBus()
	hubs := []*testHub{startHub(t, bus, "same", ws.Options{}), startHub(t, bus, "same", ws.Options{})}
	var clients []*client
	for _, h := range hubs {
		for i := range perHub {
			if i%2 == 0 {
				clients = append(clients, dialPlain(t, h, "lobby"))
				continue
			}
			c := dialV1(t, h, "v1")
			c.join("lobby")
			clients = append(clients, c)
		}
	}
	for i, c := range clients {
		go func() { // ends when all is written; the test reads all of it
			for n := range each {
				c.publish("lobby", fmt.Sprintf("%d %d", i, n))
			}
		}()
	}
	for i, c := range clients {
		next := make([]int, len(clients))
		for range (len(clients) - 1) * each {
			var from, n int
			if _, err := fmt.Sscan(c.text(), &from, &n); err != nil {
				t.Fatal(err)
			}
			if from == i {
				t.Fatalf("client %d got its own message %d", i, n)
			}
			if n != next[from] {
				t.Fatalf("client %d got message %d of client %d, want %d", i, n, from, next[from])
			}
			next[from]++
		}
	}
	for _, h := range hubs {
		if got, want := h.Stats().Received["websocket"], uint64(perHub*each); got != want {
			t.Errorf("%d messages were counted as received, want %d", got, want)
		}
		eventually(t, "deliveries are counted", func() bool {
			return h.ws.Stats().Deliveries == uint64(perHub*(len(clients)-1)*each)
		})
	}
}

// publish sends text in the client's subprotocol.
func (c *client) publish(room, text string) {
	if c.id == "" {
		c.write(websocket.MessageText, []byte(text))
		return
	}
	data, _ := json.Marshal(text)
	c.send(&protocol.Frame{Type: protocol.TypePublish, Room: room, Kind: "text", Data: data})
}

// text returns the text of the next message. Other frames of hub.v1 are passed over.
func (c *client) text() string {
	c.t.Helper()
	if c.id == "" {
		_, data, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		return string(data)
	}
	for {
		f := c.frame()
		if f.Type != protocol.TypeMessage {
			continue
		}
		m, err := f.DecodeMessage()
		if err != nil {
			c.t.Fatal(err)
		}
		return string(m.Data)
	}
}

// TestPlain shows that bytes arrive as they were sent, text as text and binary as binary, in the room alone.
func TestPlain(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	a, b, elsewhere := dialPlain(t, h, "r"), dialPlain(t, h, "r"), dialPlain(t, h, "other")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, tt := range []struct {
		kind websocket.MessageType
		data []byte
	}{
		{websocket.MessageText, []byte("")},
		{websocket.MessageText, []byte("<b>é</b>\n\u2028")},
		{websocket.MessageBinary, every},
		{websocket.MessageText, bytes.Repeat([]byte("x"), 64<<10)},
		{websocket.MessageBinary, nil},
	} {
		a.write(tt.kind, tt.data)
		kind, data, err := b.read()
		if err != nil || kind != tt.kind || !bytes.Equal(data, tt.data) {
			t.Fatalf("got %v %.50q %v, want %v %.50q", kind, data, err, tt.kind, tt.data)
		}
	}
	b.publish("r", "answer")
	if got := a.text(); got != "answer" {
		t.Errorf("the sender got %q, want the answer alone", got)
	}
	elsewhere.publish("other", "x")
	dialPlain(t, h, "other").publish("other", "last")
	if got := elsewhere.text(); got != "last" {
		t.Errorf("the other room got %q", got)
	}
}

// TestKinds shows each kind as both subprotocols get it.
func TestKinds(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	plain := dialPlain(t, h, "r")
	sender, v1 := dialV1(t, h, "Ada"), dialV1(t, h, "")
	v1.join("r")
	for _, tt := range []struct {
		kind, data string
		plain      string
		plainKind  websocket.MessageType
	}{
		{"text", `"a\"b"`, `a"b`, websocket.MessageText},
		{"", `"none is text"`, `none is text`, websocket.MessageText},
		{"json", `{"a":[1,"é"]}`, `{"a":[1,"é"]}`, websocket.MessageText},
		{"binary", `"AP8="`, "\x00\xff", websocket.MessageBinary},
	} {
		sender.send(&protocol.Frame{Type: protocol.TypePublish, Room: "r", Key: "key-" + tt.kind, Kind: tt.kind, Data: []byte(tt.data)})
		ack := sender.want(protocol.TypeAck)
		if ack.Key != "key-"+tt.kind || ack.Scope != "live" || ack.ID == "" {
			t.Errorf("ack %s", ack.Encode())
		}
		f := v1.want(protocol.TypeMessage)
		wantKind := tt.kind
		if wantKind == "" {
			wantKind = "text"
		}
		if string(f.Data) != tt.data || f.Kind != wantKind || f.ID != ack.ID || f.Room != "r" || f.From.Name != "Ada" ||
			f.From.ID != sender.id || f.Hub != "hub1" || f.Time == "" {
			t.Errorf("message %s for data %s", f.Encode(), tt.data)
		}
		kind, data, err := plain.read()
		if err != nil || kind != tt.plainKind || string(data) != tt.plain {
			t.Errorf("plain got %v %q %v, want %v %q", kind, data, err, tt.plainKind, tt.plain)
		}
	}
}

// TestLargestMessage takes the largest message in its longest form through hub.v1, and one byte more.
func TestLargestMessage(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	a, b := dialV1(t, h, "a"), dialV1(t, h, "b")
	b.join("r")
	controls := `"` + strings.Repeat(`\u0001`, 64<<10) + `"`
	a.send(&protocol.Frame{Type: protocol.TypePublish, Room: "r", Key: "1", Data: []byte(controls)})
	a.want(protocol.TypeAck)
	if m, err := b.want(protocol.TypeMessage).DecodeMessage(); err != nil || len(m.Data) != 64<<10 {
		t.Fatalf("got %d bytes, %v", len(m.Data), err)
	}
	a.send(&protocol.Frame{Type: protocol.TypePublish, Room: "r", Key: "2", Data: []byte(`"` + strings.Repeat("x", 64<<10+1) + `"`)})
	a.wantClose(protocol.CodeTooBig)
}
