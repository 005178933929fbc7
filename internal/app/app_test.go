package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs f until the end of the test, and returns the addresses once it listens.
func start(t *testing.T, f func(context.Context, app.Env) error) app.Addresses {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan app.Addresses, 1) // sent once, when all listens
	ended := make(chan error, 1)         // sent once, what f returned
	env := app.Env{
		Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler), Version: "v0",
		Ready: func(a app.Addresses) { ready <- a },
	}
	go func() { ended <- f(ctx, env) }() // ends with ctx; the cleanup waits for it
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
	select {
	case a := <-ready:
		return a
	case err := <-ended:
		ended <- nil
		t.Fatalf("ended before it listened: %v", err)
	}
	panic("unreachable")
}

var limits = config.Hub{
	MaxMessage: 64 << 10, SendQueue: 1 << 20, HandshakeTimeout: 10 * time.Second, PingInterval: 25 * time.Second,
	PongTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, DrainTimeout: 10 * time.Second,
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestUp has two hubs and their pages in one process, and a message from one hub to the other.
func TestUp(t *testing.T) {
	addrs := start(t, func(ctx context.Context, e app.Env) error {
		return app.RunUp(ctx, config.Up{Hubs: 2, Host: "127.0.0.1", Broker: "memory://", Hub: limits}, e)
	})
	var clients []*client.Client
	for i, addr := range addrs.Hubs {
		c, err := client.Dial(t.Context(), "http://"+addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if want := []string{"hub1", "hub2"}[i]; c.Hub() != want {
			t.Errorf("hub %d is called %q", i+1, c.Hub())
		}
		clients = append(clients, c)
	}
	room, err := clients[1].Join(t.Context(), "lobby")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clients[0].Publish(t.Context(), "lobby", protocol.Text, []byte("across")); err != nil {
		t.Fatal(err)
	}
	for m, err := range room.Messages(t.Context()) {
		if err != nil || string(m.Data) != "across" || m.Hub != "hub1" {
			t.Errorf("got %+v, %v", m, err)
		}
		break
	}
	for i, addr := range addrs.Pages {
		_, port, _ := net.SplitHostPort(addrs.Hubs[i])
		if status, body := get(t, "http://"+addr); status != 200 || !strings.Contains(body, ":"+port) {
			t.Errorf("page %d: status %d, and it does not name port %s", i+1, status, port)
		}
	}
}

// TestMetrics shows that every metric of the contract is there, on the main listener if that is loopback, and with an
// address of their own there alone.
func TestMetrics(t *testing.T) {
	c := config.HubServer{Listen: "127.0.0.1:0", Name: "hub1", Broker: "memory://", Hub: limits}
	alone := start(t, func(ctx context.Context, e app.Env) error { return app.RunHubServer(ctx, c, e) })
	status, body := get(t, "http://"+alone.Hubs[0]+"/metrics")
	for _, name := range []string{"connections", "rooms", "messages_received_total{source=\"http\"}", "deliveries_total",
		"messages_dropped_total{reason=\"send_queue\"}", "delivery_latency_seconds_bucket{path=\"local\"",
		"delivery_latency_seconds_bucket{path=\"remote\"", "broker_up 1", "broker_rtt_seconds", "broker_reconnects_total",
		"slow_consumers", "build_info{"} {
		if !strings.Contains(body, "\nrealtime_hub_"+name) {
			t.Errorf("status %d, and no metric %s", status, name)
		}
	}
	c.AdminListen = freeAddr(t)
	admin := start(t, func(ctx context.Context, e app.Env) error { return app.RunHubServer(ctx, c, e) })
	if status, _ := get(t, "http://"+admin.Hubs[0]+"/metrics"); status != http.StatusNotFound {
		t.Errorf("with an address of their own, the metrics answer %d on the main listener", status)
	}
	if status, _ := get(t, "http://"+c.AdminListen+"/metrics"); status != http.StatusOK {
		t.Errorf("the metrics' own address answers %d", status)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestPortInUse shows that what was started before the port in use was found is stopped again.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := app.Env{Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler)}
	addr := l.Addr().String()
	for name, run := range map[string]func() error{
		"hubserver": func() error {
			return app.RunHubServer(t.Context(), config.HubServer{Listen: addr, Broker: "memory://", Hub: limits}, env)
		},
		"the metrics' address": func() error {
			return app.RunHubServer(t.Context(), config.HubServer{Listen: "127.0.0.1:0", AdminListen: addr, Broker: "memory://", Hub: limits}, env)
		},
		"hubclient": func() error {
			return app.RunHubClient(t.Context(), config.HubClient{Listen: addr, Hub: []string{"http://127.0.0.1:8081"}}, env)
		},
		"up": func() error {
			port := l.Addr().(*net.TCPAddr).Port
			return app.RunUp(t.Context(), config.Up{Hubs: 1, Host: "127.0.0.1", WebPort: port, Broker: "memory://", Hub: limits}, env)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var le *app.ListenError
			if err := run(); !errors.As(err, &le) || le.Addr != addr {
				t.Errorf("got %v", err)
			}
		})
	}
}
