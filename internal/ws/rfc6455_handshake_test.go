package ws_test

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// readAnswer reads the answer to a handshake, without a body.
func (c *rawClient) readAnswer() (status string, header http.Header) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("handshake: %v", err)
	}
	return resp.Proto + " " + resp.Status, resp.Header
}

// request is a handshake as it should be; a test changes it.
type request struct {
	line   string
	header []string
}

func goodRequest() *request {
	return &request{"GET /ws?room=live.h HTTP/1.1", []string{"Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}}
}

// without removes a header; with adds one; set does both.
func (r *request) without(name string) *request {
	kept := r.header[:0]
	for _, h := range r.header {
		if !strings.HasPrefix(h, name+":") {
			kept = append(kept, h)
		}
	}
	r.header = kept
	return r
}

func (r *request) with(name, value string) *request {
	r.header = append(r.header, name+": "+value)
	return r
}

func (r *request) set(name, value string) *request { return r.without(name).with(name, value) }

func (r *request) start(line string) *request {
	r.line = line
	return r
}

func (r *request) String() string {
	return r.line + "\r\n" + strings.Join(r.header, "\r\n") + "\r\n\r\n"
}

// TestHandshake has what RFC 6455 §4.2.1 has a server take, and what §4.2.2 has it answer.
func TestHandshake(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	const sample = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // RFC 6455 §1.3
	for _, tt := range []struct {
		name        string
		request     *request
		accept      string
		subprotocol string // "": none is answered
	}{
		{"4.2.2 the key of the RFC", goodRequest(), sample, ""},
		{"4.2.2 another key", goodRequest().set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), acceptFor("AAAAAAAAAAAAAAAAAAAAAA=="), ""},
		{"4.2.1 Upgrade in other letters", goodRequest().set("Upgrade", "WebSocket"), sample, ""},
		{"4.2.1 Connection in other letters", goodRequest().set("Connection", "upgrade"), sample, ""},
		{"4.2.1 Connection as a list", goodRequest().set("Connection", "keep-alive, Upgrade"), sample, ""},
		{"4.2.1 Connection as a list without a space", goodRequest().set("Connection", "keep-alive,UPGRADE"), sample, ""},
		{"4.2.1 Connection on several lines", goodRequest().set("Connection", "keep-alive").with("Connection", "Upgrade"), sample, ""},
		{"4.2.1 Connection on several lines, Upgrade first", goodRequest().with("Connection", "close, x"), sample, ""},
		{"4.2.1 Connection as a list with empty elements", goodRequest().set("Connection", ", ,upgrade,"), sample, ""},
		{"4.2.1 Upgrade as a list", goodRequest().set("Upgrade", "h2c, WebSocket"), sample, ""},
		{"4.2.1 Upgrade on several lines", goodRequest().set("Upgrade", "h2c").with("Upgrade", "websocket"), sample, ""},
		{"4.2.1 names of headers in other letters", goodRequest().without("Sec-WebSocket-Key").with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), sample, ""},
		{"4.2.2 an extension is not answered", goodRequest().with("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"), sample, ""},
		{"4.2.2 several extensions are not answered", goodRequest().with("Sec-WebSocket-Extensions", "a, b").with("Sec-WebSocket-Extensions", "permessage-deflate"), sample, ""},
		{"4.2.2 a subprotocol", goodRequest().with("Sec-WebSocket-Protocol", "hub.plain"), sample, "hub.plain"},
		{"4.2.2 the first known subprotocol", goodRequest().with("Sec-WebSocket-Protocol", "mqtt, hub.v1, hub.plain"), sample, "hub.v1"},
		{"4.2.2 subprotocols on several lines", goodRequest().with("Sec-WebSocket-Protocol", "mqtt").with("Sec-WebSocket-Protocol", "hub.plain"), sample, "hub.plain"},
		{"4.2.2 subprotocols with empty elements and an empty line", goodRequest().with("Sec-WebSocket-Protocol", "").with("Sec-WebSocket-Protocol", ",mqtt,, hub.v1"), sample, "hub.v1"},
		{"4.2.2 two known subprotocols on two lines", goodRequest().with("Sec-WebSocket-Protocol", "hub.v1").with("Sec-WebSocket-Protocol", "hub.plain"), sample, "hub.v1"},
		{"4.2.2 an unknown subprotocol is not answered", goodRequest().with("Sec-WebSocket-Protocol", "mqtt"), sample, ""},
		{"4.2.2 a subprotocol in other letters is unknown", goodRequest().with("Sec-WebSocket-Protocol", "HUB.V1"), sample, ""},
		{"4.2.1 other headers are ignored", goodRequest().with("Sec-WebSocket-Accept", "x").with("X-Other", "y"), sample, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dialTCP(t, h)
			c.write(tt.request.String(), 0)
			status, header := c.readAnswer()
			for name, want := range map[string]string{
				"status": "HTTP/1.1 101 Switching Protocols", "Upgrade": "websocket", "Connection": "Upgrade",
				"Sec-Websocket-Accept": tt.accept, "Sec-Websocket-Protocol": tt.subprotocol, "Sec-Websocket-Extensions": "",
				"Content-Length": "", "Transfer-Encoding": "",
			} {
				got := strings.Join(header[name], "|")
				if name == "status" {
					got = status
				}
				if got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			c.write(sentClose(1000, ""), 0)
			if got := c.untilEnd(); got != "close 1000" {
				t.Errorf("then came %s", got)
			}
		})
	}
}

