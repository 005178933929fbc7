package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// broken is a log that refuses what it is asked, with err, once that is set.
type broken struct {
	*memory.Log
	err    error // of Append and Read
	silent bool  // Append is not answered
}

func (b *broken) Append(m *protocol.Message, done func(hub.Appended, error)) error {
	switch {
	case b.silent:
		return nil
	case b.err != nil:
		return b.err
	}
	return b.Log.Append(m, done)
}

func (b *broken) Read(room string, after hub.Position, limit int, keep bool, done func(hub.LogPage, error)) error {
	if b.err != nil {
		return b.err
	}
	return b.Log.Read(room, after, limit, keep, done)
}

// newLogAPI returns the API of a hub with log rooms, which keep 10 messages.
func newLogAPI(t *testing.T) (*api.Handler, *broken) {
	t.Helper()
	logs := memory.NewLogs(memory.LogOptions{Retention: func(string) hub.Retention { return hub.Retention{History: 10} }})
	log := &broken{Log: logs.Log()}
	h := hub.New(hub.Options{
		Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker(), Logs: log, PublishTimeout: 50 * time.Millisecond,
	})
	h.AddShard(new(capture))
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return handlerOf(h), log
}

// get reads the answer to a request, which must have this status.
func get[T any](t *testing.T, a http.Handler, status int, method, path, body string, header ...string) (v T) {
	t.Helper()
	w := request(a, method, path, body, header...)
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status {
		t.Fatalf("%s %s: %d %s, %v, want %d", method, path, w.Code, w.Body, err, status)
	}
	return v
}

type published struct {
	ID, Position, Scope string
	Duplicate           bool
}

type history struct {
	Messages []struct {
		ID, Position, Time, Hub, Kind string
		From                          struct{ ID, Name string }
		Data                          json.RawMessage
	}
	Next    *string
	Reset   bool
	Orphans int
}

func TestPublishInLogRoom(t *testing.T) {
	a, _ := newLogAPI(t)
	first := get[published](t, a, http.StatusCreated, "POST", messages, "hello", "Idempotency-Key", "k1")
	if first.ID != "http:lobby/k1" || first.Scope != "cluster" || !strings.HasSuffix(first.Position, ":1") || first.Duplicate {
		t.Errorf("got %+v", first)
	}
	again := get[published](t, a, http.StatusCreated, "POST", messages, "hello", "Idempotency-Key", "k1")
	if first.Duplicate = true; again != first {
		t.Errorf("again: got %+v, want %+v", again, first)
	}
	other := get[published](t, a, http.StatusCreated, "POST", messages, "hello")
	if !strings.HasSuffix(other.Position, ":2") || other.Duplicate {
		t.Errorf("without a key: got %+v", other)
	}
	live := get[published](t, a, http.StatusAccepted, "POST", "/v1/rooms/live.a/messages", "hello")
	if live.Scope != "live" || live.Position != "" {
		t.Errorf("in a live room: got %+v", live)
	}
}

func TestHistory(t *testing.T) {
	a, _ := newLogAPI(t)
	none := get[history](t, a, http.StatusOK, "GET", messages, "")
	if none.Messages == nil || len(none.Messages) != 0 || none.Next != nil || none.Reset {
		t.Errorf("of nothing: %+v", none)
	}
	for i, m := range []struct{ contentType, body string }{
		{"text/plain", "say \"hi\""}, {"application/json", `{"a": [1]}`}, {"image/png", "\x00\xff"},
	} {
		get[published](t, a, http.StatusCreated, "POST", messages, m.body, "Content-Type", m.contentType,
			"Idempotency-Key", fmt.Sprint(i))
	}
	all := get[history](t, a, http.StatusOK, "GET", messages, "")
	if len(all.Messages) != 3 {
		t.Fatalf("got %+v", all)
	}
	for i, want := range []struct{ kind, data string }{
		{"text", `"say \"hi\""`}, {"json", `{"a":[1]}`}, {"binary", `"AP8="`},
	} {
		m := all.Messages[i]
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", m.Time); err != nil || m.Kind != want.kind ||
			string(m.Data) != want.data || m.ID != fmt.Sprint("http:lobby/", i) || m.From.ID != "http:lobby" || m.Hub != "hub1" {
			t.Errorf("message %d: %+v, %v", i, m, err)
		}
	}
	if *all.Next != all.Messages[2].Position {
		t.Errorf("next is %s, the last at %s", *all.Next, all.Messages[2].Position)
	}
	page := get[history](t, a, http.StatusOK, "GET", messages+"?limit=1&after="+all.Messages[0].Position, "")
	if len(page.Messages) != 1 || page.Messages[0].Position != all.Messages[1].Position || *page.Next != page.Messages[0].Position {
		t.Errorf("a page: %+v", page)
	}
	newest := get[history](t, a, http.StatusOK, "GET", messages+"?limit=1", "")
	if len(newest.Messages) != 1 || newest.Messages[0].Position != *all.Next {
		t.Errorf("the newest: %+v", newest)
	}
	end := get[history](t, a, http.StatusOK, "GET", messages+"?after="+*all.Next, "")
	if len(end.Messages) != 0 || *end.Next != *all.Next {
		t.Errorf("at the end: %+v", end)
	}
	for range 10 {
		get[published](t, a, http.StatusCreated, "POST", messages, "more")
	}
	trimmed := get[history](t, a, http.StatusOK, "GET", messages+"?after="+all.Messages[0].Position, "")
	if !trimmed.Reset || len(trimmed.Messages) != 10 {
		t.Errorf("behind what was trimmed: %+v", trimmed)
	}
	if gone := get[history](t, a, http.StatusOK, "GET", messages+"?after=elsewhere:1", ""); !gone.Reset {
		t.Errorf("behind another log's position: %+v", gone)
	}
}

func TestLogRefusals(t *testing.T) {
	a, log := newLogAPI(t)
	for _, tt := range []struct {
		name, method, path string
		err                error
		silent             bool
		status             int
		code               string
	}{
		{name: "limit 0", method: "GET", path: messages + "?limit=0", status: 400, code: "bad_query"},
		{name: "limit 1001", method: "GET", path: messages + "?limit=1001", status: 400, code: "bad_query"},
		{name: "no number", method: "GET", path: messages + "?limit=x", status: 400, code: "bad_query"},
		{name: "no query", method: "GET", path: messages + "?after=%zz", status: 400, code: "bad_query"},
		{name: "no position", method: "GET", path: messages + "?after=7", status: 400, code: "bad_position"},
		{name: "live", method: "GET", path: "/v1/rooms/live.a/messages", status: 409, code: "no_history"},
		{name: "read while away", method: "GET", path: messages, err: hub.ErrAway, status: 503, code: "isolated"},
		{name: "no answer", method: "POST", path: messages, silent: true, status: 504, code: "unknown"},
		{name: "full", method: "POST", path: messages, err: hub.ErrNoMemory, status: 503, code: "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log.err, log.silent = tt.err, tt.silent
			p := get[problem.Problem](t, a, tt.status, tt.method, tt.path, "x")
			if p.Code != tt.code || p.Detail == "" || p.Fix == "" {
				t.Errorf("got %+v, want %s", p, tt.code)
			}
		})
	}
}
