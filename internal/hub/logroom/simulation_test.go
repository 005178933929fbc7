package logroom_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	simSeeds = flag.String("sim.seeds", defaultSeeds, "the seeds that TestSimulation runs, from-to")
	simTrace = flag.Uint64("sim.trace", 0, "a seed of which TestSimulation tells all that happens")
)

// simulate runs one seed.
func simulate(seed uint64, m mutant) (*world, error) {
	c := newConfig(seed)
	w := newWorld(c, newPlan(&c), m, false)
	return w, w.run()
}

// TestSimulation puts hubs, clients and a model of Redis through random faults and checks the contract at every step.
func TestSimulation(t *testing.T) {
	var from, to uint64
	if _, err := fmt.Sscanf(*simSeeds, "%d-%d", &from, &to); err != nil || from > to {
		t.Fatalf("-sim.seeds=%s is not from-to", *simSeeds)
	}
	if *simTrace > 0 {
		c := newConfig(*simTrace)
		w := newWorld(c, newPlan(&c), mutant{}, true)
		err := w.run()
		t.Logf("%+v\n%s", c, w.log)
		if err != nil {
			t.Error(err)
		}
		return
	}
	var total stats
	begin, told := time.Now(), time.Now()
	for seed := from; seed <= to; seed++ {
		w, err := simulate(seed, mutant{})
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, shrink(seed, mutant{}))
		}
		total.add(w.stats)
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			t.Logf("seed %d of %d-%d, %v", seed, from, to, time.Since(begin).Round(time.Second))
		}
	}
	t.Logf("%d seeds in %v: %+v", to-from+1, time.Since(begin).Round(time.Millisecond), total)
}

// shrink leaves out of a run what it fails without, and returns what is left of it and what then happens.
func shrink(seed uint64, m mutant) string {
	c := newConfig(seed)
	plan := newPlan(&c)
	fails := func(plan []action) bool { return newWorld(c, plan, m, false).run() != nil }
	if !fails(plan) {
		return "it does not fail a second time"
	}
	runs := 0
	for chunk := len(plan) / 2; chunk > 0; chunk /= 2 {
		for i := 0; i+chunk <= len(plan) && runs < 2000; {
			runs++
			shorter := append(append([]action(nil), plan[:i]...), plan[i+chunk:]...)
			if fails(shorter) {
				plan = shorter
			} else {
				i += chunk
			}
		}
	}
	w := newWorld(c, plan, m, true)
	err := w.run()
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	const most = 400
	if n := len(lines); n > most {
		lines = lines[n-most:]
	}
	return fmt.Sprintf("%+v\n%s\nshrunk to %d actions: %v", c, strings.Join(lines, "\n"), len(plan), err)
}
