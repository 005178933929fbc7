package address

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestParseHub(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8081":    "ws://127.0.0.1:8081/ws",
		"ws://hub:8081/":           "ws://hub:8081/ws",
		"ws://hub:8081/ws":         "ws://hub:8081/ws",
		"https://chat.example.com": "wss://chat.example.com/ws",
		"wss://example.com/a/ws":   "wss://example.com/a/ws",
		"http://example.com/a/":    "ws://example.com/a/ws",
		"http://[::1]:8081":        "ws://[::1]:8081/ws",
		"http://h/a%20b":           "ws://h/a%20b/ws",
	} {
		if h, err := ParseHub(in); err != nil || h.Socket() != want {
			t.Errorf("ParseHub(%q): socket %q, %v, want %q", in, h.Socket(), err, want)
		}
	}
}

func TestParseHubRefuses(t *testing.T) {
	for _, test := range []struct{ in, says string }{
		{"", `bad address "": no scheme`},
		{"localhost:8081", `bad address "localhost:8081": no scheme → did you mean http://localhost:8081 ?`},
		{"redis://localhost", `unknown scheme "redis" → use http:// or https://`},
		{"http://", "no host"},
		{"http://:8081", "no host"},
		{"http://h:", "no port behind the colon"},
		{"http://host:99999", "no port behind the colon"},
		{"http://ho'st", "neither a name nor an IP address"},
		{"http://[fe80::1%25eth0]", "neither a name nor an IP address"},
		{"http://user:secret@host", `bad address "http://***@host": more than scheme`},
		{"http://user:secret@h h", `bad address "http://***@h h": not a URL`},
		{"user:secret@host", `bad address "***@host": no scheme → did you mean http://***@host ?`},
		{"secret@x://host", `unknown scheme "***@x"`},
		{"http://host?token=secret", `bad address "http://host?***": more than scheme, host, port and path`},
		{"http://host/#x", "more than scheme, host, port and path"},
		{"http://host/a b", "it has a space"},
	} {
		_, err := ParseHub(test.in)
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), test.says) {
			t.Errorf("ParseHub(%q): %v, want it to say %q", test.in, err, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseHub(%q) shows the password: %v", test.in, err)
		}
	}
}

// FuzzParseHub looks for the URL of a hub that is taken and breaks the page's list or the URL of the WebSocket, and for
// passwords in errors.
func FuzzParseHub(f *testing.F) {
	for _, s := range []string{
		"http://127.0.0.1:8081", "wss://[::1]/x/ws", "http://h/%20", "http://h/a;b", "ws://h:1/ws/ws",
		"http://h/\u00a0", "x@",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const secret = "hunter2!hunter2"
		for _, text := range []string{s, s + ":" + secret + "@host", "http://hub:" + secret + "@" + s} {
			h, err := ParseHub(text)
			if err != nil {
				if strings.Contains(err.Error(), secret) {
					t.Fatalf("ParseHub(%q): %v", text, err)
				}
				continue
			}
			socket := h.Socket()
			if strings.ContainsAny(socket, " \t\r\n") {
				t.Fatalf("%q becomes %q, which the page takes for several", text, socket)
			}
			u, err := url.Parse(socket)
			if err != nil || u.Host != h.Host.String() || !strings.HasSuffix(u.Path, "/ws") {
				t.Fatalf("%q becomes %q: %v", text, socket, err)
			}
		}
	})
}
