package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
)

// newClosedAPI returns the API of a hub that wants tokens, and its key.
func newClosedAPI(t *testing.T) (*api.Handler, *auth.Key) {
	t.Helper()
	key, err := auth.NewKey(strings.Repeat("k", auth.MinKey))
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{
		Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker(), Logs: memory.NewLogs(memory.LogOptions{}).Log(),
		Tokens: key,
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
	return handlerOf(h), key
}

func bearer(t *testing.T, key *auth.Key, subject, name string) string {
	t.Helper()
	token, err := key.Issue(subject, name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func TestTokens(t *testing.T) {
	a, key := newClosedAPI(t)
	for _, tt := range []struct{ name, header, code string }{
		{"none", "", "token_required"},
		{"another scheme", "Basic YTpi", "token_required"},
		{"bad", "Bearer x", "bad_token"},
		{"of another key", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5fQ.eHh4", "bad_token"},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			p := get[problem.Problem](t, a, http.StatusUnauthorized, method, messages, "x", "Authorization", tt.header)
			if p.Code != tt.code || p.Detail == "" || p.Fix == "" {
				t.Errorf("%s: %+v", tt.name, p)
			}
		}
	}
	if got := request(a, "GET", messages, "").Header().Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate %q", got)
	}
	for _, path := range []string{"/livez", "/readyz", "/v1/openapi.json"} {
		if w := request(a, "GET", path, ""); w.Code != 200 {
			t.Errorf("%s without a token: %d", path, w.Code)
		}
	}
	preflight := request(a, "OPTIONS", messages, "", "Origin", "http://localhost:9081", "Access-Control-Request-Method", "POST")
	if allowed := preflight.Header().Get("Access-Control-Allow-Headers"); preflight.Code != 204 || !strings.Contains(allowed, "Authorization") {
		t.Errorf("preflight: %d, allowed headers %q", preflight.Code, allowed)
	}
	if w := request(a, "GET", messages, "", "Authorization", bearer(t, key, "ada", "")); w.Code != 200 {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

// TestSenderIsSubject publishes under one key for several subjects: each has keys of its own, in all rooms, and no two
// subjects and keys make one id.
func TestSenderIsSubject(t *testing.T) {
	a, key := newClosedAPI(t)
	post := func(subject, key2 string) published {
		return get[published](t, a, http.StatusCreated, "POST", messages, "hi", "Authorization", bearer(t, key, subject, "Name of "+subject),
			"Idempotency-Key", key2)
	}
	ids := map[string]bool{}
	for _, pair := range [][2]string{{"ada", "k"}, {"bob", "k"}, {"ada", "x/k"}, {"ada/x", "k"}, {"ada%2Fx", "k"}} {
		first, again := post(pair[0], pair[1]), post(pair[0], pair[1])
		if first.Duplicate || !again.Duplicate || first.ID != again.ID || ids[first.ID] {
			t.Errorf("%v: %+v, then %+v", pair, first, again)
		}
		ids[first.ID] = true
	}
	all := get[history](t, a, http.StatusOK, "GET", messages, "", "Authorization", bearer(t, key, "ada", ""))
	if m := all.Messages[0]; m.From.ID != "ada" || m.From.Name != "Name of ada" || m.ID != "ada/k" {
		t.Errorf("message %+v", m)
	}
}
