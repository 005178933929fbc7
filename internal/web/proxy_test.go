package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/origin"
)

// echoHub is a server that answers messages with themselves, and hands over the request that opened the connection.
// What the proxy does to the request is looked at there; a real hub is behind it in the end-to-end tests.
func echoHub(t *testing.T) (*httptest.Server, <-chan *http.Request) {
	t.Helper()
	requests := make(chan *http.Request, 1) // sent by the handler, received by the test; one a connection; not closed
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Clone(context.Background())
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"hub.v1"}})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server, requests
}

func proxyTo(t *testing.T, hub string, origins origin.Policy) *httptest.Server {
	t.Helper()
	handler, err := New(Options{Hubs: []string{hub}, Proxy: true, Origins: origins})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func TestProxy(t *testing.T) {
	hub, requests := echoHub(t)
	page := proxyTo(t, hub.URL+"/behind", origin.Policy{})
	header := http.Header{"Origin": {page.URL}, "Cookie": {"session=another-service"}}
	conn, _, err := websocket.Dial(t.Context(), page.URL+"/ws?room=ops", &websocket.DialOptions{
		Subprotocols: []string{"hub.v1"}, HTTPHeader: header,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != "hub.v1" {
		t.Errorf("subprotocol %q, want the hub's choice", conn.Subprotocol())
	}
	r := <-requests
	if r.URL.RequestURI() != "/behind/ws?room=ops" || r.Host != strings.TrimPrefix(hub.URL, "http://") {
		t.Errorf("the hub was asked for %s at %s", r.URL.RequestURI(), r.Host)
	}
	for _, name := range []string{"Origin", "Cookie"} {
		if v, ok := r.Header[name]; ok {
			t.Errorf("the hub got %s %q", name, v)
		}
	}
	for _, want := range []string{"hello", strings.Repeat("x", 30_000)} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
			t.Fatalf("got %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close through the proxy: %v", err)
	}
}

func TestProxyAppliesTheOriginRule(t *testing.T) {
	hub, requests := echoHub(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(hub.URL, "http://"))
	for _, test := range []struct {
		name, host, origin string
		policy             origin.Policy
		status             int
	}{
		{"another site", "", "https://evil.example", origin.Policy{}, 403},
		{"null", "", "null", origin.Policy{}, 403},
		{"the hub's own host is not the page's", "page.example", "http://127.0.0.1:" + port, origin.Policy{}, 403},
		{"a name that was made to resolve to loopback", "evil.example", "http://evil.example", origin.Policy{Loopback: true}, 421},
		{"the same host at another port", "", "http://127.0.0.1:1", origin.Policy{}, 101},
		{"no Origin", "", "", origin.Policy{}, 101},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := proxyTo(t, hub.URL, test.policy)
			options := &websocket.DialOptions{Host: test.host, HTTPHeader: http.Header{}}
			if test.origin != "" {
				options.HTTPHeader.Set("Origin", test.origin)
			}
			conn, answer, err := websocket.Dial(t.Context(), page.URL+"/ws", options)
			if answer == nil {
				t.Fatal(err)
			}
			if answer.StatusCode != test.status {
				t.Errorf("status %d, want %d", answer.StatusCode, test.status)
			}
			if err == nil {
				conn.CloseNow()
				<-requests
			}
			if len(requests) != 0 {
				t.Error("a refused request reached the hub")
			}
		})
	}
}

func TestProxyWithoutAHub(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	page := proxyTo(t, "http://"+listener.Addr().String(), origin.Policy{})
	_, answer, err := websocket.Dial(t.Context(), page.URL+"/ws", nil)
	if err == nil || answer == nil || answer.StatusCode != http.StatusBadGateway {
		t.Fatalf("answer %v, %v, want 502", answer, err)
	}
	if text, _ := io.ReadAll(answer.Body); !strings.Contains(string(text), "hub_unreachable") {
		t.Errorf("the answer is %s", text)
	}
}

// TestProxyPage looks at what the page is told: its own address, which a browser may have by TLS that ends elsewhere.
func TestProxyPage(t *testing.T) {
	o := Options{Hubs: []string{"http://hub.internal:8081"}, Proxy: true}
	r := ask(t, o, "GET", "chat.example.com", "/")
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' ws://chat.example.com wss://chat.example.com;") {
		t.Errorf("policy %s", policy)
	}
	page := body(t, r)
	if m := metaHubs.FindStringSubmatch(page); m == nil || m[1] != "/ws" {
		t.Errorf("the page says %q, want its own /ws", m)
	}
	if strings.Contains(page+policy, "hub.internal") {
		t.Error("the page tells where the hub is, which no browser reaches")
	}
}
