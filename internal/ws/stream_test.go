package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/internal/streamtest"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// stream is a stream of events that a test reads.
type stream struct {
	*streamtest.Stream
	t *testing.T
}

// openStream opens a stream of a room, whose query may follow its name, and reads the time to wait that comes first.
func openStream(t *testing.T, h *testHub, room, lastID string) *stream {
	t.Helper()
	path, query, _ := strings.Cut(room, "?")
	path = "/v1/rooms/" + path + "/events?" + query
	s, err := streamtest.Open(t.Context(), h.http.Listener.Addr().String(), path, lastID, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	out := &stream{s, t}
	if e := out.next(); e.Retry < 500 || e.Retry > 10_500 || e.Data+e.ID+e.Comment != "" {
		t.Fatalf("the stream begins with %+v", e)
	}
	return out
}

// next returns what comes next, but what only keeps the stream alive.
func (s *stream) next() streamtest.Event {
	s.t.Helper()
	for {
		e, err := s.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if e.Comment != ":" {
			return e
		}
	}
}

// message returns the next message, whose data must be this JSON.
func (s *stream) message(data string) streamtest.Message {
	s.t.Helper()
	m, err := s.next().Message()
	if err != nil {
		s.t.Fatal(err)
	}
	if string(m.Data) != data {
		s.t.Fatalf("got %s, want %s", m.Data, data)
	}
	return m
}

// id returns the next id, which must be alone.
func (s *stream) id() protocol.Position {
	s.t.Helper()
	e := s.next()
	at, err := protocol.ParsePosition(e.ID)
	if err != nil || e.Data+e.Comment != "" || e.Retry >= 0 {
		s.t.Fatalf("got %+v, want an id alone", e)
	}
	return at
}

// closed fails unless the stream ends with code.
func (s *stream) closed(code protocol.Code) {
	s.t.Helper()
	for {
		e, err := s.Next()
		if err != nil {
			s.t.Fatalf("no word of the end: %v", err)
		}
		if !strings.HasPrefix(e.Comment, ": closed with ") {
			continue
		}
		if want := fmt.Sprintf(": closed with %d: ", code); !strings.HasPrefix(e.Comment, want) {
			s.t.Errorf("got %q, want %q", e.Comment, want)
		}
		if e, err := s.Next(); !errors.Is(err, io.EOF) {
			s.t.Errorf("after the end came %+v, %v", e, err)
		}
		return
	}
}

// publishJSON publishes JSON over HTTP.
func publishJSON(t *testing.T, h *testHub, room, data string) hub.Published {
	t.Helper()
	p, err := h.PublishHTTP(t.Context(), hub.Identity{}, room, "", protocol.JSON, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStream opens streams of a log room and a live room beside other sessions: each message is one event in them.
func TestStream(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	ada := dialV1(t, h, "Ada")
	ada.enter(protocol.Frame{Room: "r"})
	ada.join("live.r")
	log, live := openStream(t, h, "r", ""), openStream(t, h, "live.r", "")
	if at := log.id(); at.Offset != 0 {
		t.Errorf("an empty room begins at %v", at)
	}
	for range 2 {
		if f := ada.want(protocol.TypeJoined); f.Person.Name != "" {
			t.Errorf("got %s", f.Encode())
		}
	}
	p := publishJSON(t, h, "r", "{\n \"a\": 1\r\n}")
	m := log.message("{  \"a\": 1  }")
	if m.ID != p.ID || m.Position != p.At.String() || m.Kind != "json" || m.Hub != "hub1" || m.From.ID != "http:r" || *m.From.Name != "" {
		t.Errorf("got %+v, want %+v", m, p)
	}
	ada.publish("r", "line\nline")
	if m := log.message(`"line\nline"`); m.From.ID != ada.id || *m.From.Name != "Ada" || m.Kind != "text" || !strings.HasSuffix(m.Position, ":2") {
		t.Errorf("got %+v", m)
	}
	ada.publish("live.r", "live")
	if m := live.message(`"live"`); m.Position != "" || m.Scope != "" || live.LastID != "" {
		t.Errorf("got %+v in a live room, and the last id %q", m, live.LastID)
	}
	if got := h.ws.Stats().Connections.All(); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
	log.Close()
	eventually(t, "its end is counted", func() bool { return h.ws.Stats().Closed[protocol.CodeNoStatus] == 1 })
}

// TestStreamResumes goes on with the last id at another hub, and begins after a position and with history.
func TestStreamResumes(t *testing.T) {
	j := newLogs()
	one, two := startHub(t, j, "hub1", ws.Options{}), startHub(t, j, "hub2", ws.Options{})
	s := openStream(t, one, "r", "")
	begin := s.id()
	publish := func(n int) { publishJSON(t, one, "r", strconv.Itoa(n)) }
	publish(1)
	s.message("1")
	s.Close()
	for n := 2; n <= 6; n++ {
		publish(n)
	}
	for _, tt := range []struct {
		name, query, lastID string
		first               int
	}{
		{"the last id", "", s.LastID, 2},
		{"the last id rather than the address", "?history=1", s.LastID, 2},
		{"the last id rather than a position", "?after=" + begin.String(), s.LastID, 2},
		{"after a position", "?after=" + begin.String(), "", 1},
		{"nothing after the position", "?after=&history=0", begin.Epoch + ":6", 7},
		{"some history", "?history=3", "", 4},
		{"more history than there is", "?history=256", "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resumed := two.Hub.Stats().Resumes["resumed"]
			s := openStream(t, two, "r"+tt.query, tt.lastID)
			for n := tt.first; n <= 6; n++ {
				if m := s.message(strconv.Itoa(n)); m.Position != fmt.Sprintf("%s:%d", begin.Epoch, n) {
					t.Errorf("message %d is at %s", n, m.Position)
				}
			}
			if at := s.id(); at.Offset != 6 {
				t.Errorf("subscribed at %v", at)
			}
			if tt.lastID != "" || !strings.HasPrefix(tt.query, "?history") {
				resumed++
			}
			eventually(t, "the resume is counted", func() bool { // which may be after its end was written
				return two.Hub.Stats().Resumes["resumed"] == resumed
			})
		})
	}
	t.Run("history of an empty room", func(t *testing.T) {
		s := openStream(t, one, "empty?history=10", "")
		if at := s.id(); at.Offset != 0 {
			t.Errorf("begins at %v", at)
		}
		publishJSON(t, two, "empty", "1")
		s.message("1")
	})
	t.Run("a position of nowhere", func(t *testing.T) {
		s := openStream(t, one, "r", "nowhere:3")
		e := s.next()
		if e.Type != "reset" || e.ID != begin.Epoch+":6" || e.Data != fmt.Sprintf(`{"position":%q}`, e.ID) {
			t.Errorf("got %+v", e)
		}
	})
}

// TestStreamRefusals has what is answered before a stream begins.
func TestStreamRefusals(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	for _, tt := range []struct {
		name, path, lastID string
		status             int
		code               string
	}{
		{"room", "/v1/rooms/a%20b/events", "", 400, "bad_room"},
		{"after", "/v1/rooms/r/events?after=x", "", 400, "bad_position"},
		{"last id", "/v1/rooms/r/events", "x", 400, "bad_position"},
		{"history", "/v1/rooms/r/events?history=257", "", 400, "bad_query"},
		{"negative history", "/v1/rooms/r/events?history=-1", "", 400, "bad_query"},
		{"both", "/v1/rooms/r/events?history=1&after=e:1", "", 400, "bad_query"},
		{"query", "/v1/rooms/r/events?after=%", "", 400, "bad_query"},
		{"live history", "/v1/rooms/live.r/events?history=1", "", 409, "no_history"},
		{"live position", "/v1/rooms/live.r/events?after=e:1", "", 409, "no_history"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := streamtest.Open(t.Context(), h.http.Listener.Addr().String(), tt.path, tt.lastID, patience)
			refused, ok := errors.AsType[*streamtest.Refused](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			var p problem.Problem
			if err := json.Unmarshal(refused.Body, &p); err != nil || refused.Status != tt.status || p.Code != tt.code || p.Fix == "" {
				t.Errorf("got %v, want %d %s", refused, tt.status, tt.code)
			}
		})
	}
	r, err := http.Head(h.http.URL + "/v1/rooms/r/events")
	if err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %v, %v", r, err)
	}
	openStream(t, h, "live.r", "e:1") // of a time when it was a log room
}

// TestStreamShutdown shows that a stream gets what was published, then when to come back, and then ends in order; and
// that who comes while the hub goes away is told the same.
func TestStreamShutdown(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	s, held := openStream(t, h, "r", ""), dialPlain(t, h, "r")
	s.id()
	publishJSON(t, h, "r", `"last"`)
	done := make(chan struct{}) // closed when the shutdown is over
	go func() {
		defer close(done)
		h.stop(t)
	}()
	s.message(`"last"`)
	if e := s.next(); e.Retry < 0 || e.Retry > 10_000 {
		t.Errorf("got %+v, want when to come back", e)
	}
	s.closed(protocol.CodeDraining)
	s.Close()
	answer, err := http.Get(h.http.URL + "/v1/rooms/r/events") // another holds the shutdown up
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" ||
		!strings.HasPrefix(string(body), "retry: ") {
		t.Errorf("who came late got %v, %q, %v", answer, body, err)
	}
	if got := held.text(); got != `"last"` {
		t.Errorf("got %q", got)
	}
	held.wantClose(protocol.CodeDraining)
	<-done
	if got := h.ws.Stats().Closed[protocol.CodeDraining]; got != 2 {
		t.Errorf("%d were closed with 4001, want 2", got)
	}
}

// TestStreamShutdownCuts shows that a stream whose client does not end its side cannot hold up the stop.
func TestStreamShutdownCuts(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	openStream(t, h, "r", "").id()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := h.shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 sessions") {
		t.Errorf("got %v", err)
	}
}

// TestStreamLives shows that a silent stream is kept alive, and one that is alive is not closed.
func TestStreamLives(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{PingInterval: 20 * time.Millisecond, PongTimeout: 20 * time.Millisecond})
	s := openStream(t, h, "r", "")
	s.id()
	for range 5 {
		if e, err := s.Next(); err != nil || e.Comment != ":" {
			t.Fatalf("got %+v, %v", e, err)
		}
	}
	if _, err := io.WriteString(s.Conn, "what a client says means nothing"); err != nil {
		t.Fatal(err)
	}
	publishJSON(t, h, "r", "1")
	s.message("1")
}
