package main

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

func TestBanner(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hubs   int
		broker string
		addrs  app.Addresses
		want   string
	}{
		{
			"two", 2, "memory://",
			app.Addresses{
				Hubs:  []string{"127.0.0.1:8081", "127.0.0.1:8082"},
				Pages: []string{"127.0.0.1:9081", "127.0.0.1:9082"},
			},
			` · 2 hubs · in-memory broker (no Redis needed)
  Chat       http://localhost:9081  (hub1)    http://localhost:9082  (hub2)
  Publish    curl -d hello localhost:8081/v1/rooms/lobby/messages
  Open both chat pages, press Connect, say hello. Ctrl-C stops.
`,
		},
		{
			"one, on a network, with a Redis", 1, "redis://user:hidden@redis:6379",
			app.Addresses{Hubs: []string{"192.0.2.1:8081"}, Pages: []string{"192.0.2.1:9081"}},
			` · 1 hub · broker redis://***@redis:6379
  Chat       http://192.0.2.1:9081  (hub1)
  Publish    curl -d hello 192.0.2.1:8081/v1/rooms/lobby/messages
  Open the chat page in two tabs, press Connect, say hello. Ctrl-C stops.
`,
		},
		{
			"three, everywhere", 3, "memory://",
			app.Addresses{
				Hubs:  []string{"[::]:1", "[::]:2", "[::]:3"},
				Pages: []string{"[::]:4", "0.0.0.0:5", "[::1]:6"},
			},
			` · 3 hubs · in-memory broker (no Redis needed)
  Chat       http://localhost:4  (hub1)    http://localhost:5  (hub2)
             http://localhost:6  (hub3)
  Publish    curl -d hello localhost:1/v1/rooms/lobby/messages
  Open two chat pages, press Connect, say hello. Ctrl-C stops.
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Default[config.Up]()
			c.Hubs, c.Broker = tt.hubs, tt.broker
			if got, want := banner(c, tt.addrs), "realtime-hub "+programVersion()+tt.want; got != want {
				t.Errorf("banner:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestOtherPorts looks at the commands that errors suggest: each must move the port that is in use.
func TestOtherPorts(t *testing.T) {
	c := config.Default[config.Up]()
	for addr, want := range map[string]string{
		"127.0.0.1:8081": "--hub-port 8091",
		"127.0.0.1:8082": "--hub-port 8091",
		"[::1]:9082":     "--web-port 9091",
	} {
		if got := otherPorts(c, addr); got != want {
			t.Errorf("%s in use: %s, want %s", addr, got, want)
		}
	}
	for addr, want := range map[string]string{
		"127.0.0.1:8081": "127.0.0.1:8091",
		"0.0.0.0:80":     "0.0.0.0:8080",
		"[::1]:65535":    "[::1]:65525",
	} {
		if got := anotherPort(addr); got != want {
			t.Errorf("%s in use: %s, want %s", addr, got, want)
		}
	}
}
