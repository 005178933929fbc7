package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// capture is a shard that keeps the publications.
type capture struct{ got []*hub.Publication }

func (c *capture) Enqueue(p *hub.Publication, _ *hub.Session) { c.got = append(c.got, p) }
func (*capture) Pace()                                        {}

func (*capture) Join(string, *hub.Session, []byte, bool)         {}
func (*capture) Leave(string, *hub.Session)                      {}
func (*capture) Attach(string, *hub.Session, []byte, func())     {}
func (*capture) Detach(string, *hub.Session)                     {}
func (*capture) Deliver(hub.Entry, []*hub.Session, bool)         {}
func (*capture) Replay(*hub.Session, []hub.Item, []byte, func()) {}
func (*capture) Show(*protocol.Message, []*hub.Session)          {}
func (*capture) Send(*hub.Session, []byte)                       {}
func (*capture) Ack(*hub.Session, []byte)                        {}
func (*capture) Announce(string, []byte, *hub.Session, bool)     {}
func (*capture) Broadcast([]byte)                                {}
func (*capture) Close(*hub.Session, protocol.Code, string)       {}

func newAPI(t *testing.T) (*api.Handler, *capture) {
	t.Helper()
	h := hub.New(hub.Options{Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker()})
	c := new(capture)
	h.AddShard(c)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return handlerOf(h), c
}

// handlerOf returns the API of h without a transport.
func handlerOf(h *hub.Hub) *api.Handler {
	return api.New(api.Options{
		Hub: h, Log: slog.New(slog.DiscardHandler), Events: http.NotFound, StatsEvents: http.NotFound,
		Stats: func() *api.Stats { return &api.Stats{Hub: h.Name()} },
	})
}

func request(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const messages = "/v1/rooms/lobby/messages"

func TestPublish(t *testing.T) {
	a, shard := newAPI(t)
	for _, tt := range []struct {
		name        string
		contentType string
		body        string
		kind        protocol.Kind
	}{
		{"no type", "", "hello", protocol.Text},
		{"curl -d", "application/x-www-form-urlencoded", "a=b&c=%20", protocol.Text},
		{"text", "text/plain; charset=utf-8", "é", protocol.Text},
		{"a type that is none", ";;", "x", protocol.Text},
		{"json", "application/json; charset=utf-8", `{"a":1}`, protocol.JSON},
		{"json with a parameter that is none", "application/json; charset", `[1]`, protocol.JSON},
		{"octets", "application/octet-stream", "\x00\xff", protocol.Binary},
		{"image", "image/png", "\x89PNG", protocol.Binary},
		{"audio", "audio/ogg", "\xff", protocol.Binary},
		{"video", "video/mp4", "\xff", protocol.Binary},
		{"empty", "", "", protocol.Text},
		{"largest", "", strings.Repeat("x", 64<<10), protocol.Text},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shard.got = nil
			w := request(a, "POST", messages, tt.body, "Content-Type", tt.contentType, "Idempotency-Key", "k1")
			var got map[string]string
			if w.Code != http.StatusAccepted || json.Unmarshal(w.Body.Bytes(), &got) != nil {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if len(got) != 2 || got["id"] != "http:lobby/k1" || got["scope"] != "live" {
				t.Errorf("answer %v", got)
			}
			if len(shard.got) != 1 {
				t.Fatalf("published %d times", len(shard.got))
			}
			p := shard.got[0]
			if p.Kind != tt.kind || string(p.Data) != tt.body || p.Room != "lobby" || p.Hub != "hub1" || p.ID != got["id"] {
				t.Errorf("published %+v", p)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	a, shard := newAPI(t)
	for _, tt := range []struct {
		name   string
		method string
		path   string
		body   string
		header []string
		status int
		code   string
	}{
		{"bad room", "POST", "/v1/rooms/a%20b/messages", "x", nil, 400, "bad_room"},
		{"long room", "POST", "/v1/rooms/" + strings.Repeat("r", 129) + "/messages", "x", nil, 400, "bad_room"},
		{"bad key", "POST", messages, "x", []string{"Idempotency-Key", "a b"}, 400, "bad_key"},
		{"empty key", "POST", messages, "x", []string{"Idempotency-Key", ""}, 400, "bad_key"},
		{"not JSON", "POST", messages, "{", []string{"Content-Type", "application/json"}, 400, "bad_data"},
		{"not UTF-8", "POST", messages, "\xff", nil, 400, "bad_data"},
		{"too big", "POST", messages, strings.Repeat("x", 64<<10+1), nil, 413, "too_big"},
		{"history", "GET", messages, "", nil, 409, "no_history"},
		{"history of a bad room", "GET", "/v1/rooms/é/messages", "", nil, 400, "bad_room"},
		{"method", "DELETE", messages, "", nil, 405, "method_not_allowed"},
		{"method of health", "POST", "/readyz", "", nil, 405, "method_not_allowed"},
		{"path", "GET", "/nowhere", "", nil, 404, "not_found"},
		{"root", "GET", "/", "", nil, 404, "not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := request(a, tt.method, tt.path, tt.body, tt.header...)
			var p problem.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			if w.Code != tt.status || p.Status != tt.status || p.Code != tt.code || p.Detail == "" || p.Fix == "" {
				t.Errorf("got %d %+v, want %d %s", w.Code, p, tt.status, tt.code)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
		})
	}
	if len(shard.got) > 0 {
		t.Errorf("%d refused messages were published", len(shard.got))
	}
}

func TestCORS(t *testing.T) {
	a, _ := newAPI(t)
	const page = "http://localhost:9081"
	w := request(a, "OPTIONS", messages, "", "Origin", page, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "content-type,idempotency-key")
	h := w.Header()
	if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != page ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight: %d %v", w.Code, h)
	}
	h = request(a, "POST", messages, "x", "Origin", page).Header()
	if h.Get("Access-Control-Allow-Origin") != page || h.Get("Vary") != "Origin" {
		t.Errorf("POST of a page: %v", h)
	}
	if got := request(a, "POST", messages, "x").Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("POST of a program: Access-Control-Allow-Origin %q", got)
	}
	if w := request(a, "OPTIONS", messages, ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("OPTIONS without a preflight: %d %v", w.Code, w.Header())
	}
}

func TestHealth(t *testing.T) {
	a, _ := newAPI(t)
	if w := request(a, "GET", "/livez", ""); w.Code != 200 {
		t.Errorf("livez: %d", w.Code)
	}
	w := request(a, "GET", "/readyz", "")
	if want := `{"status":"ready","hub":"hub1","isolated":false}` + "\n"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("readyz: %d %s", w.Code, w.Body)
	}
	a.Drain()
	if w := request(a, "GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "draining") {
		t.Errorf("readyz while draining: %d %s", w.Code, w.Body)
	}
}
