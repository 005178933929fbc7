package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// someResult is one with something of everything.
func someResult() *Result {
	var h Histogram
	for i := range 1000 {
		h.Record(time.Duration(i+1) * 10 * time.Microsecond)
	}
	ack := newLatency(&h)
	rate := 1234.5
	return &Result{
		Test:    Test{Conns: 10_000, Publishers: 1, Rooms: 2, Size: 64, Rate: 50},
		Connect: Connect{Seconds: 2, PerSecond: 5000},
		Load: &Load{
			Offered: 500, Published: 500, Deliveries: 1000, Seconds: 10, PublishedPerSecond: 50, DeliveriesPerSecond: 100,
			Latency: newLatency(&h), AckLatency: &ack, Acks: map[string]uint64{"live": 499, "hub": 1},
			Refused: map[string]uint64{"outbox_full": 2}, BytesIn: 66_000, Reads: 500, PublishedTotal: 550, Expected: 1100, Delivered: 1090,
			Lost: 10, Duplicates: 2, OutOfOrder: 3, ToldLost: 9, Resets: 3, Unsent: 1, GivenUp: 1, Strange: 1, Echoed: 1,
		},
		Hubs:   Usage{Known: true, Seconds: 10, CPUSeconds: 2, Cores: .2, RSS: 30_000_000, Starved: .99},
		Limits: Limits{Busy: .5, LateP99: time.Millisecond, LateMax: 2 * time.Millisecond},
		Idle:   nil, Closed: Closed{Count: 1, Codes: map[string]int{"4008": 1}},
		Verdicts: []Verdict{{"p99<1s", "9.9ms", true}, {"lost=0", "10", false}},
		Warnings: []string{"something is odd"},
		Own:      Usage{CPUSeconds: rate},
	}
}

// TestText shows what people see, line for line.
func TestText(t *testing.T) {
	text := someResult().Text()
	const first = "Offered: 50 messages/s, 64 bytes each, by 1 publisher to 10,000 connections in 2 rooms for 10 s.\n" +
		"Delivered: 100 deliveries/s; 10 lost (0.91 %), 2 doubled, 3 out of order.\n"
	if !strings.HasPrefix(text, first) {
		t.Errorf("it does not begin with %q:\n%s", first, text)
	}
	for _, line := range []string{
		"Latency from the planned send time to the subscriber, 1,000 deliveries",
		"  p50 5.01ms   p90 8.98ms   p99 9.9ms   p99.9 10ms   max 10ms",
		"Latency to the acknowledgement, 1,000 of scope hub (1), live (499)",
		"  published   50 messages/s, 550 in all with the warm-up",
		"  deliveries  100/s, 1,090 of 1,100 in all",
		"  lost        10 (the hub told of 9), doubled 2, out of order 3",
		"  resets      3: so often the hub said that messages of a log are missing",
		"  refused     outbox_full (2)",
		"  bytes       6.6 kB/s in, 66 a delivery, 2.0 deliveries a read; 0 B/s out",
		"  connected   10,000 in 2 s, 5,000/s",
		"  hubs        2.00 CPU s, 20 % of a core; 30.0 MB; 0.99 s without a core; 2000.00 CPU s a million deliveries",
		"  generator   CPU unknown; its loop was busy 50 % of the time; messages went out late by p99 1ms, at most 2ms",
		"Beware: something is odd",
		"holds   p99<1s: 9.9ms",
		"FAILED  lost=0: 10",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	rows, shares := 0, 0.0
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, " – "); ok {
			rows++
			fields := strings.Fields(rest)
			var share float64
			if err := json.Unmarshal([]byte(fields[len(fields)-2]), &share); err != nil {
				t.Errorf("%v in %q", err, line)
			}
			shares += share
		}
	}
	if rows < 9 || rows > 11 || shares < 99.99 || shares > 100.01 {
		t.Errorf("%d rows of %v %% in all in\n%s", rows, shares, text)
	}
}

// TestWarnings has a warning for each thing that makes figures doubtful, and none where all is well.
func TestWarnings(t *testing.T) {
	if w := warnings(&Result{Load: new(Load), Limits: Limits{Busy: .9, LateP99: lateLimit}}); len(w) > 0 {
		t.Errorf("%q", w)
	}
	r := someResult()
	r.Limits = Limits{Busy: .96, LateP99: 20 * time.Millisecond}
	r.Load.Latency.P99 = 30 * time.Millisecond
	if w := warnings(r); len(w) != 7 {
		t.Errorf("%d: %q", len(w), w)
	}
	r.Hubs.Starved = 1.01 // of 10 s
	if w := warnings(r); len(w) != 8 || !strings.Contains(strings.Join(w, ""), "The hubs had to wait for a core for 10 % of the time") {
		t.Errorf("%d: %q", len(w), w)
	}
	r.Hubs.Starved = 0
	r.Load.Latency.P99 = time.Second // beside that 20 ms are nothing
	if w := warnings(r); len(w) != 6 {
		t.Errorf("%d: %q", len(w), w)
	}
}

// TestAssertions looks at figures of every kind.
func TestAssertions(t *testing.T) {
	r := someResult()
	bytes := 800.0
	idle := &Result{Idle: &Idle{BytesPerConnection: &bytes}}
	for _, tt := range []struct {
		text   string
		result *Result
		ok     bool
		found  string
	}{
		{"p50<6ms", r, true, ""},
		{"p50<5ms", r, false, ""},
		{"p99.9 <= 10ms", r, true, ""},
		{"p100>=10ms", r, true, "10ms"},
		{"min=10us", r, true, "10µs"},
		{"mean > 5ms", r, true, ""},
		{"max==10ms", r, true, "10ms"},
		{"max<10ms", r, false, "10ms"},
		{"ack_p99<10ms", r, true, ""},
		{"lost<11", r, true, "10"},
		{"lost=0", r, false, "10"},
		{"duplicates=2", r, true, ""},
		{"out_of_order>2", r, true, ""},
		{"deliveries_per_second>=0.1k", r, true, "100"},
		{"deliveries_per_second>=2M", r, false, "100"},
		{"published_per_second>49", r, true, ""},
		{"connect<3s", r, true, "2s"},
		{"connections_per_second>4k", r, true, ""},
		{"connections_ended=0", r, false, "1"},
		{"hub_cores<1", r, true, ""},
		{"bytes_per_connection<1000", idle, true, "800"},
		{"bytes_per_connection<1000", r, false, "unknown"},
		{"lost=0", idle, false, "unknown"},
		{"p99<1s", idle, false, "unknown"},
		{"ack_p99<1s", &Result{Load: new(Load)}, false, "unknown"},
		{"hub_cores<1", idle, false, "unknown"},
	} {
		a, err := ParseAssertion(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		v := a.Check(tt.result)
		if v.OK != tt.ok || v.Assertion != tt.text || tt.found != "" && v.Found != tt.found {
			t.Errorf("%+v, want %v, %s", v, tt.ok, tt.found)
		}
	}
	for _, text := range []string{"", "p99", "p99<", "p99<10", "p0<1s", "p101<1s", "pNaN<1s", "lost", "lost<x", "lost<1k0", "size<1", "<1"} {
		if _, err := ParseAssertion(text); err == nil || !strings.Contains(err.Error(), " → ") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}
