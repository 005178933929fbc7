package ws_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/tlstest"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// startTLS starts a hub that speaks TLS, and returns how to reach it.
func startTLS(t testing.TB, j joint, o ws.Options) (*testHub, *tls.Config) {
	t.Helper()
	cert, roots := tlstest.Certificate(t)

	h := startHub(t, j, "hub1", o)
	secure := httptest.NewUnstartedServer(h.http.Config.Handler)
	secure.Listener = ws.ListenTLS(secure.Listener, &tls.Config{
		Certificates: []tls.Certificate{cert},
	})
	secure.Start()
	t.Cleanup(secure.Close)
	h.http.Close()
	h.http = secure
	h.http.URL = "https://" + secure.Listener.Addr().String()
	return h, &tls.Config{RootCAs: roots}
}

// dialTLS opens a session over TLS.
func dialTLS(t *testing.T, h *testHub, config *tls.Config, query string, subprotocols ...string) *client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config}
	nc, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(h.http.URL, "https")+"/ws"+query,
		&websocket.DialOptions{Subprotocols: subprotocols, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	nc.SetReadLimit(-1)
	t.Cleanup(func() { _ = nc.CloseNow() })
	return &client{t: t, nc: nc}
}

// TestTLS sends messages of all sizes through TLS, there and back, and closes from both ends.
func TestTLS(t *testing.T) {
	h, config := startTLS(t, newBus(), ws.Options{})
	a, b := dialTLS(t, h, config, "?room=r"), dialTLS(t, h, config, "?room=r")
	for _, size := range []int{0, 1, 125, 126, 16 << 10, 16<<10 + 1, 64 << 10} {
		data := make([]byte, size)
		_, _ = rand.Read(data)
		for range 3 {
			a.write(websocket.MessageBinary, data)
		}
		for range 3 {
			kind, got, err := b.read()
			if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
	}
	if err := a.nc.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	eventually(t, "one is left", func() bool { return h.ws.Stats().Connections.All() == 1 })
	done := make(chan struct{}) // closed when the hub has stopped
	go func() {
		defer close(done)
		h.stop(t)
	}()
	b.wantClose(protocol.CodeDraining)
	<-done
}

// TestTLSFanOut has clients over TLS publish at once, and each get all of the others', in order.
func TestTLSFanOut(t *testing.T) {
	const clients, each = 6, 300
	h, config := startTLS(t, newBus(), ws.Options{})
	var all []*client
	for i := range clients {
		if i%2 == 0 {
			all = append(all, dialTLS(t, h, config, "?room=r"))
			continue
		}
		c := dialTLS(t, h, config, "", protocol.SubprotocolV1)
		c.send(&protocol.Frame{Type: protocol.TypeHello})
		c.id = c.want(protocol.TypeWelcome).Client.ID
		c.want(protocol.TypeStatus)
		c.join("r")
		all = append(all, c)
	}
	for i, c := range all {
		go func() { // ends when all is written; the test reads all of it
			for n := range each {
				c.publish("r", fmt.Sprintf("%d %d", i, n))
			}
		}()
	}
	for i, c := range all {
		next := make([]int, clients)
		for range (clients - 1) * each {
			var from, n int
			if _, err := fmt.Sscan(c.text(), &from, &n); err != nil {
				t.Fatal(err)
			}
			if from == i || n != next[from] {
				t.Fatalf("client %d got message %d of client %d, want %d", i, n, from, next[from])
			}
			next[from]++
		}
	}
}

// TestTLSSlow has a client over TLS that reads late: what it gets is in order, and with what was dropped it is all.
func TestTLSSlow(t *testing.T) {
	const messages, size = 1500, 16 << 10
	h, config := startTLS(t, newBus(), ws.Options{SendQueue: 256 << 10})
	slow := dialTLS(t, h, config, "?room=live.r")
	pad := strings.Repeat("x", size)
	for n := range messages {
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "live.r", "", protocol.Text, fmt.Appendf(nil, "%d %s", n, pad)); err != nil {
			t.Fatal(err)
		}
	}
	last, got := -1, 0
	for last != messages-1 {
		var n int
		if _, err := fmt.Sscan(slow.text(), &n); err != nil {
			t.Fatal(err)
		}
		if n <= last {
			t.Fatalf("got message %d after %d", n, last)
		}
		last, got = n, got+1
	}
	if dropped := int(h.ws.Stats().Dropped[hub.DropSendQueue]); dropped == 0 || got+dropped != messages {
		t.Errorf("%d arrived and %d were counted as dropped, of %d", got, dropped, messages)
	}
}

// TestTLSNeverReads has a client over TLS that reads nothing: it is closed in the end.
func TestTLSNeverReads(t *testing.T) {
	h, config := startTLS(t, newBus(), ws.Options{SendQueue: 256 << 10, WriteTimeout: 500 * time.Millisecond})
	dialTLS(t, h, config, "?room=live.r")
	data := []byte(strings.Repeat("x", 32<<10))
	eventually(t, "it is closed", func() bool {
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "live.r", "", protocol.Text, data); err != nil {
			t.Fatal(err)
		}
		return h.ws.Stats().Closed[protocol.CodeTooSlow] == 1
	})
}

// TestIdleHasNoGoroutine shows that the epoll engine has none for a connection, with TLS neither.
func TestIdleHasNoGoroutine(t *testing.T) {
	if underTest != ws.EngineEpoll {
		t.Log("the other engine has two, on purpose")
		return
	}
	h, config := startTLS(t, newBus(), ws.Options{})
	before := runtime.NumGoroutine()
	const n = 50
	for range n {
		nc, err := tls.Dial("tcp", h.http.Listener.Addr().String(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		handshake(t, nc, "")
	}
	eventually(t, "net/http has let go of them", func() bool { return runtime.NumGoroutine() <= before+2 })
	if got := h.ws.Stats().Connections.All(); got != n {
		t.Errorf("%d connections", got)
	}
}
