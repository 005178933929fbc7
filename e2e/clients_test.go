package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// conn is a WebSocket client that takes in all that comes. Its methods but send are for the test's own goroutine.
type conn struct {
	// immutable
	tb testing.TB
	ws *websocket.Conn
	in chan frame // sent by read, received by next; holds more than a test lets wait; closed by read at the end

	err    error           // why in was closed
	stored map[string]bool // ids of messages that were acknowledged as stored; owned by the test's goroutine
}

// frame is one message as it arrived.
type frame struct {
	kind websocket.MessageType
	data string
}

// dial opens a WebSocket at url. The subprotocol may be "".
func dial(tb testing.TB, url, subprotocol string) *conn {
	tb.Helper()
	var offered []string
	if subprotocol != "" {
		offered = []string{subprotocol}
	}
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: requests, Subprotocols: offered})
	if err != nil {
		tb.Fatal(err)
	}
	if ws.Subprotocol() != subprotocol {
		tb.Fatalf("the hub chose %q, want %q", ws.Subprotocol(), subprotocol)
	}
	ws.SetReadLimit(-1)
	c := &conn{tb: tb, ws: ws, in: make(chan frame, 100_000), stored: make(map[string]bool)}
	var reading sync.WaitGroup
	reading.Go(c.read) // ends with the connection; the cleanup waits for it
	tb.Cleanup(func() {
		ws.CloseNow()
		reading.Wait()
	})
	return c
}

// dialPlain opens a WebSocket that carries bare messages. The room may be "", which is the lobby.
func dialPlain(tb testing.TB, h *hub, room string) *conn {
	tb.Helper()
	url := h.WS()
	if room != "" {
		url += "?room=" + room
	}
	return dial(tb, url, protocol.SubprotocolPlain)
}

// dialV1 opens a WebSocket that speaks hub.v1, says hello as name, and joins rooms: from then on it misses nothing there.
func dialV1(tb testing.TB, h *hub, name string, rooms ...string) *conn {
	tb.Helper()
	c := dial(tb, h.WS(), protocol.SubprotocolV1)
	c.sendFrame(&protocol.Frame{Type: protocol.TypeHello, Name: name})
	c.expect(protocol.TypeWelcome)
	c.expect(protocol.TypeStatus)
	for _, room := range rooms {
		c.join(room)
	}
	return c
}

// join joins a room and waits until the client is in it. In a log room that takes a hub that reaches the log.
func (c *conn) join(room string) {
	c.tb.Helper()
	c.sendFrame(&protocol.Frame{Type: protocol.TypeJoin, Room: room})
	if f := c.expect(protocol.TypeThere); f.Room != room || f.Log == nil || *f.Log != isLog(room) {
		c.tb.Errorf("%q: got %+v", room, f)
	}
	if !isLog(room) {
		return
	}
	if f := c.expect(protocol.TypeSubscribed); f.Room != room || f.Position == "" {
		c.tb.Errorf("%q: got %+v", room, f)
	}
}

func (c *conn) read() {
	defer close(c.in)
	for {
		kind, data, err := c.ws.Read(context.Background())
		if err != nil {
			c.err = err
			return
		}
		c.in <- frame{kind, string(data)}
	}
}

// send sends a text message.
func (c *conn) send(text string) { c.sendAs(websocket.MessageText, text) }

func (c *conn) sendAs(kind websocket.MessageType, data string) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, kind, []byte(data)); err != nil {
		c.tb.Errorf("send: %v", err)
	}
}

func (c *conn) sendFrame(f *protocol.Frame) {
	c.tb.Helper()
	c.send(string(f.Encode()))
}

// publish publishes text in room, over hub.v1.
func (c *conn) publish(room, text string) {
	c.tb.Helper()
	data, _ := json.Marshal(text) // a string can always be marshalled
	c.sendFrame(&protocol.Frame{Type: protocol.TypePublish, Room: room, Data: data})
}

// next returns the next message.
func (c *conn) next() frame {
	c.tb.Helper()
	select {
	case f, ok := <-c.in:
		if !ok {
			c.tb.Fatalf("the connection ended instead of a message: %v", c.err)
		}
		return f
	case <-time.After(patience):
		c.tb.Fatal("no message came")
		return frame{}
	}
}

