package client

import (
	"net/url"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	tests := []struct{ address, want, problem string }{
		{address: "http://127.0.0.1:8081", want: "ws://127.0.0.1:8081/ws"},
		{address: "https://chat.example.com/", want: "wss://chat.example.com/ws"},
		{address: "ws://[::1]:8081/ws", want: "ws://[::1]:8081/ws"},
		{address: "wss://example.com/hub/ws?a=b#c", want: "wss://example.com/hub/ws?a=b"},
		{address: "http://u:secret@host?x=y", want: "ws://u:secret@host/ws?x=y"},
		{address: "ftp://u:secret@host", problem: "use http"},
		{address: "http://u:secret@[::1", problem: "write it like"},
		{address: "u:secret@host", problem: "no scheme"},
		{address: "127.0.0.1:8081", problem: "no scheme"},
		{address: "localhost", problem: "no scheme"},
		{address: "localhost:8081", problem: "no scheme"},
		{address: "", problem: "no scheme"},
		{address: "ftp://host", problem: "use http, https, ws or wss"},
		{address: "http://", problem: "write it like"},
		{address: "http://[::1", problem: "write it like"},
	}
	for _, test := range tests {
		got, shown, err := endpoint(test.address)
		switch {
		case test.problem == "" && (err != nil || got != test.want):
			t.Errorf("%q: %q, %v; want %q", test.address, got, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
			t.Errorf("%q: %q, %v; want an error with %q", test.address, got, err, test.problem)
		}
		if strings.Contains(shown, "secret") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is shown as %q, %v", test.address, shown, err)
		}
	}
}

func FuzzEndpoint(f *testing.F) {
	f.Add("http://127.0.0.1:8081")
	f.Add("wss://example.com/hub/ws?a=b#c")
	f.Fuzz(func(t *testing.T, address string) {
		got, _, err := endpoint(address)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" || u.Path == "" || u.Fragment != "" {
			t.Errorf("%q became %q", address, got)
		}
	})
}
