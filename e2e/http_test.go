package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// post returns a request that publishes body in room, as it stands in a URL, with the type given or none.
func post(t *testing.T, h *hub, room, contentType, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", h.URL()+"/v1/rooms/"+room+"/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func publish(t *testing.T, h *hub, room, contentType, body string) (int, problemDoc) {
	t.Helper()
	return ask(t, post(t, h, room, contentType, body))
}

// posted is the answer to a publication.
type posted struct {
	ID        string `json:"id"`
	Position  string `json:"position"`
	Scope     string `json:"scope"`
	Duplicate bool   `json:"duplicate"`
}

// accepted publishes and returns the answer, which must be what is answered of a message that came as far as scope.
func accepted(t *testing.T, r *http.Request, scope string) (p posted) {
	t.Helper()
	answer, err := requests.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := errors.Join(json.Unmarshal(body, &p), json.Unmarshal(body, &members)); err != nil {
		t.Fatalf("status %d, %s: %v", answer.StatusCode, body, err)
	}
	status, want := http.StatusAccepted, map[string]bool{"id": true, "scope": true}
	if scope == protocol.ScopeCluster {
		status, want["position"] = http.StatusCreated, true
	}
	if p.Duplicate {
		want["duplicate"] = true
	}
	for name := range members {
		if !want[name] {
			t.Errorf("%s has the member %q", body, name)
		}
	}
	if answer.StatusCode != status || len(members) != len(want) || p.ID == "" || p.Scope != scope {
		t.Errorf("status %d, %s; want status %d with the scope %s", answer.StatusCode, body, status, scope)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("type %q", kind)
	}
	return p
}

// withKey has r publish under a key.
func withKey(r *http.Request, key string) *http.Request {
	r.Header.Set("Idempotency-Key", key)
	return r
}

// TestHTTPPublish publishes as curl would.
func TestHTTPPublish(t *testing.T) { bothKinds(t, "news", testHTTPPublish) }

func testHTTPPublish(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	plain, v1 := dialPlain(t, h, room), dialV1(t, h, "", room)
	text, binary := websocket.MessageText, websocket.MessageBinary
	for _, test := range []struct {
		contentType, body string
		plain             frame
		kind, data        string
	}{
		{"", "hi", frame{text, "hi"}, "text", `"hi"`},
		{"application/x-www-form-urlencoded", "a=b&c=%20", frame{text, "a=b&c=%20"}, "text", `"a=b&c=%20"`},
		{"text/html; charset=utf-8", "<b>é</b>", frame{text, "<b>é</b>"}, "text", `"<b>é</b>"`},
		{"application/json", `{"a": [1, "<"]}`, frame{text, `{"a": [1, "<"]}`}, "json", `{"a": [1, "<"]}`},
		{"application/json; charset=utf-8", `null`, frame{text, "null"}, "json", "null"},
		{"application/octet-stream", "\x00\xff", frame{binary, "\x00\xff"}, "binary", `"AP8="`},
		{"image/png", "text", frame{binary, "text"}, "binary", `"dGV4dA=="`},
		{"audio/ogg", "", frame{binary, ""}, "binary", `""`},
		{"video/mp4", "\xff", frame{binary, "\xff"}, "binary", `"/w=="`},
		{"application/x-unknown", "", frame{text, ""}, "text", `""`},
		{"not a type", "x", frame{text, "x"}, "text", `"x"`},
	} {
		p := accepted(t, post(t, h, room, test.contentType, test.body), scopeOf(room))
		if got := plain.next(); got != test.plain {
			t.Errorf("%q: plain got %v", test.contentType, got)
		}
		f := v1.expect("message")
		if f.Kind != test.kind || string(f.Data) != test.data || f.ID != p.ID || f.Position != p.Position ||
			f.From.ID == "" || f.Room != room {
			t.Errorf("%q: hub.v1 got %+v with the data %s, for %+v", test.contentType, f, f.Data, p)
		}
	}
	nothingElse(t, []*hub{h}, plain, v1)
}

// TestHTTPKey publishes under keys. A live room keeps nothing, so that what is repeated is published again; in a log room it
// is stored once.
func TestHTTPKey(t *testing.T) { bothKinds(t, "news", testHTTPKey) }

func testHTTPKey(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	witness := dialPlain(t, h, room)
	publish := func(key, text string) posted {
		r := post(t, h, room, "", text)
		if key != "" {
			withKey(r, key)
		}
		return accepted(t, r, scopeOf(room))
	}
	first, again, other := publish("k1", "first"), publish("k1", "again"), publish("k2", "other")
	without, more := publish("", "without"), publish("", "more")
	if first.ID != again.ID || first.ID == other.ID || without.ID == more.ID || without.ID == first.ID {
		t.Errorf("%+v, %+v, %+v; without a key %+v, %+v", first, again, other, without, more)
	}
	if again.Duplicate != isLog(room) || again.Position != first.Position || first.Duplicate || other.Duplicate || more.Duplicate {
		t.Errorf("%+v, %+v, %+v; without a key %+v", first, again, other, more)
	}
	for _, text := range []string{"first", "again", "other", "without", "more"} {
		if text == "again" && isLog(room) {
			continue
		}
		witness.expectText(text)
	}
	for _, key := range []string{"", "a b", "ü", strings.Repeat("k", 129)} {
		status, p := ask(t, withKey(post(t, h, room, "", "hi"), key))
		if status != http.StatusBadRequest || p.Code != "bad_key" {
			t.Errorf("key %.20q: status %d, %+v", key, status, p)
		}
	}
	nothingElse(t, []*hub{h}, witness)
}

func TestHTTPRefusals(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/nowhere", 404, "not_found"},
		{"GET", "/", 404, "not_found"},
		{"POST", "/v1/rooms/news", 404, "not_found"},
		{"GET", "/v1/rooms/live.news/messages", 409, "no_history"},
		{"GET", "/v1/rooms/live.news/messages?after=e:1&limit=5", 409, "no_history"},
		{"GET", "/v1/rooms/no%20name/messages", 400, "bad_room"},
		{"DELETE", "/v1/rooms/news/messages", 405, "method_not_allowed"},
		{"PUT", "/v1/rooms/news/messages", 405, "method_not_allowed"},
		{"POST", "/readyz", 405, "method_not_allowed"},
		{"POST", "/v1/rooms/no%20name/messages", 400, "bad_room"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, h.URL()+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, p := ask(t, r); status != test.status || p.Code != test.code {
			t.Errorf("%s %s: status %d, %+v", test.method, test.path, status, p)
		}
	}
	if status, p := publish(t, h, "news", "application/json", `{"a":`); status != http.StatusBadRequest || p.Code != "bad_data" {
		t.Errorf("broken JSON: status %d, %+v", status, p)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if status, body, err := get(h.URL() + path); status != http.StatusOK || err != nil {
			t.Errorf("%s: status %d, %s, %v", path, status, body, err)
		}
	}
}

// TestHTTPOrigins has pages that use the API.
func TestHTTPOrigins(t *testing.T) {
	t.Parallel()
	byHost, byList := startHub(t), startHub(t, "--allowed-origins", "https://chat.example.com")
	for _, test := range []struct {
		hub     *hub
		origin  string
		allowed bool
	}{
		{byHost, "http://127.0.0.1:9081", true},
		{byHost, "https://127.0.0.1", true},
		{byHost, "http://localhost:9081", false},
		{byHost, "http://evil.example", false},
		{byHost, "null", false},
		{byList, "https://chat.example.com", true},
		{byList, "http://chat.example.com", false},
		{byList, "https://chat.example.com:444", false},
		{byList, "http://127.0.0.1:9081", false},
	} {
		preflight := post(t, test.hub, "news", "", "")
		preflight.Method = "OPTIONS"
		preflight.Header.Set("Access-Control-Request-Method", "POST")
		preflight.Header.Set("Access-Control-Request-Headers", "content-type,idempotency-key")
		for _, r := range []*http.Request{preflight, post(t, test.hub, "news", "application/json", "1")} {
			r.Header.Set("Origin", test.origin)
			checkCORS(t, r, test.origin, test.allowed)
		}
	}
}

// checkCORS fails the test where r is not answered as a page of origin is to be.
func checkCORS(t *testing.T, r *http.Request, origin string, allowed bool) {
	t.Helper()
	answer, err := requests.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	echoed := answer.Header.Get("Access-Control-Allow-Origin")
	if !allowed {
		var p problemDoc
		err := json.NewDecoder(answer.Body).Decode(&p)
		if answer.StatusCode != http.StatusForbidden || p.Code != "origin_not_allowed" || echoed != "" {
			t.Errorf("%s from %s: status %d, %+v, %v, allowed %q", r.Method, origin, answer.StatusCode, p, err, echoed)
		}
		return
	}
	if answer.StatusCode/100 != 2 || echoed != origin || !strings.Contains(answer.Header.Get("Vary"), "Origin") {
		t.Errorf("%s from %s: status %d, headers %v", r.Method, origin, answer.StatusCode, answer.Header)
	}
	headers := strings.ToLower(answer.Header.Get("Access-Control-Allow-Headers"))
	if r.Method == "OPTIONS" && (!strings.Contains(answer.Header.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(headers, "content-type") || !strings.Contains(headers, "idempotency-key")) {
		t.Errorf("preflight from %s: headers %v", origin, answer.Header)
	}
}
