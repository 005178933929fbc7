package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/origin"
	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// hubSettings is what one HubServer is made of.
type hubSettings struct {
	name   string
	listen string
	admin  string // address of the metrics' own listener, or ""
	tokens string // the key of the tokens that it wants; "" where it wants none
	cert   string // file of its certificate, and key of its key; "" where it does not speak TLS
	key    string
	hub    config.Hub
}

// hubServer is one HubServer: the hub, its transports, and their listeners.
type hubServer struct {
	// immutable
	name  string
	hub   *hub.Hub
	ws    *ws.Server
	api   *api.Handler
	main  *httpServer
	admin *httpServer // nil without a listener of its own
}

// received returns how many messages came so far, from wherever.
func (h *hubServer) received() (n uint64) {
	for _, from := range h.hub.Stats().Received {
		n += from
	}
	return n
}

// newHubServer listens, so that a port in use is found before anything starts, and serves nobody yet.
func newHubServer(c hubSettings, newJoint func(string) (joint, error), e Env) (*hubServer, error) {
	joint, err := newJoint(c.name)
	if err != nil {
		return nil, err
	}
	var tokens hub.Authenticator // stays nil where none are wanted
	if c.tokens != "" {
		if tokens, err = auth.NewKey(c.tokens); err != nil {
			return nil, err
		}
	}
	main, err := listen(c.listen)
	if err != nil {
		return nil, err
	}
	log := e.Log.With("hub", c.name)
	if c.cert != "" {
		if err := main.secure(c.cert, c.key, log); err != nil {
			return nil, errors.Join(err, main.stop(context.Background()))
		}
	}
	h := &hubServer{name: c.name, main: main}
	h.hub = hub.New(hub.Options{
		Name: c.name, Broker: joint.broker, Logs: joint.log, Presence: joint.presence, Linger: c.hub.Linger,
		Log: log, Tokens: tokens, MaxMessage: int(c.hub.MaxMessage),
		Live: func(room string) bool { return c.hub.Room(room).Kind == config.KindLive }, Outbox: int(c.hub.Outbox),
		OutboxAge: c.hub.OutboxAge, CheckInterval: c.hub.CheckInterval,
		Portion: int(c.hub.SendQueue) / 8, // in JSON it may grow to six times its size
	})
	h.ws = ws.New(ws.Options{
		Hub: h.hub, Log: log, Engine: ws.Engine(c.hub.Engine), Loops: c.hub.Loops, SendQueue: int(c.hub.SendQueue), HandshakeTimeout: c.hub.HandshakeTimeout,
		PingInterval: c.hub.PingInterval, PongTimeout: c.hub.PongTimeout, WriteTimeout: c.hub.WriteTimeout,
	})
	started := time.Now()
	stats := func() *api.Stats { return snapshot(h.hub, h.ws, e.Version, started) }
	h.api = api.New(api.Options{
		Hub: h.hub, Log: log, Events: h.ws.ServeEvents, Stats: stats,
		StatsEvents: h.ws.Snapshots(func() []byte { return stats().Encode() }, snapshotInterval),
	})

	policy := &origin.Policy{
		AllowedOrigins: c.hub.AllowedOrigins, AllowedHosts: c.hub.AllowedHosts,
		Loopback: origin.IsLoopback(origin.Hostname(main.addr())),
	}
	metrics := metricsHandler(h.hub, h.ws, e.Version)
	mux := http.NewServeMux()
	mux.Handle("/ws", h.ws)
	mux.Handle("/", h.api)
	if c.admin == "" && policy.Loopback {
		mux.Handle("GET /metrics", metrics)
	}
	main.handle(policy.Protect(mux), c.hub.HandshakeTimeout, log)
	if c.admin != "" {
		if h.admin, err = listen(c.admin); err != nil {
			return nil, errors.Join(err, h.stop(context.Background()))
		}
		adminPolicy := &origin.Policy{
			AllowedHosts: c.hub.AllowedHosts,
			Loopback:     origin.IsLoopback(origin.Hostname(h.admin.addr())),
		}
		adminMux := http.NewServeMux()
		adminMux.Handle("GET /metrics", metrics)
		h.admin.handle(adminPolicy.Protect(adminMux), c.hub.HandshakeTimeout, log)
	}
	return h, nil
}

func (h *hubServer) addr() string { return h.main.addr() }

// start connects the hub to the others.
func (h *hubServer) start(ctx context.Context) error { return h.hub.Start(ctx) }

// serve serves until stop, which waits for the listeners' goroutines.
func (h *hubServer) serve(failed chan<- error) {
	h.main.serve(failed)
	if h.admin != nil {
		h.admin.serve(failed)
	}
}

// stop drains: balancers and clients are told, sessions closed, and what they published before is handed on.
func (h *hubServer) stop(ctx context.Context) error {
	h.api.Drain()
	h.main.hurry(ctx) // while the sessions are closed, which may take as long
	err := h.ws.Shutdown(ctx)
	err = errors.Join(err, h.main.stop(ctx))
	if h.admin != nil {
		err = errors.Join(err, h.admin.stop(ctx))
	}
	if err = errors.Join(err, h.hub.Close()); err != nil {
		return fmt.Errorf("stop %s: %w", h.name, err)
	}
	return nil
}
