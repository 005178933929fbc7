package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// startHubs starts real hubs that act as one, in this process, and returns their addresses.
func startHubs(t *testing.T, n int) (urls []string) {
	t.Helper()
	bus, logs := memory.NewBus(memory.Options{}), memory.NewLogs(memory.LogOptions{})
	for range n {
		server := httptest.NewUnstartedServer(nil)
		server.Config.Handler, _ = startHub(t, hub.Options{Name: "hub", Broker: bus.Broker(), Logs: logs.Log()})
		server.Start()
		t.Cleanup(server.Close)
		urls = append(urls, server.URL)
	}
	return urls
}

// startHub starts a real hub, which stops at the end of the test, or when stop is called.
func startHub(t *testing.T, o hub.Options) (handler http.Handler, stop func()) {
	t.Helper()
	h := hub.New(o)
	transport := ws.New(ws.Options{Hub: h})
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(transport.Shutdown(ctx), h.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	mux := http.NewServeMux()
	mux.Handle("/ws", transport)
	return mux, stop
}

// TestHubs loads real hubs in both dialects, in rooms of both kinds, on both engines: every message is seen once, and in
// its place.
func TestHubs(t *testing.T) {
	urls := startHubs(t, 2)
	for _, tt := range []struct {
		name    string
		options Options
		scope   string
	}{
		{"plain, live", Options{Dialect: Plain{}, Rate: 1000}, ""},
		{"plain, log", Options{Dialect: Plain{}, Rate: 1000, Room: "plain"}, ""},
		{"v1, live", Options{Dialect: V1{}, Rate: 1000}, "live"},
		{"v1, log", Options{Dialect: V1{}, Rate: 1000, Room: "log"}, "cluster"},
		{"v1, log, window", Options{Dialect: V1{}, Window: 12, Room: "window"}, "cluster"},
		{"plain, live, large", Options{Dialect: Plain{}, Rate: 200, Size: 60_000}, ""},
	} {
		for name, goroutines := range engines {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				o := tt.options
				o.Hubs, o.Conns, o.Publishers, o.Rooms, o.Goroutines = urls, 24, 6, 3, goroutines
				o.Warmup, o.Duration, o.Drain, o.GiveUp = 50*time.Millisecond, 150*time.Millisecond, patience, patience
				r := runTest(t, o)
				l := r.Load
				wrong := l.Duplicates + l.OutOfOrder + l.Echoed + l.Strange + l.ToldLost + l.Unsent + l.GivenUp + l.Lost
				if wrong > 0 || l.Expected != 7*l.PublishedTotal || l.Delivered != l.Expected || r.Closed.Count > 0 {
					t.Errorf("%+v", l)
				}
				if o.Rate > 0 && (l.PublishedTotal != uint64(o.Rate/5) || l.Published != uint64(o.Rate*3/20)) {
					t.Errorf("%d published, %d of them in the time that is measured", l.PublishedTotal, l.Published)
				}
				switch {
				case tt.scope == "" && (len(l.Acks) > 0 || l.AckLatency != nil):
					t.Errorf("acknowledgements: %v", l.Acks)
				case tt.scope != "" && (l.Acks[tt.scope] != l.PublishedTotal || l.AckLatency == nil || l.AckLatency.Count != l.Published):
					t.Errorf("acknowledgements: %v", l.Acks)
				}
				if r.Connect.PerSecond <= 0 {
					t.Errorf("connected %+v", r.Connect)
				}
			})
		}
	}
}

// TestFlood has publishers that go as fast as they can: what does not fit is lost and not doubled, and the test ends.
func TestFlood(t *testing.T) {
	r := runTest(t, Options{Hubs: startHubs(t, 1), Conns: 5, Publishers: 2, Duration: 100 * time.Millisecond, Drain: 500 * time.Millisecond})
	l := r.Load
	if l.Published < 100 || l.Duplicates+l.OutOfOrder+l.Strange > 0 || l.Lost != l.Expected-l.Delivered {
		t.Errorf("%+v", l)
	}
}