// acceptFor is how a key is answered.
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestHandshakeRefused has what RFC 6455 §4.2.1 has a server refuse: by an answer of HTTP, with no session in any room.
func TestHandshakeRefused(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for _, tt := range []struct {
		name    string
		request *request
		status  int
	}{
		{"4.2.1 POST", goodRequest().start("POST /ws HTTP/1.1").with("Content-Length", "0"), 426},
		{"4.2.1 HEAD", goodRequest().start("HEAD /ws HTTP/1.1"), 426},
		{"4.2.1 HTTP/1.0", goodRequest().start("GET /ws HTTP/1.0"), 426},
		{"4.2.1 no Host", goodRequest().without("Host"), 400},
		{"4.2.1 no Upgrade", goodRequest().without("Upgrade"), 426},
		{"4.2.1 an empty Upgrade", goodRequest().set("Upgrade", ""), 426},
		{"4.2.1 Upgrade to something else", goodRequest().set("Upgrade", "h2c"), 426},
		{"4.2.1 Upgrade to something like it", goodRequest().set("Upgrade", "websockets").with("Upgrade", "web socket"), 426},
		{"4.2.1 Upgrade to another version", goodRequest().set("Upgrade", "websocket/13"), 426},
		{"4.2.1 no Connection", goodRequest().without("Connection"), 426},
		{"4.2.1 Connection without Upgrade", goodRequest().set("Connection", "keep-alive"), 426},
		{"4.2.1 Connection with something like Upgrade", goodRequest().set("Connection", "upgraded"), 426},
		{"4.2.1 Connection without Upgrade on two lines", goodRequest().set("Connection", "keep-alive").with("Connection", "close"), 426},
		{"4.2.1 no key", goodRequest().without("Sec-WebSocket-Key"), 400},
		{"4.2.1 an empty key", goodRequest().set("Sec-WebSocket-Key", ""), 400},
		{"4.2.1 a key that is not base64", goodRequest().set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j!Q=="), 400},
		{"4.2.1 a key of 15 bytes", goodRequest().set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), 400},
		{"4.2.1 a key of 17 bytes", goodRequest().set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="), 400},
		{"11.3.1 two keys", goodRequest().with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), 400},
		{"11.3.1 a key twice", goodRequest().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"4.2.1 no version", goodRequest().without("Sec-WebSocket-Version"), 426},
		{"4.4 version 0", goodRequest().set("Sec-WebSocket-Version", "0"), 426},
		{"4.4 version 8", goodRequest().set("Sec-WebSocket-Version", "8"), 426},
		{"4.4 version 14", goodRequest().set("Sec-WebSocket-Version", "14"), 426},
		{"4.4 version 013", goodRequest().set("Sec-WebSocket-Version", "013"), 426},
		{"4.4 several versions", goodRequest().set("Sec-WebSocket-Version", "13, 8"), 426},
		{"11.3.5 several versions on two lines", goodRequest().with("Sec-WebSocket-Version", "8"), 426},
		{"11.3.5 a version twice", goodRequest().with("Sec-WebSocket-Version", "13"), 426},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dialTCP(t, h)
			c.write(tt.request.String(), 0)
			resp, err := http.ReadResponse(c.r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status {
				t.Errorf("status %s, want %d", resp.Status, tt.status)
			}
			if got := resp.Header.Get("Sec-WebSocket-Version"); tt.status == 426 && got != "13" {
				t.Errorf("4.4: the answer names version %q", got)
			}
			if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "" {
				t.Errorf("the answer accepts: %q", got)
			}
		})
	}
	t.Run("all have ended", func(t *testing.T) {
		if got := h.ws.Stats().Connections.All(); got != 0 {
			t.Errorf("%d sessions", got)
		}
	})
}

// TestEarlyFrames has clients that send frames in the segment of the handshake, or hold parts of the handshake back.
func TestEarlyFrames(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for _, tt := range []struct {
		name string
		send string
		chop int
	}{
		{"all in one segment", sent(final|opPing, "early") + sentClose(1000, ""), 0},
		{"in segments of 7 bytes", sent(final|opPing, "early") + sentClose(1000, ""), 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dialTCP(t, h)
			c.write(goodRequest().String()+tt.send, tt.chop)
			if status, _ := c.readAnswer(); !strings.Contains(status, " 101 ") {
				t.Fatal(status)
			}
			if got, want := c.untilEnd(), `pong "early" close 1000`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
