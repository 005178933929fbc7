package web

import (
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

func TestSources(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8081":    "http://127.0.0.1:8081 ws://127.0.0.1:8081",
		"ws://hub:8081/ws":         "http://hub:8081 ws://hub:8081",
		"https://chat.example.com": "https://chat.example.com wss://chat.example.com",
		"wss://example.com/a/ws":   "https://example.com wss://example.com",
		"http://[::1]:8081":        "http://*:8081 ws://*:8081",
	} {
		h, err := address.ParseHub(in)
		if got := strings.Join(hubURL{h}.sources(), " "); err != nil || got != want {
			t.Errorf("sources of %q are %q, %v, want %q", in, got, err, want)
		}
	}
}

// FuzzSources looks for a --hub that is taken and that breaks the page's policy.
func FuzzSources(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:8081", "wss://[::1]/x/ws", "http://h/a;b", "ws://h:1"} {
		f.Add(s, "localhost:9081")
	}
	f.Fuzz(func(t *testing.T, hub, host string) {
		h, err := address.ParseHub(hub)
		if err != nil {
			return
		}
		opened, _ := address.ParseHostPort(host)
		for _, source := range (hubURL{h}).seenFrom(opened).sources() {
			if strings.ContainsAny(source, " \t\r\n;,'\"") {
				t.Fatalf("%q, opened as %q, becomes the source %q", hub, host, source)
			}
		}
	})
}