// expectText fails the test where the next message is not text.
func (c *conn) expectText(text string) {
	c.tb.Helper()
	if f := c.next(); f.kind != websocket.MessageText || f.data != text {
		c.tb.Fatalf("got %v %.100q, want the text %.100q", f.kind, f.data, text)
	}
}

// expect returns the next frame of hub.v1 that is of type kind, and fails the test where another comes. What is told of
// other people is passed over, and so is what is told again of a stored message.
func (c *conn) expect(kind string) *protocol.Frame {
	c.tb.Helper()
	for {
		got := c.next()
		f, err := protocol.DecodeFrame([]byte(got.data))
		if err != nil {
			c.tb.Fatalf("%v: %q", err, got.data)
		}
		if c.toldAgain(f) {
			continue
		}
		switch f.Type {
		case kind:
			return f
		case protocol.TypeJoined, protocol.TypeLeft, protocol.TypeUpdated:
		default:
			c.tb.Fatalf("got %s, want a frame %s", got.data, kind)
		}
	}
}

// toldAgain reports whether f is another ack of a message that was acknowledged as stored, which may come at any time. The
// answer to a publication that was sent again is not one.
func (c *conn) toldAgain(f *protocol.Frame) bool {
	if f.Type != protocol.TypeAck || f.Scope != protocol.ScopeCluster {
		return false
	}
	again := c.stored[f.ID] && !f.Duplicate
	c.stored[f.ID] = true
	return again
}

// expectAck returns the next ack, and fails the test where it does not say of a message in room what acks say of rooms of
// its kind, with a hub that reaches the others.
func (c *conn) expectAck(room string) *protocol.Frame {
	c.tb.Helper()
	f := c.expect(protocol.TypeAck)
	if f.Room != room || f.Scope != scopeOf(room) || f.ID == "" || (f.Position != "") != isLog(room) {
		c.tb.Errorf("a message in %q was acknowledged with %+v", room, f)
	}
	return f
}

// closed waits until the hub has closed the connection, and returns with which code (-1: without one) and what came
// before.
func (c *conn) closed() (code websocket.StatusCode, before []frame) {
	c.tb.Helper()
	timeout := time.After(patience)
	for {
		select {
		case f, ok := <-c.in:
			if !ok {
				return websocket.CloseStatus(c.err), before
			}
			before = append(before, f)
		case <-timeout:
			c.tb.Fatal("the hub did not close the connection")
		}
	}
}

// expectClosed fails the test where the hub does not close the connection with code.
func (c *conn) expectClosed(code protocol.Code) (before []frame) {
	c.tb.Helper()
	got, before := c.closed()
	if got != websocket.StatusCode(code) {
		c.tb.Errorf("closed with %d (%v), want %d", got, c.err, code)
	}
	return before
}

// talk exchanges a message between every two of conns, which are plain and in one room, and fails the test where one is
// missing, or anything else comes.
func talk(tb testing.TB, what string, conns ...*conn) {
	tb.Helper()
	for i, from := range conns {
		text := what + " " + string(rune('A'+i))
		from.send(text)
		for j, to := range conns {
			if j != i {
				to.expectText(text)
			}
		}
	}
}

// handshake asks for an upgrade at h, with headers changed by edit, and returns the answer to what is not upgraded.
func handshake(tb testing.TB, h *hub, path string, edit func(*http.Request)) (status int, p problemDoc) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), "GET", h.URL()+path, nil)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	if edit != nil {
		edit(r)
	}
	return ask(tb, r)
}

// problemDoc is an RFC 9457 problem document as hubs write them.
type problemDoc struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

// ask returns the answer to r, with the problem document where it is one.
func ask(tb testing.TB, r *http.Request) (status int, p problemDoc) {
	tb.Helper()
	answer, err := requests.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		if kind := answer.Header.Get("Content-Type"); kind != "application/problem+json" {
			tb.Errorf("%s %s: status %d with the type %q", r.Method, r.URL, answer.StatusCode, kind)
		}
		if err := json.NewDecoder(answer.Body).Decode(&p); err != nil {
			tb.Errorf("%s %s: status %d, %v", r.Method, r.URL, answer.StatusCode, err)
		}
		if p.Status != answer.StatusCode || p.Title == "" || p.Code == "" || p.Detail == "" || p.Fix == "" {
			tb.Errorf("%s %s: status %d with the problem %+v", r.Method, r.URL, answer.StatusCode, p)
		}
	}
	return answer.StatusCode, p
}
