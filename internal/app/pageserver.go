package app

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/origin"
	"github.com/soumya-codes/realtime-hub/internal/web"
)

// pageServer is one HubClient web server.
type pageServer struct {
	// immutable
	listener net.Listener
	server   *http.Server
	proxies  context.CancelFunc // ends what is proxied: net/http does not, once a connection is upgraded

	serving sync.WaitGroup // the listener's goroutine
}

// newPageServer listens, and serves nobody yet.
func newPageServer(addr string, hubs []string, proxy bool, e Env) (*pageServer, error) {
	handler, err := web.New(web.Options{Hubs: hubs, Proxy: proxy, Version: e.Version, Log: e.Log})
	if err != nil {
		return nil, err
	}
	listener, err := listen(addr)
	if err != nil {
		return nil, err
	}
	policy := &origin.Policy{Loopback: origin.IsLoopback(origin.Hostname(listener.Addr().String()))}
	const headerTimeout = 10 * time.Second
	p := &pageServer{listener: listener, server: newHTTPServer(checkHost(policy, handler), headerTimeout, e.Log)}
	requests, cancel := context.WithCancel(context.Background())
	p.proxies = cancel
	p.server.BaseContext = func(net.Listener) context.Context { return requests }
	return p, nil
}

// checkHost keeps pages of strange names from reading what a server on a loopback address serves.
func checkHost(policy *origin.Policy, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := policy.CheckHost(r); err != nil {
			http.Error(w, err.Error()+" → open it as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *pageServer) addr() string { return p.listener.Addr().String() }

// start has nothing to connect to: the browser reaches the hub.
func (p *pageServer) start(context.Context) error { return nil }

// serve serves until stop, which waits for the goroutine.
func (p *pageServer) serve(failed chan<- error) { serve(&p.serving, p.server, p.listener, failed) }

func (p *pageServer) stop(ctx context.Context) error {
	p.proxies()
	err := shutdown(ctx, p.server, p.listener)
	p.serving.Wait()
	return err
}

// errorLog returns where net/http writes what it finds wrong with single connections.
func errorLog(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