// TestIdle holds connections.
func TestIdle(t *testing.T) {
	r := runTest(t, Options{Hubs: startHubs(t, 1), Conns: 50, Idle: true, Duration: 20 * time.Millisecond, Dialect: V1{}})
	if r.Load != nil || r.Idle.Seconds < .02 || r.Closed.Count > 0 {
		t.Errorf("%+v", r)
	}
	if n := len(r.Idle.Samples); r.Hubs.Known && (n < 3 || r.Idle.Samples[n-1].Conns != 50 || r.Idle.BytesPerConnection == nil) {
		t.Errorf("%+v", r.Idle)
	}
	if !strings.HasPrefix(r.Text(), "Held 50 idle connections for 0.") {
		t.Errorf("it says %s", r.Text())
	}
}

// TestSlope has samples of memory.
func TestSlope(t *testing.T) {
	if got := slope([]Sample{{1000, 50_000_000}, {10_000, 1}, {19_000, 59_000_000}, {19_000, 68_000_000}}); got == nil || *got != 1000 {
		t.Errorf("slope %v", got)
	}
	for _, samples := range [][]Sample{nil, {{1, 1}}, {{1, 1}, {1, 5}}} {
		if got := slope(samples); got != nil {
			t.Errorf("slope %v of %v", *got, samples)
		}
	}
}

// TestStopped ends a test before it is over: while it measures there is a result, before that there is none.
func TestStopped(t *testing.T) {
	urls := startHubs(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := Run(ctx, Options{Hubs: urls, Conns: 4, Rate: 100, Duration: time.Hour, Drain: patience, Progress: func(p Progress) {
		if p.Phase == "running" {
			cancel()
		}
	}})
	if err != nil || r.Load.Lost > 0 || r.Load.Published == 0 || r.Load.Seconds > 60 {
		t.Errorf("%+v, error %v", r, err)
	}
	if r, err := Run(ctx, Options{Hubs: urls}); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, error %v", r, err)
	}
}

// TestUnreachable has servers that are not there, or are none.
func TestUnreachable(t *testing.T) {
	answer := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(mute.Close)
	for _, tt := range []struct {
		name, url string
		dialect   Dialect
		want      error
		text      string
	}{
		{"nobody there", "http://127.0.0.1:1", nil, ErrUnreachable, "connection refused"},
		{"no WebSocket", answer(200), nil, ErrUnreachable, "no WebSocket there: it answers 200 OK"},
		{"a bad answer", answer(101), nil, ErrUnreachable, "the answer to the handshake is not one"},
		{"forbidden", answer(403), nil, ErrRefused, "403 Forbidden"},
		{"mute", mute.URL, nil, ErrUnreachable, "timeout"},
		{"another subprotocol", startRelay(t, new(relay)).url, V1{}, ErrUnreachable, "it does not speak hub.v1"},
	} {
		for name, goroutines := range engines {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				timeout := patience
				if tt.url == mute.URL {
					timeout = 100 * time.Millisecond
				}
				_, err := Run(t.Context(), Options{Hubs: []string{tt.url}, Conns: 2, Dialect: tt.dialect, Goroutines: goroutines,
					ConnectTimeout: timeout})
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %v, want %q", err, tt.text)
				}
			})
		}
	}
}

// TestBadOptions has options that are no sense.
func TestBadOptions(t *testing.T) {
	hubs := []string{"http://127.0.0.1:1"}
	for _, o := range []Options{
		{}, {Hubs: []string{"127.0.0.1:1"}}, {Hubs: hubs, Conns: -1}, {Hubs: hubs, Conns: 2, Publishers: 3}, {Hubs: hubs, Size: 15},
		{Hubs: hubs, Rate: -1}, {Hubs: hubs, Duration: 24 * time.Hour}, {Hubs: hubs, Conns: 1 << 17, Publishers: 1 << 16},
	} {
		if r, err := Run(t.Context(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %+v, error %v", o, r, err)
		}
	}
}
