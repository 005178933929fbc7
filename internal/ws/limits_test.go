package ws_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestBadBytes has what closes a connection, with the code, while another pair goes on undisturbed.
func TestBadBytes(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	a, b := dialPlain(t, h, "lobby"), dialPlain(t, h, "lobby")
	for _, tt := range []struct {
		name  string
		bytes []byte
		code  protocol.Code
	}{
		{"unmasked", []byte{0x81, 1, 'a'}, 1002},
		{"reserved opcode", []byte{0x83, 0x80, 0, 0, 0, 0}, 1002},
		{"not UTF-8", []byte{0x81, 0x81, 0, 0, 0, 0, 0xff}, 1007},
		{"too long", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0}, 1009},
		{"close", []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}, 1000},
		{"close without code", []byte{0x88, 0x80, 0, 0, 0, 0}, 1005},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc := dialRaw(t, h, "")
			if _, err := nc.Write(tt.bytes); err != nil {
				t.Fatal(err)
			}
			if code := readClose(t, nc); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
			a.publish("lobby", tt.name)
			if got := b.text(); got != tt.name {
				t.Errorf("the others got %q", got)
			}
		})
	}
	eventually(t, "the others are left alone", func() bool { return h.ws.Stats().Connections.All() == 2 })
}

// readClose reads up to the close frame, and answers nothing.
func readClose(t *testing.T, nc net.Conn) protocol.Code {
	t.Helper()
	for {
		header, err := gobwas.ReadHeader(nc)
		if err != nil {
			t.Fatalf("no close frame came: %v", err)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(nc, payload); err != nil {
			t.Fatal(err)
		}
		if header.OpCode != gobwas.OpClose {
			continue
		}
		if len(payload) == 0 {
			return protocol.CodeNoStatus
		}
		code, _ := gobwas.ParseCloseFrameData(payload)
		return protocol.Code(code)
	}
}

// TestSilence shows that a connection which answers no ping is closed, one that does is kept, and one of hub.v1 that
// says no hello is closed.
func TestSilence(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{
		PingInterval: 50 * time.Millisecond, PongTimeout: 200 * time.Millisecond, HandshakeTimeout: 300 * time.Millisecond,
	})
	alive := dialPlain(t, h, "lobby")
	received := make(chan string, 1) // sent once by the reader, which answers pings while it waits
	go func() { received <- alive.text() }()

	if code := readClose(t, dialRaw(t, h, "")); code != protocol.CodeNoPong {
		t.Errorf("the silent one was closed with %d", code)
	}
	if code := readClose(t, dialRaw(t, h, "Sec-WebSocket-Protocol: hub.v1\r\n")); code != protocol.CodeNoPong {
		t.Errorf("the one without hello was closed with %d", code)
	}
	dialPlain(t, h, "lobby").publish("lobby", "still there")
	if got := <-received; got != "still there" {
		t.Errorf("the one that answers pings got %q", got)
	}
}

// TestNeverReads has a client that reads nothing while others publish: what waits for it is bounded and the rest counted
// as dropped, the others get everything, and in the end it is closed.
func TestNeverReads(t *testing.T) {
	const queue, messages, size = 256 << 10, 1000, 32 << 10
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: queue, WriteTimeout: 500 * time.Millisecond})
	stuck := dialRaw(t, h, "")
	if err := stuck.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	a, b := dialPlain(t, h, "lobby"), dialPlain(t, h, "lobby")
	data := strings.Repeat("x", size)
	for i := range messages { // one after the other: b reads as fast as a writes
		a.publish("lobby", data)
		if got := b.text(); len(got) != size {
			t.Fatalf("message %d: got %d bytes", i, len(got))
		}
	}
	if h.ws.Stats().Dropped[hub.DropSendQueue] == 0 {
		t.Error("nothing was dropped for the one that does not read")
	}
	eventually(t, "it is closed", func() bool { return h.ws.Stats().Connections.All() == 2 })
	if got := h.ws.Stats(); got.Closed[protocol.CodeTooSlow] != 1 || got.SlowConsumers != 0 {
		t.Errorf("stats %+v", got)
	}
}

