package web

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// ask returns the answer of a handler for o to a request that is addressed to host.
func ask(t *testing.T, o Options, method, host, path string, header ...string) *http.Response {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// body returns what an answer holds.
func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var metaHubs = regexp.MustCompile(`<meta name="hub-urls" content="([^"]*)">`)

func TestPageNamesItsHubs(t *testing.T) {
	const loopback = "http://127.0.0.1:8081"
	for _, test := range []struct {
		name    string
		hubs    []string
		host    string
		meta    string
		connect string
	}{
		{
			"opened as localhost", []string{loopback}, "localhost:9081",
			"ws://localhost:8081/ws", "'self' http://localhost:8081 ws://localhost:8081",
		},
		{
			"opened from another machine", []string{loopback}, "192.168.1.7:9081",
			"ws://192.168.1.7:8081/ws", "'self' http://192.168.1.7:8081 ws://192.168.1.7:8081",
		},
		{
			"localhost names a loopback host too", []string{"http://localhost:8081"}, "phone.local:9081",
			"ws://phone.local:8081/ws", "'self' http://phone.local:8081 ws://phone.local:8081",
		},
		{
			"opened by IPv6", []string{loopback}, "[::1]:9081",
			"ws://[::1]:8081/ws", "'self' http://*:8081 ws://*:8081",
		},
		{
			"a hub elsewhere stays", []string{"https://hub.example.com"}, "localhost:9081",
			"wss://hub.example.com/ws", "'self' https://hub.example.com wss://hub.example.com",
		},
		{
			"several hubs", []string{loopback, "http://127.0.0.1:8082"}, "localhost:9081",
			"ws://localhost:8081/ws ws://localhost:8082/ws",
			"'self' http://localhost:8081 ws://localhost:8081 http://localhost:8082 ws://localhost:8082",
		},
		{
			"a hostile Host is not repeated", []string{loopback}, "evil; script-src *",
			"ws://127.0.0.1:8081/ws", "'self' http://127.0.0.1:8081 ws://127.0.0.1:8081",
		},
		{
			"a path is escaped in the page", []string{`http://hub.example.com/a&"b`}, "localhost",
			"ws://hub.example.com/a&amp;%22b/ws", "'self' http://hub.example.com ws://hub.example.com",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ask(t, Options{Hubs: test.hubs}, "GET", test.host, "/")
			want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src " +
				test.connect + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
				"require-trusted-types-for 'script'"
			if got := r.Header.Get("Content-Security-Policy"); got != want {
				t.Errorf("policy\n%s\nwant\n%s", got, want)
			}
			page := body(t, r)
			if m := metaHubs.FindStringSubmatch(page); m == nil || m[1] != test.meta {
				t.Errorf("the page says %q, want %q", m, test.meta)
			}
			if strings.Contains(page, "evil") {
				t.Error("the page repeats the Host")
			}
		})
	}
}

func TestPageHasNothingInline(t *testing.T) {
	page := body(t, ask(t, Options{Hubs: []string{"http://127.0.0.1:8081"}, Version: `v1 <b>&`}, "GET", "localhost", "/"))
	for _, bad := range []string{`<style`, `\sstyle=`, `\son[a-z]+=`, `javascript:`, `<script>`, `://`} {
		if regexp.MustCompile(bad).MatchString(metaHubs.ReplaceAllString(page, "")) {
			t.Errorf("the page has %s, which its policy forbids", bad)
		}
	}
	if !strings.Contains(page, "Realtime Hub v1 &lt;b&gt;&amp;") {
		t.Error("the version is missing, or not escaped")
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], "#") {
			continue
		}
		if r := ask(t, Options{Hubs: []string{"http://127.0.0.1:8081"}}, "GET", "localhost", m[1]); r.StatusCode != 200 {
			t.Errorf("the page names %s, which answers %d", m[1], r.StatusCode)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, test := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/?x=y", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/chat.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/js/main.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/icon.svg", 200, "image/svg+xml"},
		{"GET", "/livez", 200, "application/json"},
		{"GET", "/readyz", 200, "application/json"},
		{"GET", "/dashboard", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/", 404, "text/plain; charset=utf-8"},
		{"GET", "/assets/chat.html", 404, "text/plain; charset=utf-8"},
		{"GET", "/ws", 404, "text/plain; charset=utf-8"},
		{"POST", "/", 405, "application/problem+json"},
		{"OPTIONS", "/livez", 405, "application/problem+json"},
	} {
		r := ask(t, Options{Hubs: []string{"http://127.0.0.1:8081"}}, test.method, "localhost:9081", test.path)
		if r.StatusCode != test.status || r.Header.Get("Content-Type") != test.contentType {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, r.StatusCode, r.Header.Get("Content-Type"),
				test.status, test.contentType)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s: headers are %v", test.method, test.path, r.Header)
		}
		if test.method == "HEAD" && body(t, r) != "" {
			t.Errorf("HEAD %s has a body", test.path)
		}
	}
	r := ask(t, Options{Hubs: []string{"http://127.0.0.1:8081"}}, "GET", "localhost", "/")
	for _, name := range []string{"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"} {
		if r.Header.Get(name) == "" {
			t.Errorf("the page has no %s", name)
		}
	}
}

