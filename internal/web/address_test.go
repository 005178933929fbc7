package web

import (
	"net"
	"net/url"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	for _, test := range []struct {
		in   string
		want hostPort
		ok   bool
	}{
		{in: "localhost:9081", want: hostPort{"localhost", "9081"}, ok: true},
		{in: "LocalHost", want: hostPort{"localhost", ""}, ok: true},
		{in: "chat.example.com:443", want: hostPort{"chat.example.com", "443"}, ok: true},
		{in: "my_phone.local:9081", want: hostPort{"my_phone.local", "9081"}, ok: true},
		{in: "192.168.1.7:9081", want: hostPort{"192.168.1.7", "9081"}, ok: true},
		{in: "[::1]:9081", want: hostPort{"::1", "9081"}, ok: true},
		{in: "[2001:DB8:0::1]", want: hostPort{"2001:db8::1", ""}, ok: true},
		{in: ""},
		{in: ":9081"},
		{in: "localhost:"},
		{in: "localhost:0"},
		{in: "localhost:65536"},
		{in: "localhost:+80"},
		{in: "::1"},
		{in: "[::1"},
		{in: "::1]"},
		{in: "[127.0.0.1]"},
		{in: "[fe80::1%eth0]:80"},
		{in: "[]"},
		{in: "a..b"},
		{in: "a b"},
		{in: "evil; script-src *"},
		{in: "evil\r\nX: y"},
		{in: `"><script>`},
		{in: "*"},
		{in: "user@host"},
		{in: "host/path"},
		{in: "bücher.example"},
		{in: strings.Repeat("a", 64)},
		{in: strings.Repeat("a.", 127)},
	} {
		got, ok := parseHost(test.in)
		if got != test.want || ok != test.ok {
			t.Errorf("parseHost(%q) = %+v, %v, want %+v, %v", test.in, got, ok, test.want, test.ok)
		}
	}
}

// FuzzParseHost looks for a Host that gets through and is more than a host and a port in a header or in a URL.
func FuzzParseHost(f *testing.F) {
	for _, s := range []string{
		"localhost:9081", "[::1]:80", "a.b", "evil; script-src *", "a\r\nb", "[::ffff:1.2.3.4]", "a:1:2", "%5b::1%5d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseHost(s)
		if !ok {
			if got != (hostPort{}) {
				t.Fatalf("parseHost(%q) = %+v though it is malformed", s, got)
			}
			return
		}
		if strings.ContainsAny(got.String(), " \t\r\n;,'\"<>&*/@#?\\%") {
			t.Fatalf("parseHost(%q) lets through %q", s, got)
		}
		if again, ok := parseHost(got.String()); !ok || again != got {
			t.Fatalf("parseHost(%q) = %+v, which reads as %+v, %v", s, got, again, ok)
		}
		u, err := url.Parse("ws://" + got.String() + "/ws")
		if err != nil || u.Hostname() != got.name || u.Port() != got.port || u.Path != "/ws" {
			t.Fatalf("parseHost(%q) = %+v, of which a URL makes %v, %v", s, got, u, err)
		}
		if strings.Contains(got.name, ":") && net.ParseIP(got.name) == nil {
			t.Fatalf("parseHost(%q) = %+v, which is no address", s, got)
		}
	})
}

func TestParseHubURL(t *testing.T) {
	for _, test := range []struct{ in, socket, sources string }{
		{"http://127.0.0.1:8081", "ws://127.0.0.1:8081/ws", "http://127.0.0.1:8081 ws://127.0.0.1:8081"},
		{"ws://hub:8081/", "ws://hub:8081/ws", "http://hub:8081 ws://hub:8081"},
		{"ws://hub:8081/ws", "ws://hub:8081/ws", "http://hub:8081 ws://hub:8081"},
		{"https://chat.example.com", "wss://chat.example.com/ws", "https://chat.example.com wss://chat.example.com"},
		{"wss://example.com/hub1/ws", "wss://example.com/hub1/ws", "https://example.com wss://example.com"},
		{"http://example.com/a/", "ws://example.com/a/ws", "http://example.com ws://example.com"},
		{"http://[::1]:8081", "ws://[::1]:8081/ws", "http://*:8081 ws://*:8081"},
	} {
		u, err := parseHubURL(test.in)
		if err != nil {
			t.Errorf("parseHubURL(%q): %v", test.in, err)
			continue
		}
		if got := u.socket(); got != test.socket {
			t.Errorf("socket of %q is %q, want %q", test.in, got, test.socket)
		}
		if got := strings.Join(u.sources(), " "); got != test.sources {
			t.Errorf("sources of %q are %q, want %q", test.in, got, test.sources)
		}
	}
}

func TestParseHubURLRefuses(t *testing.T) {
	for _, test := range []struct{ in, says string }{
		{"", "not a URL → write the hub's address as the browser reaches it: http://127.0.0.1:8081"},
		{"localhost:8081", `bad --hub "localhost:8081": no scheme → did you mean http://localhost:8081 ?`},
		{"redis://localhost", `the scheme is "redis"`},
		{"http://user:secret@host", "every browser would see"},
		{"http://host?room=x", "query"},
		{"http://host/#x", "fragment"},
		{"http://host:99999", "malformed"},
		{"http://ho'st", "malformed"},
		{"http://host/a b", "space"},
	} {
		_, err := parseHubURL(test.in)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("parseHubURL(%q): %v, want it to say %q", test.in, err, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("parseHubURL(%q) repeats the password: %v", test.in, err)
		}
	}
}

// FuzzParseHubURL looks for a --hub that is taken and that breaks the page's list or its policy.
func FuzzParseHubURL(f *testing.F) {
	for _, s := range []string{
		"http://127.0.0.1:8081", "wss://[::1]/x/ws", "http://h/%20", "http://h/a;b", "ws://h:1/ws/ws", "http://h/\u00a0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseHubURL(s)
		if err != nil {
			return
		}
		socket := u.socket()
		if strings.ContainsAny(socket, " \t\r\n") {
			t.Fatalf("%q becomes %q, which the page takes for several", s, socket)
		}
		if parsed, err := url.Parse(socket); err != nil || parsed.Host == "" || !strings.HasSuffix(parsed.Path, "/ws") {
			t.Fatalf("%q becomes %q: %v", s, socket, err)
		}
		for _, source := range u.sources() {
			if strings.ContainsAny(source, " \t\r\n;,'\"") {
				t.Fatalf("%q becomes the source %q", s, source)
			}
		}
	})
}
