package bench

import (
	"fmt"
	"time"
)

// When the generator counts as the bottleneck.
const (
	busyLimit = 0.95                 // share of the time in which its loop did not wait
	lateLimit = 5 * time.Millisecond // of 99 % of the messages, at least
	lateShare = 0.5                  // of the p99 of the latency that was measured

	// starvedLimit is for how much of the time a process may wait for a core, until the machine counts as too busy.
	starvedLimit = 0.1
)

// warnings returns what whoever reads the result must know, foremost whether the generator was the bottleneck.
func warnings(r *Result) []string {
	list := []string{}
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if r.Limits.Busy > busyLimit {
		add("The generator was busy %.0f %% of the time: it, and not the hub, may be what limits these figures.", 100*r.Limits.Busy)
	}
	if late := r.Limits.LateP99; r.Load != nil && late > lateLimit && float64(late) > lateShare*float64(r.Load.Latency.P99) {
		add("The generator sent messages late, 1 %% of them by more than %v: it, and not the hub, makes for much of the latency.",
			round(late))
	}
	for _, p := range []struct {
		name string
		Usage
	}{{"hubs", r.Hubs}, {"generator", r.Own}} {
		if p.Starved > starvedLimit*p.Seconds {
			add("The %s had to wait for a core for %.0f %% of the time: other work on the machine, or a neighbour's, is in these figures.",
				p.name, 100*p.Starved/p.Seconds)
		}
	}
	if r.Closed.Count > 0 {
		add("%d connections ended before the test was over, by close code: %v.", r.Closed.Count, r.Closed.Codes)
	}
	if l := r.Load; l != nil {
		if l.Unsent > 0 {
			add("%d messages were not sent: the sockets of their publishers took no more.", l.Unsent)
		}
		if l.GivenUp > 0 {
			add("%d messages did not come everywhere in time, and others were sent in their place.", l.GivenUp)
		}
		if l.Strange > 0 {
			add("%d messages were not of this run, or not as they were sent: somebody else uses these rooms.", l.Strange)
		}
		if l.Echoed > 0 {
			add("%d messages came back to their publisher, which they should not.", l.Echoed)
		}
	}
	return list
}

// round returns d with three digits or so.
func round(d time.Duration) time.Duration {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
