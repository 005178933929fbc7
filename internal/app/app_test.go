package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	for _, name := range []string{
		"connections", "rooms", "messages_received_total{source=\"http\"}", "deliveries_total",
		"messages_dropped_total{reason=\"send_queue\"}", "delivery_latency_seconds_bucket{path=\"local\"",
		"delivery_latency_seconds_bucket{path=\"remote\"", "broker_up 1", "broker_rtt_seconds",
		"broker_reconnects_total", "slow_consumers", "build_info{",
	} {
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

// TestStopWithHalfARequest has clients whose requests come in half: they do not hold up a stop, which says what was cut
// where something is.
func TestStopWithHalfARequest(t *testing.T) {
	const head = "POST /v1/rooms/%s/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
	for name, request := range map[string]string{
		"half a header":                "POST /v1/rooms/lobby/messages HTTP/1.1\r\nHost: local",
		"no body":                      fmt.Sprintf(head, "lobby"),
		"half a body":                  fmt.Sprintf(head, "lobby") + "he",
		"refused, and still no body":   fmt.Sprintf(head, "no%20room"),
		"a second request with no end": "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + fmt.Sprintf(head, "lobby"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := limits
			hub.DrainTimeout = time.Hour
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var log bytes.Buffer // written by one run, and read when that has ended
			ended := make(chan error, 1)
			ready := make(chan app.Addresses, 1)
			env := app.Env{
				Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(&log, nil)),
				Ready: func(a app.Addresses) { ready <- a },
			}
			go func() { // ends with ctx; received below
				c := config.HubServer{Listen: "127.0.0.1:0", Name: "hub1", Broker: "memory://", Hub: hub}
				ended <- app.RunHubServer(ctx, c, env)
			}()
			conn, err := net.Dial("tcp", (<-ready).Hubs[0])
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			cancel()
			select {
			case err := <-ended:
				if err != nil || strings.Contains(log.String(), "not all in order") {
					t.Errorf("ended with %v, and logged\n%s", err, log.String())
				}
			case <-time.After(time.Minute):
				t.Fatal("it does not end")
			}
		})
	}
}

// TestHosts has a page and a hub on a loopback address asked for under another name, as behind a TLS proxy.
func TestHosts(t *testing.T) {
	c := config.HubClient{Listen: "127.0.0.1:0", Hub: []string{"http://127.0.0.1:8081"}}
	strict := start(t, func(ctx context.Context, e app.Env) error { return app.RunHubClient(ctx, c, e) })
	c.AllowedHosts = []string{"chat.example"}
	open := start(t, func(ctx context.Context, e app.Env) error { return app.RunHubClient(ctx, c, e) })
	hub := limits
	hub.AllowedHosts = c.AllowedHosts
	up := start(t, func(ctx context.Context, e app.Env) error {
		return app.RunUp(ctx, config.Up{Hubs: 1, Host: "127.0.0.1", Broker: "memory://", Hub: hub}, e)
	})
	for _, tt := range []struct {
		name, url string
		status    int
	}{
		{"page", "http://" + strict.Pages[0], http.StatusMisdirectedRequest},
		{"page that may be called so", "http://" + open.Pages[0], http.StatusOK},
		{"page of up", "http://" + up.Pages[0], http.StatusOK},
		{"hub of up", "http://" + up.Hubs[0] + "/livez", http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "chat.example"
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: status %d, %v, want %d", tt.name, resp.StatusCode, err, tt.status)
		}
		if tt.status == http.StatusOK {
			continue
		}
		var p struct{ Code, Fix string }
		if err := json.Unmarshal(body, &p); err != nil || p.Code != "host_not_allowed" ||
			!strings.Contains(p.Fix, `--allowed-hosts "chat.example"`) ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v: %s", tt.name, err, body)
		}
	}
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
			c := config.HubServer{Listen: "127.0.0.1:0", AdminListen: addr, Broker: "memory://", Hub: limits}
			return app.RunHubServer(t.Context(), c, env)
		},
		"hubclient": func() error {
			c := config.HubClient{Listen: addr, Hub: []string{"http://127.0.0.1:8081"}}
			return app.RunHubClient(t.Context(), c, env)
		},
		"up": func() error {
			port := l.Addr().(*net.TCPAddr).Port
			c := config.Up{Hubs: 1, Host: "127.0.0.1", WebPort: port, Broker: "memory://", Hub: limits}
			return app.RunUp(t.Context(), c, env)
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
