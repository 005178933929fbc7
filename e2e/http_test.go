package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
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

// accepted publishes and returns the id of the message.
func accepted(t *testing.T, r *http.Request) string {
	t.Helper()
	answer, err := requests.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var a map[string]any
	err = json.NewDecoder(answer.Body).Decode(&a)
	id, _ := a["id"].(string)
	if err != nil || answer.StatusCode != http.StatusAccepted || len(a) != 2 || id == "" || a["scope"] != "live" {
		t.Errorf("status %d, %v, %v", answer.StatusCode, a, err)
	}
	if kind := answer.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("type %q", kind)
	}
	return id
}

// TestHTTPPublish publishes as curl would.
func TestHTTPPublish(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	plain, v1 := dialPlain(t, h, "news"), dialV1(t, h, "", "news")
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
		id := accepted(t, post(t, h, "news", test.contentType, test.body))
		if got := plain.next(); got != test.plain {
			t.Errorf("%q: plain got %v", test.contentType, got)
		}
		f := v1.expect("message")
		if f.Kind != test.kind || string(f.Data) != test.data || f.ID != id || f.From.ID == "" || f.Room != "news" {
			t.Errorf("%q: hub.v1 got %+v with the data %s, for the id %q", test.contentType, f, f.Data, id)
		}
	}
	nothingElse(t, []*hub{h}, plain, v1)
}

func TestHTTPKey(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	withKey := func(key string) *http.Request {
		r := post(t, h, "news", "", "hi")
		r.Header.Set("Idempotency-Key", key)
		return r
	}
	first, same, other := accepted(t, withKey("k1")), accepted(t, withKey("k1")), accepted(t, withKey("k2"))
	without, again := accepted(t, post(t, h, "news", "", "hi")), accepted(t, post(t, h, "news", "", "hi"))
	if first != same || first == other || without == again || without == first {
		t.Errorf("ids %q, %q, %q; without a key %q, %q", first, same, other, without, again)
	}
	for _, key := range []string{"a b", "ü", strings.Repeat("k", 129)} {
		if status, p := ask(t, withKey(key)); status != http.StatusBadRequest || p.Code != "bad_key" {
			t.Errorf("key %.20q: status %d, %+v", key, status, p)
		}
	}
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
		{"GET", "/v1/rooms/news/messages", 409, "no_history"},
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
