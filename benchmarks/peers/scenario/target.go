package scenario

import (
	"fmt"
	"slices"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// Target is what is to come out. A value is the median over the pairs; a ratio is the median of each pair's ratio.
type Target struct {
	What     string
	Scenario string
	Server   string
	Metric   results.Metric
	Against  string  // another server: the value is the ratio
	AtLeast  float64 // one of these two
	AtMost   float64
	OrAtMost float64 // with Against and AtMost: it is met, too, where the metric itself is at most that
	Every    bool    // all pairs must meet it, not the median alone
}

// Targets are all of them.
var Targets = []Target{
	{What: "deliveries/s against NATS, 32 in flight", Scenario: "window32", Server: Ours, Metric: results.Deliveries, Against: "nats", AtLeast: 2},
	{What: "deliveries/s against NATS, 128 in flight", Scenario: "window128", Server: Ours, Metric: results.Deliveries, Against: "nats", AtLeast: 2},
	{What: "deliveries/s against Socket.IO, 32 in flight", Scenario: "window32", Server: Ours, Metric: results.Deliveries, Against: "socketio", AtLeast: 10},
	{What: "deliveries/s against Socket.IO, 128 in flight", Scenario: "window128", Server: Ours, Metric: results.Deliveries, Against: "socketio", AtLeast: 10},
	{What: "deliveries/s against the floor with as many frames a write, 32 in flight", Scenario: "window32", Server: Ours, Metric: results.Deliveries, Against: FloorSame, AtLeast: .85},
	{What: "deliveries/s against the floor with as many frames a write, 128 in flight", Scenario: "window128", Server: Ours, Metric: results.Deliveries, Against: FloorSame, AtLeast: .85},
	{What: "CPU a delivery against the floor, 50 messages/s to 1000", Scenario: "steady", Server: Ours, Metric: results.ServerCPU, Against: Floor, AtMost: 1.15},
	{What: "p99 at 50,000 deliveries/s against the floor, or 15 ms", Scenario: "steady", Server: Ours, Metric: results.P99, Against: Floor, AtMost: 1.1, OrAtMost: 15},
	{What: "lost of 2,000,000 deliveries/s offered", Scenario: "offered", Server: Ours, Metric: results.Lost, AtMost: 0, Every: true},
	{What: "deliveries/s of 2,000,000 offered", Scenario: "offered", Server: Ours, Metric: results.Deliveries, AtLeast: 1.95e6},
	{What: "p99 in ms at 2,000,000 deliveries/s offered", Scenario: "offered", Server: Ours, Metric: results.P99, AtMost: 50},
	{What: "KiB an idle connection", Scenario: "idle", Server: Ours, Metric: results.PerConnection, AtMost: 1},
	{What: "KiB an idle connection with TLS", Scenario: "idle", Server: "ours-tls", Metric: results.PerConnection, AtMost: 16},
	{What: "messages/s over two hubs and Redis", Scenario: "redis-window", Server: "ours-redis", Metric: results.Messages, AtLeast: 100_000},
	{What: "messages/s over two hubs and Redis against a PUBLISH a message, waiting for each", Scenario: "redis-window", Server: "ours-redis", Metric: results.Messages, Against: "gorilla-redis-usual", AtLeast: 5},
	{What: "messages/s over two hubs and Redis against a PUBLISH a message, pipelined", Scenario: "redis-window", Server: "ours-redis", Metric: results.Messages, Against: "gorilla-redis", AtLeast: 5},
	{What: "p99 in ms over two hubs and Redis at 100,000 messages/s offered", Scenario: "redis-rate", Server: "ours-redis", Metric: results.P99, AtMost: 5},
	{What: "deliveries/s with TLS against without", Scenario: "tls", Server: "ours-tls", Metric: results.Deliveries, Against: Ours, AtLeast: .75},
	{What: "deliveries/s of the goroutine engine against lxzan/gws", Scenario: "goroutine", Server: "ours-goroutine", Metric: results.Deliveries, Against: "gws", AtLeast: 1},
	{What: "deliveries/s of the goroutine engine against coder/websocket", Scenario: "goroutine", Server: "ours-goroutine", Metric: results.Deliveries, Against: "coder", AtLeast: 1},
	{What: "deliveries/s of the goroutine engine against gorilla/websocket", Scenario: "goroutine", Server: "ours-goroutine", Metric: results.Deliveries, Against: "gorilla", AtLeast: 1},
	{What: "acknowledged messages/s in one log room, of 25,000 offered", Scenario: "log-room", Server: "ours-redis", Metric: results.Acknowledged, AtLeast: 24_900},
	{What: "p99 in ms to the acknowledgement in one log room, at 25,000 messages/s", Scenario: "log-room", Server: "ours-redis", Metric: results.AckP99, AtMost: 10},
	{What: "acknowledged messages/s in 10 log rooms, of 25,000 offered", Scenario: "log-rate", Server: "ours-redis", Metric: results.Acknowledged, AtLeast: 24_900},
	{What: "p99 in ms to the acknowledgement in 10 log rooms, at 25,000 messages/s", Scenario: "log-rate", Server: "ours-redis", Metric: results.AckP99, AtMost: 10},
	{What: "acknowledged messages/s in 10 log rooms, as fast as it goes", Scenario: "log-window", Server: "ours-redis", Metric: results.Acknowledged, AtLeast: 100_000},
}

// Outcome is what came of a target.
type Outcome struct {
	Target
	Known bool // it was measured
	Value float64
	Met   bool
}

// Check returns what came of a target.
func (t Target) Check(f results.File) (o Outcome) {
	o.Target = t
	values := f.Values(t.Scenario, t.Server, t.Metric)
	if t.Against != "" {
		values = f.Ratios(t.Scenario, t.Server, t.Against, t.Metric)
	}
	if o.Value, o.Known = results.Median(values); !o.Known {
		return o
	}
	if t.Every {
		o.Value = slices.Max(values)
	}
	if t.AtLeast > 0 {
		o.Met = o.Value >= t.AtLeast
		return o
	}
	o.Met = o.Value <= t.AtMost
	if own, ok := results.Median(f.Values(t.Scenario, t.Server, t.Metric)); ok && t.OrAtMost > 0 {
		o.Met = o.Met || own <= t.OrAtMost
	}
	return o
}

// Goal returns the target's number as text.
func (t Target) Goal() string {
	sign, n := "≤", t.AtMost
	if t.AtLeast > 0 {
		sign, n = "≥", t.AtLeast
	}
	if t.Against != "" {
		return fmt.Sprintf("%s %g ×", sign, n)
	}
	return sign + " " + thousands(n)
}

// thousands returns a number with commas.
func thousands(n float64) string {
	if n < 1000 {
		return fmt.Sprintf("%g", n)
	}
	return fmt.Sprintf("%s,%03.0f", thousands(float64(int(n)/1000)), float64(int(n)%1000))
}
