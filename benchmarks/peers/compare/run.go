//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/report"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// runner measures.
type runner struct {
	programs programs
	out      io.Writer // the file of results
	id       string    // of this run, in all its lines
	length
}

// resultsDir is where results are kept.
const resultsDir = "benchmarks/results"

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("run", flag.ExitOnError)
	names := flags.String("run", "", "scenarios, by comma; all by default (compare list)")
	only := flags.String("servers", "", "servers, by comma; by default all that a scenario has")
	n := usual
	flags.IntVar(&n.pairs, "pairs", n.pairs, "how often each scenario is run; some are run three times at most")
	flags.Float64Var(&n.seconds, "seconds", n.seconds, "how long is measured each time; half as long where there are many of a kind")
	flags.DurationVar(&n.warmup, "warmup", n.warmup, "how long before that")
	flags.DurationVar(&n.settle, "settle", n.settle, "how long connections are idle before memory is read")
	file := flags.String("out", "", "file to append results to; by default "+resultsDir+"/DATE.jsonl")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*names, *only)
	if err != nil {
		return err
	}
	if n.pairs < 1 || n.seconds < .5 {
		return errors.New("at least one pair of half a second")
	}
	p, err := build(ctx, chosen)
	if err != nil {
		return err
	}
	if *file == "" {
		*file = filepath.Join(resultsDir, time.Now().UTC().Format(time.DateOnly)+".jsonl")
	}
	if err := os.MkdirAll(filepath.Dir(*file), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(*file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	r := &runner{programs: p, out: out, id: rand.Text()[:8], length: n}
	m, err := machine(p)
	if err != nil {
		return err
	}
	m.Run, m.Pairs = r.id, n.pairs
	if err := results.Append(out, m); err != nil {
		return err
	}
	fmt.Printf("results go to %s; about %v\n", *file, r.estimate(chosen).Round(time.Minute))
	failed, err := r.all(ctx, chosen)
	f, readErr := results.ReadFile(*file)
	if err = errors.Join(err, readErr); err != nil {
		return err
	}
	report.Print(os.Stdout, f, chosen)
	if failed > 0 {
		return fmt.Errorf("%d measurements failed; %s says why", failed, *file)
	}
	return nil
}

// choose returns the scenarios of names, with those servers alone that are named.
func choose(names, only string) (chosen []scenario.Scenario, err error) {
	known := make(map[string]bool)
	wanted := func(list, name string) bool { return list == "" || slices.Contains(strings.Split(list, ","), name) }
	for _, s := range scenario.Scenarios {
		known[s.Key()], known[s.Name] = true, true
		if !wanted(names, s.Key()) && !wanted(names, s.Name) {
			continue
		}
		s.Servers = slices.DeleteFunc(slices.Clone(s.Servers), func(name string) bool { return !wanted(only, name) })
		if len(s.Servers) > 0 {
			chosen = append(chosen, s)
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		if names != "" && !known[name] {
			return nil, fmt.Errorf("there is no scenario %q: see compare list", name)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no scenario has such a server")
	}
	return chosen, nil
}

// all measures each server under each load, in turns: one server after the other, and then again. The scenarios of a group
// take turns too.
func (r *runner) all(ctx context.Context, chosen []scenario.Scenario) (failed int, err error) {
	for _, group := range byKey(chosen) {
		fmt.Printf("\n%s: %s\n", group[0].Key(), group[0].Title)
		for pair := 1; pair <= r.times(group[0]); pair++ {
			for _, s := range group {
				n, err := r.turn(ctx, s, pair)
				if failed += n; err != nil {
					return failed, err
				}
			}
		}
	}
	return failed, nil
}

// turn measures each server under one load, once.
func (r *runner) turn(ctx context.Context, s scenario.Scenario, pair int) (failed int, err error) {
	frames := 0.0 // a write of ours, for the floor
	for _, name := range s.Servers {
		m := r.measure(ctx, s, name, pair, frames)
		if err := ctx.Err(); err != nil {
			return failed, fmt.Errorf("stopped: what was measured is kept: %w", err)
		}
		if name == scenario.Ours {
			frames = m.Values[results.FramesPerWrite]
		}
		if m.Error != "" {
			failed++
		}
		what := name
		if s.Group != "" {
			what = s.Name
		}
		fmt.Printf("  %d  %-18s %s\n", pair, what, report.Line(m, s.Columns))
		if err := results.Append(r.out, m); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// measure measures one server once. What goes wrong stands in the measurement, and the others go on.
func (r *runner) measure(ctx context.Context, s scenario.Scenario, name string, pair int, frames float64) results.Measurement {
	m := results.Measurement{
		Kind: "measurement", Run: r.id, Time: time.Now().UTC().Truncate(time.Second),
		Scenario: s.Name, Server: name, Pair: pair, Load: s.Load,
	}
	m.Load.Seconds = r.measured(s).Seconds()
	if server, _ := scenario.ServerOf(name); server.Ahead > 0 {
		m.Load.Window *= server.Ahead
	}
	// Handshakes with TLS take a while.
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute+2*r.settle+r.warmup+r.measured(s))
	defer cancel()
	p, err := r.start(ctx, s, name, frames)
	if err == nil {
		defer p.stop()
		if s.Few > 0 {
			m.Values, err = r.memory(ctx, s, p)
		} else {
			m.Values, m.Warnings, err = r.load(ctx, s, m.Load, p)
		}
	}
	if err != nil {
		m.Error = r.programs.scrub(err.Error())
	}
	return m
}
