package address

import (
	"net"
	"net/url"
	"strings"
	"testing"
)

func TestParseHostPort(t *testing.T) {
	for _, test := range []struct {
		in   string
		want HostPort
		ok   bool
	}{
		{in: "localhost:9081", want: HostPort{"localhost", "9081"}, ok: true},
		{in: "LocalHost", want: HostPort{"localhost", ""}, ok: true},
		{in: "chat.example.com:443", want: HostPort{"chat.example.com", "443"}, ok: true},
		{in: "my_phone.local:9081", want: HostPort{"my_phone.local", "9081"}, ok: true},
		{in: "192.168.1.7:9081", want: HostPort{"192.168.1.7", "9081"}, ok: true},
		{in: "[::1]:9081", want: HostPort{"::1", "9081"}, ok: true},
		{in: "[2001:DB8:0::1]", want: HostPort{"2001:db8::1", ""}, ok: true},
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
		{in: "-a.example"},
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
		got, ok := ParseHostPort(test.in)
		if got != test.want || ok != test.ok {
			t.Errorf("ParseHostPort(%q) = %+v, %v, want %+v, %v", test.in, got, ok, test.want, test.ok)
		}
	}
}

// FuzzParseHostPort looks for a Host that gets through and is more than a host and a port in a header or in a URL.
func FuzzParseHostPort(f *testing.F) {
	for _, s := range []string{
		"localhost:9081", "[::1]:80", "a.b", "evil; script-src *", "a\r\nb", "[::ffff:1.2.3.4]", "a:1:2", "%5b::1%5d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseHostPort(s)
		if !ok {
			if got != (HostPort{}) {
				t.Fatalf("ParseHostPort(%q) = %+v though it is malformed", s, got)
			}
			return
		}
		if strings.ContainsAny(got.String(), " \t\r\n;,'\"<>&*/@#?\\%") {
			t.Fatalf("ParseHostPort(%q) lets through %q", s, got)
		}
		if again, ok := ParseHostPort(got.String()); !ok || again != got {
			t.Fatalf("ParseHostPort(%q) = %+v, which reads as %+v, %v", s, got, again, ok)
		}
		u, err := url.Parse("ws://" + got.String() + "/ws")
		if err != nil || u.Hostname() != got.Name || u.Port() != got.Port || u.Path != "/ws" {
			t.Fatalf("ParseHostPort(%q) = %+v, of which a URL makes %v, %v", s, got, u, err)
		}
		if strings.Contains(got.Name, ":") && net.ParseIP(got.Name) == nil {
			t.Fatalf("ParseHostPort(%q) = %+v, which is no address", s, got)
		}
	})
}
