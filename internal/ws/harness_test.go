package ws_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestMain runs all tests with each engine that the system has.
func TestMain(m *testing.M) {
	playRole()
	goleak.VerifyTestMain(engines{m})
}

type engines struct{ m *testing.M }

// underTest is the engine that startHub starts hubs with.
var underTest ws.Engine

// Run runs all tests once with each engine. Benchmarks name their engine, and what is fuzzed or listed needs none.
func (e engines) Run() int {
	flag.Parse()
	for _, name := range []string{"test.bench", "test.fuzz", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			underTest = ws.EngineAuto
			return e.m.Run()
		}
	}
	for _, engine := range []ws.Engine{ws.EngineEpoll, ws.EngineGoroutine} {
		if !engine.Supported() {
			continue
		}
		underTest = engine
		if code := e.m.Run(); code != 0 {
			fmt.Printf("with the engine %s\n", engine)
			return code
		}
	}
	return 0
}

// patience is how long a test waits for what has to happen.
const patience = 60 * time.Second

// testHub is a hub with its transport on a real port.
type testHub struct {
	*hub.Hub
	ws   *ws.Server
	http *httptest.Server

	stopped sync.Once
}

// joint is what hubs of one test share.
type joint struct {
	bus  *memory.Bus
	logs *memory.Logs // nil: all rooms are live

	tokens hub.Authenticator // nil: none are wanted
	linger time.Duration     // 0: 200 ms
}

// startHub starts a hub, and stops it at the end of the test.
func startHub(t testing.TB, j joint, name string, o ws.Options) *testHub {
	t.Helper()
	options := hub.Options{Name: name, Broker: j.bus.Broker(), Tokens: j.tokens, Linger: cmp.Or(j.linger, 200*time.Millisecond)}
	if j.logs != nil {
		options.Logs, options.Portion = j.logs.Log(), o.SendQueue/8
	}
	h := &testHub{Hub: hub.New(options)}
	o.Hub = h.Hub
	if o.Engine == "" {
		o.Engine = underTest
	}
	h.ws = ws.New(o)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/rooms/{room}/events", h.ws.ServeEvents)
	mux.Handle("/", h.ws)
	h.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		h.stop(t)
		h.http.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *testHub) stop(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// shutdown shuts the server down at the first call, by the test or at its end.
func (h *testHub) shutdown(ctx context.Context) (err error) {
	h.stopped.Do(func() { err = h.ws.Shutdown(ctx) })
	return err
}

// newBus joins hubs that have live rooms alone, newLogs those that have log rooms too.
func newBus() joint { return joint{bus: memory.NewBus(memory.Options{})} }
func newLogs() joint {
	return joint{bus: memory.NewBus(memory.Options{}), logs: memory.NewLogs(memory.LogOptions{})}
}

// client is a WebSocket client by another library than the server's.
type client struct {
	t  *testing.T
	nc *websocket.Conn
	id string // of hub.v1
}

// dialPlain opens a plain session in room.
func dialPlain(t *testing.T, h *testHub, room string) *client {
	t.Helper()
	return dial(t, h, "?room="+room, nil)
}

// dialV1 opens a session of hub.v1 and says hello.
func dialV1(t *testing.T, h *testHub, name string) *client {
	t.Helper()
	c := dial(t, h, "", []string{protocol.SubprotocolV1})
	c.send(&protocol.Frame{Type: protocol.TypeHello, Name: name})
	c.id = c.want(protocol.TypeWelcome).Client.ID
	c.want(protocol.TypeStatus)
	return c
}

func dial(t *testing.T, h *testHub, query string, subprotocols []string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nc, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.http.URL, "http")+"/ws"+query,
		&websocket.DialOptions{Subprotocols: subprotocols})
	if err != nil {
		t.Fatal(err)
	}
	nc.SetReadLimit(-1)
	t.Cleanup(func() { _ = nc.CloseNow() })
	return &client{t: t, nc: nc}
}

// join joins room, and returns the answer.
func (c *client) join(room string) *protocol.Frame {
	c.t.Helper()
	c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: room})
	return c.want(protocol.TypeThere)
}

func (c *client) send(f *protocol.Frame) {
	c.t.Helper()
	c.write(websocket.MessageText, f.Encode())
}

func (c *client) write(kind websocket.MessageType, data []byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.nc.Write(ctx, kind, data); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next message, or the error that ended the connection.
func (c *client) read() (websocket.MessageType, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.nc.Read(ctx)
}

// frame returns the next frame of hub.v1.
func (c *client) frame() *protocol.Frame {
	c.t.Helper()
	_, data, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := protocol.DecodeFrame(data)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// want returns the next frame, which must be of this type.
func (c *client) want(frameType string) *protocol.Frame {
	c.t.Helper()
	f := c.frame()
	if f.Type != frameType {
		c.t.Fatalf("got frame %s, want type %q", f.Encode(), frameType)
	}
	return f
}

// wantClose fails unless the connection ends with code.
func (c *client) wantClose(code protocol.Code) {
	c.t.Helper()
	for {
		_, _, err := c.read()
		if err == nil {
			continue
		}
		if got := websocket.CloseStatus(err); got != websocket.StatusCode(code) {
			c.t.Fatalf("the connection ended with %v, want code %d", err, code)
		}
		return
	}
}

// dialRaw makes the handshake by hand, so that a test can write any bytes.
func dialRaw(t testing.TB, h *testHub, header string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", h.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	handshake(t, nc, header)
	return nc
}

// handshake opens a session on nc.
func handshake(t testing.TB, nc net.Conn, header string) {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", header)
	const end = "\r\n\r\n"
	var answer []byte
	for !strings.HasSuffix(string(answer), end) {
		b := make([]byte, 1)
		if _, err := nc.Read(b); err != nil {
			t.Fatalf("handshake: %v after %q", err, answer)
		}
		answer = append(answer, b...)
	}
	if want := fmt.Sprintf("HTTP/1.1 %d ", http.StatusSwitchingProtocols); !strings.HasPrefix(string(answer), want) {
		t.Fatalf("handshake: %s", answer)
	}
}

// eventually waits until cond holds, and says what did not.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("did not come about in %v: %s", patience, what)
		}
		<-tick.C
	}
}
