//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/process"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// The server has the first core and the generator the second. Where there is a Redis, or
// the scenario says so, nothing is pinned.
const (
	serverCPU    = "0"
	generatorCPU = "1"
)

// place is a server that runs, with what belongs to it.
type place struct {
	server    scenario.Server
	processes []*process.Process // of the server
	redis     *process.Process
	urls      []string
	cpus      string             // of the generator
	holders   []*process.Process // generators that hold idle connections
}

func (p *place) stop() {
	for _, g := range p.holders {
		g.Stop()
	}
	for _, s := range p.processes {
		s.Stop()
	}
	if p.redis != nil {
		p.redis.Stop()
	}
}

func (p *place) pids() (pids []int) {
	for _, s := range p.processes {
		pids = append(pids, s.PID())
	}
	return pids
}

// start starts a server, as many of it as the load says, and waits until it is ready.
func (r *runner) start(ctx context.Context, s scenario.Scenario, name string, frames float64) (p *place, err error) {
	server, ok := scenario.ServerOf(name)
	if !ok {
		return nil, fmt.Errorf("there is no server %q", name)
	}
	if name == scenario.FloorSame && frames == 0 {
		return nil, errors.New("how many frames a write ours had is unknown: it runs in the same pair, before")
	}
	p = &place{server: server}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	var cpus, redis string
	if !s.Redis && !s.Free && runtime.NumCPU() > 1 {
		cpus, p.cpus = serverCPU, generatorCPU
	}
	if s.Redis {
		if p.redis, redis, err = startRedis(ctx); err != nil {
			return p, err
		}
	}
	scheme := "http"
	if server.TLS {
		scheme = "https"
	}
	for i := range s.Load.Hubs {
		address, err := freeAddress()
		if err != nil {
			return p, err
		}
		names := strings.NewReplacer("{listen}", address, "{redis}", redis, "{number}", strconv.Itoa(i+1),
			"{frames}", strconv.FormatFloat(max(frames, 1), 'f', 2, 64), "{cert}", r.programs.cert, "{key}", r.programs.key)
		spec := process.Spec{Path: filepath.Join(r.programs.dir, server.Program), CPUs: cpus}
		for _, arg := range server.Args {
			spec.Args = append(spec.Args, names.Replace(arg))
		}
		if server.Node {
			spec.Args = append([]string{filepath.Join(r.programs.node, server.Program)}, spec.Args...)
			spec.Path = "node"
		}
		started, err := process.Start(ctx, spec)
		if err != nil {
			return p, err
		}
		p.processes, p.urls = append(p.processes, started), append(p.urls, scheme+"://"+address)
		if err := started.Ready(ctx, address); err != nil {
			return p, err
		}
		if s.Redis && server.Program == "realtime-hub" {
			if err := together(ctx, address); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// startRedis starts a Redis that keeps nothing.
func startRedis(ctx context.Context) (p *process.Process, address string, err error) {
	if address, err = freeAddress(); err != nil {
		return nil, "", err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", err
	}
	p, err = process.Start(ctx, process.Spec{Path: "redis-server", Args: []string{
		"--bind", host, "--port", port, "--save", "", "--appendonly", "no",
	}})
	if err != nil {
		return nil, "", err
	}
	if err := p.Ready(ctx, address); err != nil {
		p.Stop()
		return nil, "", err
	}
	return p, address, nil
}

// together waits until a hub has reached Redis, 15 s at most.
func together(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx, address) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the hub does not reach Redis: %w", ctx.Err())
		}
	}
}

func ready(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	return err == nil && res.StatusCode == http.StatusOK && !strings.Contains(string(body), `"isolated":true`)
}

// freeAddress returns an address that nobody listens on, below the ports that the system hands out by itself.
func freeAddress() (string, error) {
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10000+rand.IntN(20000)))
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no port between 10000 and 30000 is free")
}
