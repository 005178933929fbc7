package ws

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	at := func(counts ...uint64) (l Latency) {
		copy(l.Buckets[:], counts)
		return l
	}
	beyond := Latency{}
	beyond.Buckets[len(LatencyBounds)] = 3
	for _, tt := range []struct {
		name    string
		latency Latency
		q, want float64
	}{
		{"in the first bucket", at(10), 0.5, 50},
		{"in the first bucket, all", at(10), 1, 100},
		{"in the second", at(50, 50), 0.75, 175},
		{"at a bound", at(50, 50), 0.5, 100},
		{"behind an empty one", at(0, 0, 4), 0.25, 312.5},
		{"of all", at(90, 0, 0, 10), 0.99, 950},
		{"beyond all bounds", beyond, 0.5, 10e6},
	} {
		if got, ok := tt.latency.Quantile(tt.q); !ok || math.Abs(got-tt.want) > 1e-6 {
			t.Errorf("%s: got %v %v, want %v", tt.name, got, ok, tt.want)
		}
	}
	if got, ok := (Latency{}).Quantile(0.5); ok {
		t.Errorf("of nothing: %v", got)
	}
}

// TestPushNewest shows that a snapshot takes the place of one that waits, whatever else does.
func TestPushNewest(t *testing.T) {
	s := newTestServer(t, Options{})
	c := s.newConn(events)
	c.push(retryBlock(1))
	for range 100 {
		c.pushNewest(snapshotBlock([]byte("an old one")))
		c.push(keepAlive)
	}
	c.pushNewest(snapshotBlock([]byte("the newest")))
	size, snapshots := 0, 0
	for _, sp := range c.queue.spans {
		size += sp.size()
		if sp.frames[0].snapshot {
			snapshots++
			if string(sp.bytes()) != "data: the newest\n\n" {
				t.Errorf("%q waits", sp.bytes())
			}
		}
	}
	if snapshots != 1 || c.queue.bytes != size {
		t.Errorf("%d snapshots wait; %d bytes are counted, and there are %d", snapshots, c.queue.bytes, size)
	}
}
