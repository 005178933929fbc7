package app

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/origin"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/internal/web"
)

// pageSettings is what one HubClient web server is made of.
type pageSettings struct {
	listen string
	hubs   []string // URLs, as the browser reaches them
	proxy  bool
	hosts  []string // names under which a server on a loopback address may be addressed too
}

// pageServer is one HubClient web server.
type pageServer struct {
	// immutable
	*httpServer
	proxies context.CancelFunc // ends what is proxied: net/http does not, once a connection is upgraded
}

// newPageServer listens, and serves nobody yet.
func newPageServer(c pageSettings, e Env) (*pageServer, error) {
	handler, err := web.New(web.Options{Hubs: c.hubs, Proxy: c.proxy, Version: e.Version, Log: e.Log})
	if err != nil {
		return nil, err
	}
	s, err := listen(c.listen)
	if err != nil {
		return nil, err
	}
	policy := &origin.Policy{AllowedHosts: c.hosts, Loopback: origin.IsLoopback(origin.Hostname(s.addr()))}
	const headerTimeout = 10 * time.Second
	s.handle(checkHost(policy, handler), headerTimeout, e.Log)
	requests, cancel := context.WithCancel(context.Background())
	s.server.BaseContext = func(net.Listener) context.Context { return requests }
	return &pageServer{httpServer: s, proxies: cancel}, nil
}

// checkHost keeps pages of strange names from reading what a server on a loopback address serves.
func checkHost(policy *origin.Policy, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := policy.CheckHost(r); err != nil {
			err.(*problem.Problem).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// start has nothing to connect to: the browser reaches the hub.
func (p *pageServer) start(context.Context) error { return nil }

// stop ends what is proxied, and then as every server.
func (p *pageServer) stop(ctx context.Context) error {
	p.proxies()
	return p.httpServer.stop(ctx)
}
