package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestBadInput sends a hub what it does not take. Each gets its documented answer, and a pair of clients that behave
// notices nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	undisturbed := startPair(t, h)
	t.Run("oversize message", func(t *testing.T) { testOversize(t, h) })
	t.Run("text that is not UTF-8", func(t *testing.T) { testNotUTF8(t, h) })
	t.Run("bad room", func(t *testing.T) { testBadRoom(t, h) })
	t.Run("strange page", func(t *testing.T) { testStrangePage(t, h) })
	t.Run("bad frame of hub.v1", func(t *testing.T) { testBadFrames(t, h) })
	t.Run("bad frame of WebSocket", func(t *testing.T) { testBadWebSocket(t, h) })
	undisturbed()
}

const tooLong = 64<<10 + 1

func testOversize(t *testing.T, h *hub) {
	long := strings.Repeat("x", tooLong)
	witness := dialPlain(t, h, "oversize")
	plain := dialPlain(t, h, "oversize")
	plain.send(long)
	plain.expectClosed(protocol.CodeTooBig)
	plain = dialPlain(t, h, "oversize")
	plain.sendAs(websocket.MessageBinary, long)
	plain.expectClosed(protocol.CodeTooBig)
	v1 := dialV1(t, h, "")
	v1.publish("oversize", long)
	v1.expectClosed(protocol.CodeTooBig)

	announced := dialRawWS(t, h, "oversize", "") // a length that is announced costs nothing until it comes
	announced.write([]byte{final | opText, masked | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	announced.expectClosed(1009)
	inParts := dialRawWS(t, h, "oversize", "") // none of the parts is too long
	inParts.writeFrame(opText, []byte(long[:tooLong/2]))
	inParts.writeFrame(0, []byte(long[:tooLong/2]))
	inParts.writeFrame(final, []byte("and one more"))
	inParts.expectClosed(1009)

	status, p := publish(t, h, "oversize", "", long)
	if status != http.StatusRequestEntityTooLarge || p.Code != "too_big" {
		t.Errorf("status %d, %+v", status, p)
	}
	full := long[:tooLong-1] // just fits, escapes and base64 not counted
	v1 = dialV1(t, h, "")
	v1.publish("oversize", strings.Repeat("\x01", tooLong-1))
	v1.expectAck("oversize")
	witness.expectText(strings.Repeat("\x01", tooLong-1))
	accepted(t, post(t, h, "oversize", "", full), protocol.ScopeCluster)
	witness.expectText(full)
}

func testNotUTF8(t *testing.T, h *hub) {
	const bad = "fine so far \xc3\x28"
	witness := dialPlain(t, h, "utf8")
	plain := dialPlain(t, h, "utf8")
	plain.send(bad)
	plain.expectClosed(protocol.CodeInvalidUTF8)
	v1 := dialV1(t, h, "")
	v1.send(`{"type":"publish","room":"utf8","data":"` + bad + `"}`)
	v1.expectClosed(protocol.CodeInvalidUTF8)
	if status, p := publish(t, h, "utf8", "text/plain", bad); status != http.StatusBadRequest || p.Code != "bad_data" {
		t.Errorf("status %d, %+v", status, p)
	}
	if status, p := publish(t, h, "utf8", "application/json", `"`+bad+`"`); status != http.StatusBadRequest || p.Code != "bad_data" {
		t.Errorf("status %d, %+v", status, p)
	}
	accepted(t, post(t, h, "utf8", "application/octet-stream", bad), protocol.ScopeCluster)
	if f := witness.next(); f.kind != websocket.MessageBinary || f.data != bad {
		t.Errorf("got %v %q", f.kind, f.data)
	}
	split := dialRawWS(t, h, "utf8", "") // a character in two frames is none that is broken
	split.writeFrame(opText, []byte("\xe2\x82"))
	split.writeFrame(final, []byte("\xac"))
	witness.expectText("€")
}

func testBadRoom(t *testing.T, h *hub) {
	names := map[string]string{ // as they stand in a URL, and in JSON
		"":                            "",
		"no%20space":                  "no space",
		"sl%2Fash":                    "sl/ash",
		"%C3%BC":                      "ü",
		strings.Repeat("n", 129):      strings.Repeat("n", 129),
		"%3Cscript%3E":                "<script>",
		"nul%00":                      `nul\u0000`,
		strings.Repeat("long", 1_000): strings.Repeat("long", 1_000),
	}
	for inURL, inJSON := range names {
		status, p := handshake(t, h, "/ws?room="+inURL, nil)
		if status != http.StatusBadRequest || p.Code != "bad_room" {
			t.Errorf("upgrade for %.40q: status %d, %+v", inURL, status, p)
		}
		v1 := dialV1(t, h, "")
		v1.send(`{"type":"join","room":"` + inJSON + `"}`)
		if f := v1.expect("error"); f.Code != "bad_room" || f.Fix == "" || f.Message == "" {
			t.Errorf("join of %.40q: %+v", inJSON, f)
		}
		v1.send(`{"type":"publish","room":"` + inJSON + `","key":"k","data":""}`)
		if f := v1.expect("error"); f.Code != "bad_room" || f.Key != "k" {
			t.Errorf("publish in %.40q: %+v", inJSON, f)
		}
		v1.send(`{"type":"ping"}`)
		v1.expect("pong") // the session goes on
		if inURL == "" {
			continue // another address
		}
		if status, p := publish(t, h, inURL, "", "hi"); status != http.StatusBadRequest || p.Code != "bad_room" {
			t.Errorf("POST for %.40q: status %d, %+v", inURL, status, p)
		}
	}
	longest := dialPlain(t, h, strings.Repeat("n", 128))
	longest.ws.CloseNow()
}

// testStrangePage has requests of pages from elsewhere, and for another host.
func testStrangePage(t *testing.T, h *hub) {
	origin := func(o string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Origin", o) }
	}
	for _, o := range []string{"http://evil.example", "null", "https://127.0.0.1.evil.example", "http://localhost:9081"} {
		if status, p := handshake(t, h, "/ws", origin(o)); status != http.StatusForbidden || p.Code != "origin_not_allowed" {
			t.Errorf("origin %s: status %d, %+v", o, status, p)
		}
	}
	if status, _ := handshake(t, h, "/ws", origin("http://127.0.0.1:9081")); status != http.StatusSwitchingProtocols {
		t.Errorf("the page of the same host: status %d", status)
	}
	for _, host := range []string{"evil.example", "evil.example:8081", "localhost.evil.example", "10.0.0.1"} {
		for _, path := range []string{"/ws", "/readyz", "/metrics"} {
			status, p := handshake(t, h, path, func(r *http.Request) { r.Host = host })
			if status != http.StatusMisdirectedRequest || p.Code != "host_not_allowed" {
				t.Errorf("%s at the host %s: status %d, %+v", path, host, status, p)
			}
		}
	}
	for _, host := range []string{"localhost", "hub.localhost:1", "127.0.0.9", "[::1]:8081"} {
		if status, _ := handshake(t, h, "/ws", func(r *http.Request) { r.Host = host }); status != http.StatusSwitchingProtocols {
			t.Errorf("the host %s: status %d", host, status)
		}
	}
}

func testBadFrames(t *testing.T, h *hub) {
	for _, first := range []string{`{"type":"join","room":"lobby"}`, `{"type":"publish","room":"lobby","data":""}`, `{"type":"ping"}`, `{"type":"x"}`} {
		c := dial(t, h.WS(), protocol.SubprotocolV1)
		c.send(first)
		if f := c.expect("error"); f.Code != "hello_first" || f.Fix == "" {
			t.Errorf("%s: %+v", first, f)
		}
		c.expectClosed(protocol.CodeBadRequest)
	}
	for _, text := range []string{``, `hello`, `{`, `[]`, `null`, `{}`, `{"type":7}`, `{"type":"ping"}{}`} {
		c := dialV1(t, h, "")
		c.send(text)
		if f := c.expect("error"); f.Code != "bad_frame" || f.Fix == "" {
			t.Errorf("%s: %+v", text, f)
		}
		c.expectClosed(protocol.CodeBadRequest)
	}
	c := dialV1(t, h, "")
	c.sendAs(websocket.MessageBinary, `{"type":"ping"}`)
	c.expectClosed(protocol.CodeUnsupportedData)

	c = dialV1(t, h, "")
	c.send(`{"type":"of tomorrow"}`)
	c.send(`{"type":"ping","and":"more"}`)
	c.expect("pong") // what is unknown is ignored
	for text, code := range map[string]string{
		`{"type":"join","room":7}`:                                            "bad_frame",
		`{"type":"join","room":"r","position":7}`:                             "bad_frame",
		`{"type":"join","room":"r","position":"nowhere"}`:                     "bad_position",
		`{"type":"join","room":"r","history":-1}`:                             "bad_position",
		`{"type":"join","room":"r","history":1001}`:                           "bad_position",
		`{"type":"publish","room":"r","birth":"e:-1","data":""}`:              "bad_position",
		`{"type":"publish","room":"r","key":"k","kind":"sound","data":""}`:    "bad_data",
		`{"type":"publish","room":"r","key":"k","data":7}`:                    "bad_data",
		`{"type":"publish","room":"r","key":"k"}`:                             "bad_data",
		`{"type":"publish","room":"r","key":"k","kind":"binary","data":"?"}`:  "bad_data",
		`{"type":"publish","room":"r","key":"a b","data":""}`:                 "bad_key",
		`{"type":"publish","room":"r","key":"` + tooLongKey + `","data":""}`:  "bad_key",
		`{"type":"publish","room":"r","key":"k","kind":"json","data":"x" }  `: "",
	} {
		c.send(text)
		if code == "" {
			c.expectAck("r")
		} else if f := c.expect("error"); f.Code != code || f.Fix == "" {
			t.Errorf("%s: %+v", text, f)
		}
	}
	for i := range 100 {
		c.join([]string{"many", "live.many"}[i%2] + fmt.Sprint(i))
	}
	c.sendFrame(&protocol.Frame{Type: protocol.TypeJoin, Room: "one-more"})
	if f := c.expect("error"); f.Code != "too_many_rooms" || f.Room != "one-more" || f.Fix == "" {
		t.Errorf("%+v", f)
	}
}

var tooLongKey = strings.Repeat("k", protocol.MaxKey+1)

func testBadWebSocket(t *testing.T, h *hub) {
	hi := []byte("hi")
	for name, send := range map[string]func(*raw){
		"unmasked":                func(c *raw) { c.write([]byte{final | opText, 2, 'h', 'i'}) },
		"reserved bit":            func(c *raw) { c.writeFrame(final|0x40|opText, hi) },
		"reserved opcode":         func(c *raw) { c.writeFrame(final|0x3, hi) },
		"ping in parts":           func(c *raw) { c.writeFrame(opPing, hi) },
		"long ping":               func(c *raw) { c.writeFrame(final|opPing, make([]byte, 126)) },
		"nothing to continue":     func(c *raw) { c.writeFrame(final, hi) },
		"message within another":  func(c *raw) { c.writeFrame(opText, hi); c.writeFrame(final|opText, hi) },
		"close with half a code":  func(c *raw) { c.writeFrame(final|opClose, []byte{3}) },
		"close with a false code": func(c *raw) { c.writeFrame(final|opClose, []byte{3, 238}) }, // 1006
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRawWS(t, h, "bad", "")
			c.tb = t
			send(c)
			c.expectClosed(1002)
		})
	}
	for name, edit := range map[string]func(*http.Request){
		"no WebSocket":     func(r *http.Request) { r.Header.Del("Upgrade"); r.Header.Del("Connection") },
		"another protocol": func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
	} {
		if status, p := handshake(t, h, "/ws", edit); status != http.StatusUpgradeRequired || p.Code != "upgrade_required" {
			t.Errorf("%s: status %d, %+v", name, status, p)
		}
	}
}
