//go:build unix && !short

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/internal/streamtest"
)

// call is a request, and the answer that it is to have.
type call struct {
	method, path string // as the document has it; {room} stands for room
	room, query  string
	body         string
	header       []string
	status       int
	example      string // of the document; "" where it has none
	wrong        bool   // by the document, so that the hub refuses it
}

func (s *apiSpec) call(h *hub, c call) []byte {
	s.t.Helper()
	if c.room == "" {
		c.room = "lobby"
	}
	address := h.URL() + strings.ReplaceAll(c.path, "{room}", c.room) + c.query
	r, err := http.NewRequestWithContext(s.t.Context(), c.method, address, strings.NewReader(c.body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(c.header); i += 2 {
		r.Header.Set(c.header[i], c.header[i+1])
	}
	if c.method == http.MethodGet {
		r.Body = nil
	}
	r.Host = r.URL.Host
	if host := r.Header.Get("Host"); host != "" {
		r.Header.Del("Host")
		r.Host = host
	}
	return s.ask(r, c.path, c.status, c.example, !c.wrong)
}

const (
	messagesPath = "/v1/rooms/{room}/messages"
	eventsPath   = "/v1/rooms/{room}/events"
	peoplePath   = "/v1/rooms/{room}/people"
	statsPath    = "/v1/stats"
)

// TestOpenAPI has a hub give each answer that the description of its API has, and compares each with it: what is
// described is what is answered, and what is answered is described.
func TestOpenAPI(t *testing.T) {
	redis := startLogRedis(t, durable...)
	h := startHub(t, "--name", "hub1", "--broker", redis.URL(), "--outbox", "80KiB", "--broker-timeout", "500ms",
		"--broker-ping", "200ms", "--broker-silence", "1s")
	h.waitIsolated(false)
	s := readSpec(t, h)

	s.call(h, call{method: "GET", path: messagesPath, status: 200, example: "empty"})
	s.call(h, call{method: "GET", path: "/readyz", status: 200, example: "ready"})
	s.call(h, call{method: "GET", path: "/livez", status: 200, example: "alive"})
	s.call(h, call{method: "GET", path: "/metrics", status: 200})
	s.call(h, call{method: "GET", path: "/v1/openapi.json", status: 200})
	s.call(h, call{method: "GET", path: "/v1/openapi.yaml", status: 200})
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	s.call(h, call{method: "POST", path: messagesPath, body: "hello", header: append(form, "Idempotency-Key", "order-17"), status: 201, example: "stored"})
	s.call(h, call{method: "POST", path: messagesPath, body: "hello", header: append(form, "Idempotency-Key", "order-17"), status: 201, example: "duplicate"})
	s.call(h, call{method: "POST", path: messagesPath, room: "live.score", body: "1:0", header: append(form, "Idempotency-Key", "goal-1"), status: 202, example: "live"})
	s.call(h, call{method: "GET", path: messagesPath, status: 200, example: "history"})
	s.call(h, call{method: "GET", path: eventsPath, query: "?history=1", status: 200, example: "events"})
	dialV1(t, h, "Ada", "lobby")
	s.call(h, call{method: "GET", path: "/v1/rooms", status: 200, example: "rooms"})
	s.call(h, call{method: "GET", path: peoplePath, status: 200, example: "people"})
	s.call(h, call{method: "GET", path: statsPath, status: 200, example: "stats"})
	s.call(h, call{method: "GET", path: statsPath + "/events", status: 200, example: "stats_events"})
	ws := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	s.call(h, call{method: "GET", path: "/ws", header: ws, status: 101})
	s.streams(h)
	s.refusals(h, ws)
	s.everywhere(h)
	s.tokens(ws)
	s.away(h, redis)
	s.others(h)

	held := dialRawWS(t, h, "lobby", "") // which does not answer when it is closed
	held.write(nil)
	h.Interrupt()
	eventually(t, "the hub is going away", func() error {
		status, _, err := get(h.URL() + "/readyz")
		if err == nil && status != http.StatusServiceUnavailable {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	s.call(h, call{method: "GET", path: "/readyz", status: 503, example: "ready_draining"})
	s.call(h, call{method: "GET", path: "/ws", header: ws, status: 503, example: "draining"})
	held.Close()

	for _, answer := range s.answers() {
		if !s.seen[answer] {
			t.Errorf("described, and never seen: %s", answer)
		}
	}
}

// refusals asks for what is refused, but for everywhere's.
func (s *apiSpec) refusals(h *hub, ws []string) {
	s.t.Helper()
	for _, path := range []string{messagesPath, eventsPath, peoplePath} {
		s.call(h, call{method: "GET", path: path, room: "a%20b", status: 400, example: "bad_room", wrong: true})
	}
	for _, path := range []string{"/v1/rooms", messagesPath, peoplePath} {
		s.call(h, call{method: "GET", path: path, query: "?limit=1001", status: 400, example: "bad_query", wrong: true})
	}
	s.call(h, call{method: "GET", path: messagesPath, query: "?after=7", status: 400, example: "bad_position", wrong: true})
	s.call(h, call{method: "GET", path: messagesPath, room: "live.score", status: 409, example: "no_history"})
	s.call(h, call{method: "GET", path: eventsPath, query: "?after=7", status: 400, example: "bad_position", wrong: true})
	s.call(h, call{method: "GET", path: eventsPath, query: "?history=257", status: 400, example: "bad_query", wrong: true})
	s.call(h, call{method: "GET", path: eventsPath, room: "live.score", query: "?history=1", status: 409, example: "no_history"})

	text := []string{"Content-Type", "text/plain"}
	s.call(h, call{method: "POST", path: messagesPath, room: "a%20b", body: "x", header: text, status: 400, example: "bad_room", wrong: true})
	s.call(h, call{method: "POST", path: messagesPath, body: "x", header: append(text, "Idempotency-Key", "a b"), status: 400, example: "bad_key", wrong: true})
	s.call(h, call{method: "POST", path: messagesPath, body: "{", header: []string{"Content-Type", "application/json"}, status: 400, example: "bad_data", wrong: true})
	s.call(h, call{method: "POST", path: messagesPath, body: strings.Repeat("x", 64<<10+1), header: text, status: 413, example: "too_big"})

	s.call(h, call{method: "GET", path: "/ws", query: "?room=a%20b", header: ws, status: 400, example: "bad_room", wrong: true})
	s.call(h, call{method: "GET", path: "/ws", header: append(ws[:6:6], "Sec-WebSocket-Key", "YQ=="), status: 400, example: "bad_handshake"})
	s.call(h, call{method: "GET", path: "/ws", status: 426, example: "upgrade_required"})
}

// everywhere asks for all addresses by a page and under a name that the hub does not know.
func (s *apiSpec) everywhere(h *hub) {
	s.t.Helper()
	for path, item := range s.members(s.tree, "paths") {
		for method := range s.members(item) {
			if method = strings.ToUpper(method); method == "PARAMETERS" {
				continue
			}
			c := call{method: method, path: path, header: []string{"Origin", "http://evil.example"}, status: 403, example: "origin_not_allowed"}
			if method == http.MethodPost {
				c.header = append(c.header, "Content-Type", "text/plain")
			}
			s.call(h, c)
			c.header[0], c.header[1], c.status, c.example = "Host", "evil.example", 421, "host_not_allowed"
			s.call(h, c)
		}
	}
}

// tokens asks a hub that wants tokens for all addresses, without one, and with some that it does not take.
func (s *apiSpec) tokens(ws []string) {
	s.t.Helper()
	h := startHub(s.t, "--token-key", tokenKey)
	for path, item := range s.members(s.tree, "paths") {
		for method := range s.members(item) {
			if slices.Contains([]string{"/livez", "/readyz", "/metrics", "/v1/openapi.json", "/v1/openapi.yaml"}, path) || method == "parameters" {
				continue
			}
			c := call{method: strings.ToUpper(method), path: path, status: 401}
			if method == "post" {
				c.body, c.header = "x", []string{"Content-Type", "text/plain"}
			}
			if path == "/ws" {
				c.header = ws
			}
			without := len(c.header)
			for example, token := range map[string]string{
				"token_required": "", "bad_token": "x", "token_expired": makeToken(s.t, "ada", time.Now().Add(-time.Hour)),
			} {
				c.header, c.example = c.header[:without:without], example
				if token != "" {
					c.header = append(c.header, "Authorization", "Bearer "+token)
				}
				s.call(h, c)
			}
		}
	}
	token := []string{"Authorization", "Bearer " + makeToken(s.t, "ada", time.Now().Add(time.Hour))}
	s.call(h, call{method: "GET", path: "/v1/rooms", header: token, status: 200})
}

// streams compares what comes in streams with what is described.
func (s *apiSpec) streams(h *hub) {
	s.t.Helper()
	stream := func(room, lastID string) *events {
		e, err := streamtest.Open(s.t.Context(), h.Addr(), "/v1/rooms/"+room+"/events", lastID, patience)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(e.Close)
		return &events{e, s.t}
	}
	numbers, err := streamtest.Open(s.t.Context(), h.Addr(), statsPath+"/events", "", patience)
	if err != nil {
		s.t.Fatal(err)
	}
	defer numbers.Close()
	for range 2 {
		s.fits("a snapshot", "Stats", []byte((&events{numbers, s.t}).next().Data))
	}
	log, live := stream("streamed", "nowhere:1"), stream("live.streamed", "")
	e := log.next()
	s.fits("a reset", "Notice", []byte(e.Data))
	s.fits("its id", "Position", fmt.Appendf(nil, "%q", e.ID))
	log.id()
	for contentType, body := range map[string]string{"text/plain": "text", "application/json": "[null]", "image/png": "\xff"} {
		for room, events := range map[string]*events{"streamed": log, "live.streamed": live} {
			if status, p := publish(s.t, h, room, contentType, body); status/100 != 2 {
				s.t.Fatalf("status %d, %+v", status, p)
			}
			s.fits("an event", "Event", []byte(events.next().Data))
		}
	}
}

// away has Redis full, hung and gone.
func (s *apiSpec) away(h *hub, redis *redistest.Server) {
	s.t.Helper()
	keyed := call{method: "POST", path: messagesPath, body: "hello", header: []string{"Content-Type", "text/plain", "Idempotency-Key", "order-18"}}
	as := func(status int, example string) call {
		c := keyed
		c.status, c.example = status, example
		return c
	}
	redis.Do("CONFIG", "SET", "maxmemory", "1")
	s.call(h, as(503, "refused"))
	redis.Do("CONFIG", "SET", "maxmemory", "0")
	redis.Pause()
	s.call(h, as(504, "unknown"))
	h.waitIsolated(true)
	redis.Resume()
	h.waitIsolated(false)
	redis.Kill()
	h.waitIsolated(true)
	s.call(h, call{method: "GET", path: "/readyz", status: 200, example: "ready_isolated"})
	s.call(h, call{method: "GET", path: messagesPath, status: 503, example: "isolated"})
	s.call(h, as(202, "hub"))
	for n := 0; ; n++ {
		r := withKey(post(s.t, h, "lobby", "", strings.Repeat("x", 30<<10)), fmt.Sprint("fill", n))
		if status, _ := ask(s.t, r); status == http.StatusServiceUnavailable {
			break
		}
	}
	full := as(503, "outbox_full")
	full.body, full.header[3] = strings.Repeat("x", 60<<10), "order-19"
	s.call(h, full)
	redis.Start()
	h.waitIsolated(false)
}

// others has what no operation describes: other methods, and no such address.
func (s *apiSpec) others(h *hub) {
	s.t.Helper()
	for path, item := range s.members(s.tree, "paths") {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			operation := strings.ToLower(method)
			if method == http.MethodHead {
				operation = "get"
			}
			_, described := s.members(item)[operation]
			r, err := http.NewRequestWithContext(s.t.Context(), method, h.URL()+strings.ReplaceAll(path, "{room}", "live.others"), nil)
			if err != nil {
				s.t.Fatal(err)
			}
			answer, err := requests.Do(r)
			if err != nil {
				s.t.Fatal(err)
			}
			answer.Body.Close()
			missing := answer.StatusCode == http.StatusMethodNotAllowed || answer.StatusCode == http.StatusNotFound
			if missing == described && path != "/ws" { // which answers 426 to all
				s.t.Errorf("%s %s: status %d, and it is described: %v", method, path, answer.StatusCode, described)
			}
		}
	}
	for _, path := range []string{"/", "/v1", "/v1/rooms/lobby", "/v1/rooms/lobby/nothing"} {
		status, body, err := get(h.URL() + path)
		if err != nil || status != http.StatusNotFound {
			s.t.Errorf("%s: status %d, %v", path, status, err)
		}
		s.fits(path, "Problem", body)
	}
}
