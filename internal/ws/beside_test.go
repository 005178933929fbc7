package ws_test

import (
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// beside measures how long a message takes from one client to another, and returns the 99th percentile of many, one
// after the other; in a room in which is also a nuisance, unless start is nil.
func beside(t testing.TB, h *testHub, start func(testing.TB, *testHub, string) *nuisance, many int) time.Duration {
	t.Helper()
	room := newRoom()
	c := newCircle(t, h, room, 2)
	if start != nil {
		n := start(t, h, room)
		defer func() { _ = n.nc.Close() }()
		defer n.end()
		// It has to be slow before one measures.
		dropped := h.ws.Stats().Dropped[hub.DropSendQueue]
		for h.ws.Stats().Dropped[hub.DropSendQueue] == dropped {
			c.round(4, 8<<10)
		}
	}
	return c.latency(many)
}

// latency returns the 99th percentile of how long messages take from one member to another. The members then leave.
func (c *circle) latency(many int) time.Duration {
	c.t.Helper()
	took := make([]time.Duration, many)
	for i := range took {
		began := time.Now()
		c.members[0].write(sent(final|opText, "0 0 "), 0)
		if _, _, err := c.members[1].next(); err != nil {
			c.t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	for _, m := range c.members {
		_ = m.nc.Close()
	}
	slices.Sort(took)
	return took[many*99/100]
}

// besideFlood measures the same, or how long it takes to connect, beside somebody who floods another room, or nobody. All
// but the hub are processes of their own, on a core of their own.
func besideFlood(t testing.TB, h *testHub, k nuisanceKind, floods, handshakes bool, many int) time.Duration {
	t.Helper()
	address := h.http.Listener.Addr().String()
	enter := func() string { return upgradeRequest("GET /ws?room="+newRoom()+" HTTP/1.1", "") }
	if floods {
		_, end := role{Address: address, Request: enter(), Send: []byte(k.flood)}.start(t)
		defer end()
	}
	said, done := role{Address: address, Request: enter(), Many: many, Handshakes: handshakes}.start(t)
	defer done()
	p99, err := time.ParseDuration(said)
	if err != nil {
		t.Fatal(err)
	}
	return p99
}

// compareBeside returns the median ratio of some pairs, without and with a nuisance in turn, and the medians of both 99th
// percentiles.
func compareBeside(t testing.TB, k nuisanceKind, handshakes bool, pairs, many int) (ratio float64, without, with time.Duration) {
	t.Helper()
	h := startHub(t, newBus(), "hub1", k.options())
	var ratios []float64
	var withouts, withs []time.Duration
	for range pairs {
		var a, b time.Duration
		if k.flood != "" {
			a, b = besideFlood(t, h, k, false, handshakes, many), besideFlood(t, h, k, true, handshakes, many)
		} else {
			a, b = beside(t, h, nil, many), beside(t, h, k.start, many)
		}
		withouts, withs = append(withouts, a), append(withs, b)
		ratios = append(ratios, float64(b)/float64(a))
	}
	slices.Sort(ratios)
	slices.Sort(withouts)
	slices.Sort(withs)
	return ratios[pairs/2], withouts[pairs/2], withs[pairs/2]
}

// TestBesideSlow shows roughly what BenchmarkBesideSlow does, on machines that do much else.
func TestBesideSlow(t *testing.T) {
	for _, k := range nuisances[:2] {
		t.Run(k.name, func(t *testing.T) {
			ratio := 100.0
			for range 5 {
				one, without, with := compareBeside(t, k, false, 5, 100)
				t.Logf("a 99th percentile of %v, beside it %v", without, with)
				if ratio = min(ratio, one); ratio <= 2 {
					return
				}
			}
			t.Errorf("the others wait %.2f times as long", ratio)
		})
	}
}

// BenchmarkBesideSlow shows what a nuisance costs the others: the median of ten ratios of 99th percentiles must be no
// more than 1.25.
func BenchmarkBesideSlow(b *testing.B) {
	for _, k := range nuisances {
		b.Run(k.name, func(b *testing.B) { benchmarkBeside(b, k, false) })
		if k.flood != "" {
			b.Run(k.name+", who connects", func(b *testing.B) { benchmarkBeside(b, k, true) })
		}
	}
}

func benchmarkBeside(b *testing.B, k nuisanceKind, handshakes bool) {
	const pairs, many = 10, 2000
	if k.flood != "" {
		stay(b, hubCore)
	}
	for b.Loop() {
		ratio, without, with := compareBeside(b, k, handshakes, pairs, many)
		b.ReportMetric(ratio, "ratio")
		b.ReportMetric(float64(without.Microseconds()), "p99-without-µs")
		b.ReportMetric(float64(with.Microseconds()), "p99-with-µs")
		if ratio > 1.25 {
			b.Errorf("the others wait %.2f times as long: a 99th percentile of %v, beside it %v", ratio, without, with)
		}
	}
}
