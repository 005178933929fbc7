package origin_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/origin"
	"github.com/soumya-codes/realtime-hub/internal/problem"
)

func TestProtect(t *testing.T) {
	listed := origin.Policy{AllowedOrigins: []string{"https://chat.example.com"}}
	loopback := origin.Policy{Loopback: true, AllowedHosts: []string{"dev.example"}}
	for _, tt := range []struct {
		name   string
		policy origin.Policy
		method string
		host   string
		header map[string]string
		status int
		code   string
	}{
		{name: "no origin", host: "hub.example:8081", status: 200},
		{name: "same host, other port", host: "hub.example:8081", header: h("Origin", "http://hub.example:9081"), status: 200},
		{name: "same host in capitals", host: "Hub.Example", header: h("Origin", "https://hub.example"), status: 200},
		{name: "same IPv6 address", host: "[::1]:8081", header: h("Origin", "http://[::1]:9081"), status: 200},
		{name: "another host", host: "hub.example", header: h("Origin", "http://evil.example"), status: 403, code: "origin_not_allowed"},
		{name: "a host below", host: "hub.example", header: h("Origin", "http://a.hub.example"), status: 403, code: "origin_not_allowed"},
		{name: "null", host: "hub.example", header: h("Origin", "null"), status: 403, code: "origin_not_allowed"},
		{name: "no URL", host: "hub.example", header: h("Origin", "http://[::1"), status: 403, code: "origin_not_allowed"},
		{name: "another scheme", host: "hub.example", header: h("Origin", "file://hub.example"), status: 403, code: "origin_not_allowed"},
		{name: "user in it", host: "hub.example", header: h("Origin", "http://a@hub.example"), status: 403, code: "origin_not_allowed"},
		{name: "empty origin", host: "hub.example", header: h("Origin", ""), status: 403, code: "origin_not_allowed"},
		{name: "listed", policy: listed, host: "hub.example", header: h("Origin", "https://chat.example.com"), status: 200},
		{name: "listed, other port", policy: listed, host: "hub.example", header: h("Origin", "https://chat.example.com:1"), status: 403, code: "origin_not_allowed"},
		{name: "a list replaces the rule of the host", policy: listed, host: "hub.example", header: h("Origin", "https://hub.example"), status: 403, code: "origin_not_allowed"},
		{name: "localhost", policy: loopback, host: "localhost:8081", status: 200},
		{name: "below localhost", policy: loopback, host: "hub.localhost", status: 200},
		{name: "loopback address", policy: loopback, host: "127.9.9.9:8081", status: 200},
		{name: "IPv6 loopback", policy: loopback, host: "[::1]:8081", status: 200},
		{name: "allowed host", policy: loopback, host: "dev.example:8081", status: 200},
		{name: "rebound name", policy: loopback, host: "evil.example:8081", status: 421, code: "host_not_allowed"},
		{name: "looks like localhost", policy: loopback, host: "localhost.evil.example", status: 421, code: "host_not_allowed"},
		{name: "POST of a program", method: "POST", host: "hub.example", status: 200},
		{name: "POST of the page, same site", method: "POST", host: "localhost:8081", header: map[string]string{"Origin": "http://localhost:9081", "Sec-Fetch-Site": "same-site"}, status: 200},
		{name: "POST of a form elsewhere", method: "POST", host: "hub.example", header: h("Sec-Fetch-Site", "cross-site"), status: 403, code: "origin_not_allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Host = tt.host
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			tt.policy.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.code == "" {
				return
			}
			var p problem.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			if p.Code != tt.code || p.Fix == "" || p.Detail == "" || p.Title == "" || p.Status != tt.status {
				t.Errorf("got %+v, want code %s", p, tt.code)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
		})
	}
}

func h(k, v string) map[string]string { return map[string]string{k: v} }

// FuzzCheckOrigin looks for an Origin that is let in without naming the host of the request.
func FuzzCheckOrigin(f *testing.F) {
	f.Add("http://hub.example", "hub.example:8081")
	f.Add("null", "")
	f.Add("http://[::1]:9", "[::1]")
	f.Fuzz(func(t *testing.T, from, host string) {
		p := origin.Policy{Loopback: true}
		r := &http.Request{Host: host, Header: http.Header{"Origin": {from}}}
		if p.CheckHost(r) == nil && !origin.IsLoopback(origin.Hostname(host)) {
			t.Errorf("Host %q was let in", host)
		}
		if p.CheckOrigin(r) == nil && len(from) < len("http://")+len(origin.Hostname(host)) {
			t.Errorf("Origin %q was let in for %q", from, host)
		}
	})
}
