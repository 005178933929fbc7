package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
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
	hub    config.Hub
}

// hubServer is one HubServer: the hub, its transports, and their listeners.
type hubServer struct {
	// immutable
	hub      *hub.Hub
	ws       *ws.Server
	api      *api.Handler
	listener net.Listener
	main     *http.Server
	admin    *http.Server // nil without a listener of its own
	adminOn  net.Listener

	serving sync.WaitGroup // one for each listener's goroutine
}

// newHubServer listens, so that a port in use is found before anything starts, and serves nobody yet.
func newHubServer(c hubSettings, newBroker func(string) (hub.Broker, error), e Env) (*hubServer, error) {
	broker, err := newBroker(c.name)
	if err != nil {
		return nil, err
	}
	listener, err := listen(c.listen)
	if err != nil {
		return nil, err
	}
	log := e.Log.With("hub", c.name)
	h := &hubServer{listener: listener}
	h.hub = hub.New(hub.Options{Name: c.name, Broker: broker, Log: log, MaxMessage: int(c.hub.MaxMessage)})
	h.ws = ws.New(ws.Options{
		Hub: h.hub, Log: log, SendQueue: int(c.hub.SendQueue), HandshakeTimeout: c.hub.HandshakeTimeout,
		PingInterval: c.hub.PingInterval, PongTimeout: c.hub.PongTimeout, WriteTimeout: c.hub.WriteTimeout,
	})
	h.api = api.New(h.hub, log)

	policy := &origin.Policy{
		AllowedOrigins: c.hub.AllowedOrigins, AllowedHosts: c.hub.AllowedHosts,
		Loopback: origin.IsLoopback(origin.Hostname(listener.Addr().String())),
	}
	metrics := metricsHandler(h.hub, h.ws, e.Version)
	mux := http.NewServeMux()
	mux.Handle("/ws", h.ws)
	mux.Handle("/", h.api)
	if c.admin == "" && policy.Loopback {
		mux.Handle("GET /metrics", metrics)
	}
	h.main = newHTTPServer(policy.Protect(mux), c.hub.HandshakeTimeout, log)
	if c.admin != "" {
		if h.adminOn, err = listen(c.admin); err != nil {
			return nil, errors.Join(err, h.stop(context.Background()))
		}
		adminPolicy := &origin.Policy{
			AllowedHosts: c.hub.AllowedHosts,
			Loopback:     origin.IsLoopback(origin.Hostname(h.adminOn.Addr().String())),
		}
		adminMux := http.NewServeMux()
		adminMux.Handle("GET /metrics", metrics)
		h.admin = newHTTPServer(adminPolicy.Protect(adminMux), c.hub.HandshakeTimeout, log)
	}
	return h, nil
}

func (h *hubServer) addr() string { return h.listener.Addr().String() }

// start connects the hub to the others.
func (h *hubServer) start(ctx context.Context) error { return h.hub.Start(ctx) }

// serve serves until stop. Its goroutines end then, or when their listener fails; stop waits for them.
func (h *hubServer) serve(failed chan<- error) {
	serve(&h.serving, h.main, h.listener, failed)
	if h.admin != nil {
		serve(&h.serving, h.admin, h.adminOn, failed)
	}
}

// stop drains: balancers and clients are told, sessions closed, and what they published before is handed on.
func (h *hubServer) stop(ctx context.Context) error {
	h.api.Drain()
	err := h.ws.Shutdown(ctx)
	err = errors.Join(err, shutdown(ctx, h.main, h.listener))
	if h.admin != nil {
		err = errors.Join(err, shutdown(ctx, h.admin, h.adminOn))
	}
	h.serving.Wait()
	return errors.Join(err, h.hub.Close())
}

// listen listens on a TCP address.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &ListenError{Addr: addr, Err: err}
	}
	return l, nil
}

// serve serves l in a goroutine of wg.
func serve(wg *sync.WaitGroup, s *http.Server, l net.Listener, failed chan<- error) {
	wg.Go(func() { // ends when s is shut down
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	})
}

// shutdown waits for the requests under way until ctx is done, and then cuts them. A listener that was never served is
// closed too.
func shutdown(ctx context.Context, s *http.Server, l net.Listener) error {
	err := s.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.Close())
	}
	_ = l.Close() // already, where it was served
	return err
}

// newHTTPServer returns a server that a client which sends nothing, or sends slowly, cannot hold up.
func newHTTPServer(handler http.Handler, headerTimeout time.Duration, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       max(time.Minute, headerTimeout), // of a whole request; not of a WebSocket
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          errorLog(log),
	}
}
