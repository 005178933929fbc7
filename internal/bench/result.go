package bench

import "time"

// Result is what a load test found. Times in JSON are nanoseconds where their name says so, and otherwise seconds.
type Result struct {
	Test     Test      `json:"test"`
	Connect  Connect   `json:"connect"`
	Idle     *Idle     `json:"idle,omitempty"`       // with Options.Idle alone
	Load     *Load     `json:"load,omitempty"`       // otherwise
	Hubs     Usage     `json:"hubs"`                 // while it was measured
	Own      Usage     `json:"generator"`            // the same of this process
	Limits   Limits    `json:"generator_limits"`     // whether the generator was the bottleneck
	Closed   Closed    `json:"connections_ended"`    // before the test was over
	Warnings []string  `json:"warnings"`             // for people, one sentence each
	Verdicts []Verdict `json:"assertions,omitempty"` // of the assertions; filled in by Assert
}

// Assert checks the assertions, notes the verdicts, and reports whether all hold.
func (r *Result) Assert(list []*Assertion) bool {
	ok := true
	for _, a := range list {
		v := a.Check(r)
		r.Verdicts = append(r.Verdicts, v)
		ok = ok && v.OK
	}
	return ok
}

// Test is what was asked for.
type Test struct {
	Hubs       []string  `json:"hubs"`
	Conns      int       `json:"conns"`
	Publishers int       `json:"publishers"`
	Rooms      int       `json:"rooms"`
	Size       int       `json:"size"`
	Rate       float64   `json:"rate"`
	Window     int       `json:"window"`
	Warmup     float64   `json:"warmup_seconds"`
	Duration   float64   `json:"duration_seconds"`
	Engine     string    `json:"engine"` // epoll or goroutine: the generator's own
	Started    time.Time `json:"started"`
}

// Connect is how the connections were opened, handshakes included.
type Connect struct {
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
}

// Load is what became of the messages.
type Load struct {
	// In the time that was measured. Latency is of messages whose planned time lies in it, whenever they came.
	Offered             uint64  `json:"offered"`    // messages that were planned; without Rate those that were sent
	Published           uint64  `json:"published"`  // messages that were sent
	Deliveries          uint64  `json:"deliveries"` // messages that came to a subscriber, each counted once for each
	Seconds             float64 `json:"seconds"`
	PublishedPerSecond  float64 `json:"published_per_second"`
	DeliveriesPerSecond float64 `json:"deliveries_per_second"`
	Latency             Latency `json:"latency"`
	BytesIn             uint64  `json:"bytes_in"` // from the sockets, frames and all
	BytesOut            uint64  `json:"bytes_out"`
	Reads               uint64  `json:"reads"` // calls that brought something
	Writes              uint64  `json:"writes"`

	// Acknowledgements, where the dialect has some.
	Acks       map[string]uint64 `json:"acks,omitempty"` // by scope, of the whole run
	AckLatency *Latency          `json:"ack_latency,omitempty"`
	Refused    map[string]uint64 `json:"refused,omitempty"` // by the server's code

	// Of the whole run, warm-up included.
	PublishedTotal uint64 `json:"published_total"`
	Expected       uint64 `json:"expected"`  // deliveries that there had to be
	Delivered      uint64 `json:"delivered"` // those that there were, each counted once
	Lost           uint64 `json:"lost"`
	Duplicates     uint64 `json:"duplicates"`
	OutOfOrder     uint64 `json:"out_of_order"` // came behind a later one of the same publisher (RFC 4737 §3)
	Echoed         uint64 `json:"echoed"`       // came back to their publisher, which they should not
	Strange        uint64 `json:"strange"`      // not of this run, or of the wrong room or size
	ToldLost       uint64 `json:"told_lost"`    // that the server said it dropped
	Resets         uint64 `json:"resets"`       // how often it said that messages of a log are missing, and not how many
	Unsent         uint64 `json:"unsent"`       // planned, and not taken by the sockets in time
	GivenUp        uint64 `json:"given_up"`     // with Window: not waited for any longer
}

// Latency is how long something took.
type Latency struct {
	Count   uint64        `json:"count"`
	Min     time.Duration `json:"min_ns"`
	Mean    time.Duration `json:"mean_ns"`
	P50     time.Duration `json:"p50_ns"`
	P90     time.Duration `json:"p90_ns"`
	P99     time.Duration `json:"p99_ns"`
	P999    time.Duration `json:"p99_9_ns"`
	Max     time.Duration `json:"max_ns"`
	Buckets []Bucket      `json:"buckets"`
}

// newLatency returns what h has.
func newLatency(h *Histogram) Latency {
	return Latency{
		Count: h.Count(), Min: h.Min(), Mean: h.Mean(), Max: h.Max(),
		P50: h.Quantile(.5), P90: h.Quantile(.9), P99: h.Quantile(.99), P999: h.Quantile(.999),
		Buckets: h.Buckets(),
	}
}

// Idle is what connections that do nothing cost.
type Idle struct {
	Seconds            float64  `json:"seconds"`                        // that they were held
	Pings              uint64   `json:"pings"`                          // of the server, each answered
	BytesPerConnection *float64 `json:"bytes_per_connection,omitempty"` // the slope; absent where it is unknown
	Samples            []Sample `json:"samples"`
}

// Sample is what memory the hubs had, resident, at some number of connections.
type Sample struct {
	Conns int    `json:"connections"`
	Bytes uint64 `json:"rss_bytes"`
}

// Usage is what processes took of the machine. Where nobody knows, Known is false, and the rest is zero.
type Usage struct {
	Known      bool    `json:"known"`
	From       string  `json:"from,omitempty"` // /proc or /metrics
	PIDs       []int   `json:"pids,omitempty"`
	Seconds    float64 `json:"seconds"` // of which the rest tells
	CPUSeconds float64 `json:"cpu_seconds"`
	Cores      float64 `json:"cores"`     // CPU seconds a second
	RSS        uint64  `json:"rss_bytes"` // at the end of what was measured
	// Starved is how long its threads were ready to run and had no core, in seconds; 0 where nobody knows.
	Starved float64 `json:"starved_seconds"`
}

// Limits says how near the generator was to what it can do, in the time that was measured.
type Limits struct {
	Busy    float64       `json:"busy"`        // share of the time in which its loop did not wait; -1 where it has none
	LateP99 time.Duration `json:"late_p99_ns"` // how late messages were handed to the sockets, by their planned time
	LateMax time.Duration `json:"late_max_ns"`
}

// Closed is which connections ended before the test was over, by close code; 0: without one.
type Closed struct {
	Count int            `json:"count"`
	Codes map[string]int `json:"codes,omitempty"`
}
