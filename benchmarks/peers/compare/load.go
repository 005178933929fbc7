//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/generate"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/process"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// spec returns what the generator is to do.
func (r *runner) spec(s scenario.Scenario, l results.Load, p *place) generate.Spec {
	g := generate.Spec{Servers: p.urls, PIDs: p.pids(), Dialect: p.server.Dialect, Room: "live.bench", Load: l, Warmup: r.warmup}
	if s.Dialect != "" {
		g.Dialect = s.Dialect
	}
	if s.Room != "" {
		g.Room = s.Room
	}
	if p.server.TLS {
		g.CA = r.programs.cert
	}
	return g
}

// generator starts a load generator, whose outcome goes to out.
func (r *runner) generator(ctx context.Context, g generate.Spec, cpus string, out *bytes.Buffer) (*process.Process, error) {
	arg, err := json.Marshal(g)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return process.Start(ctx, process.Spec{Path: self, Args: []string{"generate", string(arg)}, CPUs: cpus, Out: out})
}

// load puts a load on servers and returns what came of it.
func (r *runner) load(ctx context.Context, s scenario.Scenario, l results.Load, p *place) (map[results.Metric]float64, []string, error) {
	var out bytes.Buffer
	g, err := r.generator(ctx, r.spec(s, l, p), p.cpus, &out)
	if err != nil {
		return nil, nil, err
	}
	if err := g.Wait(ctx); err != nil {
		return nil, nil, err
	}
	var o generate.Outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		return nil, nil, fmt.Errorf("read what the generator says: %w", err)
	}
	return o.Values, o.Warnings, nil
}

// memory opens idle connections, few and then all, and returns what memory the server has with each. One generator holds
// the few, another opens the rest, for a process may not have so many descriptors.
func (r *runner) memory(ctx context.Context, s scenario.Scenario, p *place) (map[results.Metric]float64, error) {
	few, err := r.hold(ctx, s, p, s.Few, s.Few)
	if err != nil {
		return nil, err
	}
	many, err := r.hold(ctx, s, p, s.Load.Connections-s.Few, s.Load.Connections)
	if err != nil {
		return nil, err
	}
	return map[results.Metric]float64{
		results.MemoryFew: float64(few), results.MemoryMany: float64(many),
		results.PerConnection: float64(many-few) / float64(s.Load.Connections-s.Few),
	}, nil
}

// hold opens more connections, which are held until ctx ends, waits until the server has all of them and a while longer,
// and returns its memory in KiB.
func (r *runner) hold(ctx context.Context, s scenario.Scenario, p *place, more, all int) (int64, error) {
	l := s.Load
	l.Connections, l.Seconds = more, time.Hour.Seconds()
	spec := r.spec(s, l, p)
	spec.Idle = true
	g, err := r.generator(ctx, spec, p.cpus, new(bytes.Buffer))
	if err != nil {
		return 0, err
	}
	p.holders = append(p.holders, g)
	pid := p.pids()[0]
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for most := 0; ; {
		open, err := process.Descriptors(pid)
		if err != nil {
			return 0, err
		}
		if open >= all {
			break
		}
		most = max(most, open) // once ctx has ended, so has the server
		select {
		case <-tick.C:
		case <-g.Done():
			return 0, fmt.Errorf("the generator has ended: %s", g.Said())
		case <-ctx.Done():
			return 0, fmt.Errorf("the server has had %d of %d connections: %w", most, all, ctx.Err())
		}
	}
	select {
	case <-time.After(r.settle):
	case <-g.Done():
		return 0, errors.New("the generator has ended: " + g.Said())
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return process.Memory(pid)
}
