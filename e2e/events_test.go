package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/streamtest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// events is a stream of events that a test reads.
type events struct {
	*streamtest.Stream
	t *testing.T
}

// openEvents opens the stream of a room, with a query or "", and goes on behind a last id or "".
func openEvents(t *testing.T, h *hub, room, query, lastID string) *events {
	t.Helper()
	s, err := streamtest.Open(t.Context(), h.Addr(), "/v1/rooms/"+room+"/events?"+query, lastID, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &events{s, t}
}

// next returns what comes next that is more than a comment or a time to wait.
func (s *events) next() streamtest.Event {
	s.t.Helper()
	for {
		e, err := s.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if e.ID+e.Data != "" {
			return e
		}
	}
}

// id returns the next id, which must be alone.
func (s *events) id() string {
	s.t.Helper()
	e := s.next()
	if e.Data != "" {
		s.t.Fatalf("got %+v, want an id alone", e)
	}
	return e.ID
}

// text returns the next message, which must be this text.
func (s *events) text(text string) streamtest.Message {
	s.t.Helper()
	m, err := s.next().Message()
	if err != nil {
		s.t.Fatal(err)
	}
	if want := fmt.Sprintf("%q", text); string(m.Data) != want {
		s.t.Fatalf("got %s, want %s", m.Data, want)
	}
	return m
}

// TestEventsAsHistory compares what a stream says of a message with what the history says.
func TestEventsAsHistory(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	s := openEvents(t, h, "news", "", "")
	s.id()
	for contentType, body := range map[string]string{
		"": "line\nline", "application/json": "{\"a\":\n[1, \"é<\"]}", "image/png": "\x89PNG\r\n",
	} {
		accepted(t, post(t, h, "news", contentType, body), protocol.ScopeCluster)
		got := s.next()
		_, page, err := get(h.URL() + "/v1/rooms/news/messages?limit=1")
		if err != nil {
			t.Fatal(err)
		}
		list, _, _ := bytes.Cut(bytes.TrimPrefix(page, []byte(`{"messages":[`)), []byte(`],"next"`))
		if strings.Join(strings.Fields(got.Data), "") != strings.Join(strings.Fields(string(list)), "") {
			t.Errorf("the event is\n%s\nand the history has\n%s", got.Data, list)
		}
	}
}

// TestEventsCurl reads a stream with curl, which shows each event as it comes and ends in order when the hub stops.
func TestEventsCurl(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	accepted(t, post(t, h, "news", "", "before"), protocol.ScopeCluster)
	out := new(output)
	curl := exec.Command("curl", "-sSN", "--fail", h.URL()+"/v1/rooms/news/events?history=10")
	curl.Stdout, curl.Stderr = out, out
	if err := curl.Start(); err != nil {
		t.Fatalf("this test needs curl: %v", err)
	}
	ended := make(chan error, 1) // sent once, when curl ends
	go func() { ended <- curl.Wait() }()
	t.Cleanup(func() { _ = curl.Process.Kill() }) // it has ended, unless the test failed
	shows := func(text string) {
		t.Helper()
		eventually(t, "curl shows "+text, func() error {
			if !strings.Contains(out.String(), text) {
				return errors.New(out.String())
			}
			return nil
		})
	}
	shows(`"data":"before"}`)
	accepted(t, post(t, h, "news", "", "after"), protocol.ScopeCluster)
	shows(`"data":"after"}`)
	h.Stop()
	select {
	case err := <-ended:
		if err != nil || !strings.Contains(out.String(), "\n\n: closed with 4001: the hub is going away\n\n") ||
			strings.Count(out.String(), "retry: ") != 2 {
			t.Errorf("curl ended with %v and showed\n%s", err, out)
		}
	case <-time.After(patience):
		t.Fatal("curl did not end")
	}
}

// TestEventsMethods has what is asked in another way.
func TestEventsMethods(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	for method, status := range map[string]int{"POST": 405, "DELETE": 405, "OPTIONS": 405, "HEAD": 200} {
		r, err := http.NewRequestWithContext(t.Context(), method, h.URL()+"/v1/rooms/news/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := requests.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != status || status == 405 && answer.Header.Get("Allow") != "GET" {
			t.Errorf("%s: %d %v %s, %v", method, answer.StatusCode, answer.Header, body, err)
		}
	}
	if n := h.Metrics()["realtime_hub_connections"]; n != 0 {
		t.Errorf("%v streams, and nobody asked for one", n)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", h.URL()+"/v1/rooms/news/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://evil.example")
	if status, p := ask(t, r); status != http.StatusForbidden || p.Code != "origin_not_allowed" {
		t.Errorf("of another origin: %d %+v", status, p)
	}
}