// TestDropsOldest shows what a slow client of a live room loses: the oldest that was not begun, never the order.
func TestDropsOldest(t *testing.T) {
	const queue, messages, size = 256 << 10, 1500, 16 << 10
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: queue})
	slow, a := dialPlain(t, h, "lobby"), dialPlain(t, h, "lobby")
	pad := strings.Repeat("x", size)
	for n := range messages {
		text, _ := json.Marshal(struct {
			N   int
			Pad string
		}{n, pad})
		a.publish("lobby", string(text))
	}
	last, got := -1, 0
	for last != messages-1 {
		var m struct{ N int }
		if err := json.Unmarshal([]byte(slow.text()), &m); err != nil {
			t.Fatal(err)
		}
		if m.N <= last {
			t.Fatalf("got message %d after %d", m.N, last)
		}
		last = m.N
		got++
	}
	dropped := int(h.ws.Stats().Dropped[hub.DropSendQueue])
	if dropped == 0 || got+dropped != messages {
		t.Errorf("%d arrived and %d were counted as dropped, of %d", got, dropped, messages)
	}
}

// TestRefusedUpgrades has requests that are answered before the upgrade, and of which nobody in the room is told.
func TestRefusedUpgrades(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	member := dialV1(t, h, "")
	member.join(protocol.DefaultRoom)
	upgrade := map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for _, tt := range []struct {
		name   string
		query  string
		change func(http.Header)
		status int
		code   string
	}{
		{"a bad room", "?room=a%20b", nil, 400, "bad_room"},
		{"an empty room", "?room=", nil, 400, "bad_room"},
		{"two rooms", "?room=a&room=b", nil, 400, "bad_room"},
		{"half an escape", "?room=secret%", nil, 400, "bad_room"},
		{"a semicolon", "?room=a;b", nil, 400, "bad_room"},
		{"no upgrade", "", func(h http.Header) { h.Del("Upgrade") }, 426, "upgrade_required"},
		{"no connection", "", func(h http.Header) { h.Set("Connection", "keep-alive") }, 426, "upgrade_required"},
		{"an old version", "", func(h http.Header) { h.Set("Sec-WebSocket-Version", "8") }, 426, "upgrade_required"},
		{"no key", "", func(h http.Header) { h.Del("Sec-WebSocket-Key") }, 400, "bad_handshake"},
		{"a short key", "", func(h http.Header) { h.Set("Sec-WebSocket-Key", "YQ==") }, 400, "bad_handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", h.http.URL+"/ws"+tt.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range upgrade {
				r.Header.Set(k, v)
			}
			if tt.change != nil {
				tt.change(r.Header)
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var p problem.Problem
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if tt.code != "" && (json.NewDecoder(resp.Body).Decode(&p) != nil || p.Code != tt.code || p.Fix == "") {
				t.Errorf("problem %+v, want code %s", p, tt.code)
			}
		})
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	member.send(&protocol.Frame{Type: protocol.TypePing})
	member.want(protocol.TypePong)
}

// TestShutdown shows that what was published arrives, that clients of hub.v1 are told when to come back, and that all
// are closed with 4001.
func TestShutdown(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	plain, v1, silent := dialPlain(t, h, "lobby"), dialV1(t, h, ""), dial(t, h, "", []string{protocol.SubprotocolV1})
	v1.join("lobby")
	if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "lobby", "", protocol.Text, []byte("last")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{}) // closed when Shutdown has returned
	go func() {
		defer close(done)
		h.stop(t)
	}()
	if got := plain.text(); got != "last" {
		t.Errorf("got %q", got)
	}
	if got := v1.text(); got != "last" {
		t.Errorf("got %q", got)
	}
	if f := v1.want(protocol.TypeBye); f.Retry == nil || *f.Retry < 0 || *f.Retry > 10_000 {
		t.Errorf("bye %s", f.Encode())
	}
	v1.wantClose(protocol.CodeDraining)
	plain.wantClose(protocol.CodeDraining)
	if _, data, err := silent.read(); err == nil {
		t.Errorf("a client that said no hello was sent %s", data)
	}
	<-done
	_, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(h.http.URL, "http"), nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a hub that is going away answered a handshake with %v, %v", resp, err)
	}
	h.http.CloseClientConnections()
}

// TestShutdownCuts shows that a client which does not answer cannot hold up the stop.
func TestShutdownCuts(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	dialRaw(t, h, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 sessions") {
		t.Errorf("got %v", err)
	}
}

// TestCloseCodes shows that codes which only clients use are counted together: each code is a series of a metric.
func TestCloseCodes(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for _, code := range []websocket.StatusCode{1000, 1001, 3333, 4998, 4999} {
		if err := dialPlain(t, h, "lobby").nc.Close(code, ""); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all have ended", func() bool { return h.ws.Stats().Connections.All() == 0 })
	got := h.ws.Stats().Closed
	if want := map[protocol.Code]uint64{1000: 1, 1001: 1, protocol.CodeOther: 3}; !maps.Equal(got, want) {
		t.Errorf("closed %v, want %v", got, want)
	}
	if name := protocol.CodeOther.String(); name != "other" {
		t.Errorf("they are called %q", name)
	}
}