func TestCaching(t *testing.T) {
	o := Options{Hubs: []string{"http://127.0.0.1:8081"}}
	for path, encodings := range map[string]int{"/": 1, "/assets/js/main.js": 2} {
		tags := make(map[string]bool)
		for _, coding := range []string{"", "gzip, br"} {
			r := ask(t, o, "GET", "localhost", path, "Accept-Encoding", coding)
			tag := r.Header.Get("ETag")
			if r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("Vary") != "Accept-Encoding" || tag == "" {
				t.Errorf("%s: headers are %v", path, r.Header)
			}
			tags[tag] = true
			again := ask(t, o, "GET", "localhost", path, "Accept-Encoding", coding, "If-None-Match", tag)
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s with the tag that it had: %d, want 304", path, again.StatusCode)
			}
		}
		if len(tags) != encodings {
			t.Errorf("%s: %d entity tags, want one for each of %d encodings", path, len(tags), encodings)
		}
	}
}

func TestCompression(t *testing.T) {
	o := Options{Hubs: []string{"http://127.0.0.1:8081"}}
	plain := body(t, ask(t, o, "GET", "localhost", "/assets/chat.css"))
	for _, test := range []struct {
		accept string
		want   bool
	}{
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"deflate, gzip;q=1.0", true}, {"*", false}, {"br", false},
		{"gzip;q=0", false}, {"gzip; q=0.000", false}, {"xgzip", false},
	} {
		r := ask(t, o, "GET", "localhost", "/assets/chat.css", "Accept-Encoding", test.accept)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != test.want {
			t.Errorf("Accept-Encoding %q: compressed %v, want %v", test.accept, got, test.want)
			continue
		}
		if !test.want {
			continue
		}
		unzip, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(unzip); err != nil || string(got) != plain {
			t.Errorf("Accept-Encoding %q: the compressed file is another (%v)", test.accept, err)
		}
	}
}

// TestSize keeps the promise of a page that is there at once: 24 kB, each file compressed by itself as it travels.
func TestSize(t *testing.T) {
	files, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	total := len(compress([]byte(files.page)))
	for name, a := range files.static {
		if !strings.HasSuffix(name, ".svg") {
			total += len(a.compressed)
		}
	}
	if total > 24_000 {
		t.Errorf("the chat page is %d bytes in gzip, more than 24,000", total)
	}
	t.Logf("the chat page is %d bytes in gzip", total)
}

func TestHealth(t *testing.T) {
	r := ask(t, Options{Hubs: []string{"http://127.0.0.1:8081"}}, "GET", "localhost", "/readyz")
	var ready struct{ Status string }
	if err := json.NewDecoder(r.Body).Decode(&ready); err != nil || ready.Status != "ready" {
		t.Errorf("/readyz says %+v, %v", ready, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Options
		says string
	}{
		{"no hub", Options{}, "--hub http://127.0.0.1:8081"},
		{"bad hub", Options{Hubs: []string{"localhost:8081"}}, "did you mean http://localhost:8081 ?"},
		{"proxy of two hubs", Options{Hubs: []string{"http://a", "http://b"}, Proxy: true}, "--proxy passes on to one hub"},
	} {
		if _, err := New(test.o); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want it to say %q", test.name, err, test.says)
		}
	}
}
