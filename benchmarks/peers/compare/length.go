//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// length is how often and how long is measured.
type length struct {
	pairs   int
	seconds float64
	warmup  time.Duration
	settle  time.Duration // before the memory of idle connections is read
}

// usual is what it is where nobody says.
var usual = length{pairs: 5, seconds: 4, warmup: time.Second, settle: 5 * time.Second}

// times returns how often a scenario is run.
func (n length) times(s scenario.Scenario) int {
	if s.Pairs > 0 {
		return min(s.Pairs, n.pairs)
	}
	return n.pairs
}

// measured returns how long is measured each time.
func (n length) measured(s scenario.Scenario) time.Duration {
	d := time.Duration(n.seconds * float64(time.Second))
	if s.Short {
		d /= 2
	}
	return d
}

// estimate returns about how long it takes: besides what is measured a second to start and stop, and some time for each
// connection.
func (n length) estimate(chosen []scenario.Scenario) (d time.Duration) {
	for _, s := range chosen {
		each := n.warmup + n.measured(s) + time.Second + time.Duration(s.Load.Connections)*150*time.Microsecond
		if s.Few > 0 {
			each = 2*n.settle + time.Duration(s.Load.Connections)*time.Millisecond
		}
		d += each * time.Duration(n.times(s)*len(s.Servers))
	}
	return d
}

// byKey returns the scenarios of each group, and each other one by itself, in their order.
func byKey(list []scenario.Scenario) (groups [][]scenario.Scenario) {
	for _, s := range list {
		i := slices.IndexFunc(groups, func(g []scenario.Scenario) bool { return g[0].Key() == s.Key() })
		if i < 0 {
			groups = append(groups, []scenario.Scenario{s})
			continue
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// list prints the scenarios, and how long each takes.
func list() {
	for _, group := range byKey(scenario.Scenarios) {
		fmt.Printf("%-13s %6v  %s\n", group[0].Key(), shown(usual.estimate(group)), group[0].Title)
	}
	fmt.Printf("%-13s %6v\n", "all", shown(usual.estimate(scenario.Scenarios)))
}

// shown returns minutes and seconds.
func shown(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
