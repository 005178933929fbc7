// Package app puts hubs and pages together, starts them and stops them. With the commands it is the only place that
// knows which broker, transport and page there is.
//
// Its entry points are [RunHubServer], [RunHubClient] and [RunUp], which block until their context is done and all is
// drained. A running hub is a hubServer, a running web server a pageServer; what both have of HTTP is an httpServer,
// which owns the goroutine of its listener and waits for it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/config"
)

// Env is what a command has beside its configuration.
type Env struct {
	Stdout, Stderr io.Writer
	Log            *slog.Logger
	Version        string
	Ready          func(Addresses) // called once, when everything listens; may be nil
}

// Addresses are host:port of what listens, in the order of the hubs.
type Addresses struct{ Hubs, Pages []string }

// server is a part that runs. start connects it, serve starts to serve, and stop drains it; failed gets the error of a
// listener that ends before. stop is called once, also where start failed or was not called.
type server interface {
	start(ctx context.Context) error
	serve(failed chan<- error)
	stop(ctx context.Context) error
}

// RunHubServer runs one HubServer until ctx is done and it is drained. It returns nil after an orderly stop, a
// *ListenError, or an error that wraps hub.ErrRefused.
func RunHubServer(ctx context.Context, c config.HubServer, e Env) error {
	name := c.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find a name for the hub: %w → give it one with --name", err)
		}
		name = host
	}
	newJoint := joints(1, c.Broker, c.Redis, c.Hub, e.Log)
	h, err := newHubServer(hubSettings{
		name: name, listen: c.Listen, admin: c.AdminListen, tokens: c.TokenKey, hub: c.Hub,
		cert: c.TLSCert, key: c.TLSKey,
	}, newJoint, e)
	if err != nil {
		return err
	}
	defer saveMemory(h.received)()
	return run(ctx, []server{h}, c.Hub.DrainTimeout, Addresses{Hubs: []string{h.addr()}}, e)
}

// RunHubClient runs one HubClient web server until ctx is done. It returns nil after an orderly stop, a *ListenError,
// or an error that says what is wrong with a hub's address.
func RunHubClient(ctx context.Context, c config.HubClient, e Env) error {
	p, err := newPageServer(pageSettings{listen: c.Listen, hubs: c.Hub, proxy: c.Proxy, hosts: c.AllowedHosts}, e)
	if err != nil {
		return err
	}
	const drain = 5 * time.Second // pages and assets are short; what is proxied is not waited for
	return run(ctx, []server{p}, drain, Addresses{Pages: []string{p.addr()}}, e)
}

// RunUp runs hubs and their pages in this process until ctx is done and they are drained. It returns what RunHubServer
// does.
func RunUp(ctx context.Context, c config.Up, e Env) error {
	var servers []server
	var addrs Addresses
	newJoint := joints(c.Hubs, c.Broker, c.Redis, c.Hub, e.Log)
	for i := range c.Hubs {
		listen := net.JoinHostPort(c.Host, portOf(c.HubPort, i))
		h, err := newHubServer(hubSettings{name: fmt.Sprintf("hub%d", i+1), listen: listen, hub: c.Hub}, newJoint, e)
		if err != nil {
			return abandon(ctx, servers, err)
		}
		servers = append(servers, h)
		addrs.Hubs = append(addrs.Hubs, h.addr())

		_, port, _ := net.SplitHostPort(h.addr())
		p, err := newPageServer(pageSettings{
			listen: net.JoinHostPort(c.Host, portOf(c.WebPort, i)),
			hubs:   []string{"http://127.0.0.1:" + port}, // stands for the host name under which the page is opened
			hosts:  c.Hub.AllowedHosts,
		}, e)
		if err != nil {
			return abandon(ctx, servers, err)
		}
		servers = append(servers, p)
		addrs.Pages = append(addrs.Pages, p.addr())
	}
	return run(ctx, servers, c.Hub.DrainTimeout, addrs, e)
}

// portOf returns the port of the i-th of a run that begins with first, where 0 is a free port for each.
func portOf(first, i int) string {
	if first == 0 {
		return "0"
	}
	return strconv.Itoa(first + i)
}

// abandon stops servers that nobody uses yet, and returns err.
func abandon(ctx context.Context, servers []server, err error) error {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, stopAll(stopping, servers))
}

// run starts the servers, serves until ctx is done or one fails, and then stops all of them.
func run(ctx context.Context, servers []server, drain time.Duration, addrs Addresses, e Env) error {
	for _, s := range servers {
		if err := s.start(ctx); err != nil {
			return abandon(ctx, servers, err)
		}
	}
	// Sent by the servers' goroutines, one error for each listener, and received here; never closed.
	failed := make(chan error, 2*len(servers))
	for _, s := range servers {
		s.serve(failed)
	}
	if e.Ready != nil {
		e.Ready(addrs)
	}
	var err error
	select {
	case <-ctx.Done():
		e.Log.Info("stopping", "drain_timeout", drain)
	case err = <-failed:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if late := stopAll(stopping, servers); late != nil {
		e.Log.Warn("stopped, and not all in order", "error", late)
	}
	return err
}

// stopAll stops the servers at the same time, as each waits for its clients.
func stopAll(ctx context.Context, servers []server) error {
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { errs[i] = s.stop(ctx) }) // ends with ctx at the latest
	}
	all.Wait()
	return errors.Join(errs...)
}
