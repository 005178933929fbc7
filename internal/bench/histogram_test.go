package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestHistogram compares what the buckets say with all the values in order.
func TestHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	sum := 0.0
	for range 20_000 {
		d := time.Duration(math.Exp(random.Float64() * math.Log(float64(time.Hour))))
		h.Record(d)
		all = append(all, d)
		sum += float64(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, .001, .1, .5, .9, .99, .999, .99999, 1} {
		want := float64(all[rankOf(q, uint64(len(all)))-1])
		if got := float64(h.Quantile(q)); math.Abs(got-want) > want/100 {
			t.Errorf("p%v is %v, want %v", 100*q, got, want)
		}
		latency := newLatency(&h)
		if got, want := latency.quantile(q), h.Quantile(q); got != want {
			t.Errorf("p%v is %v by the buckets of the result, and %v by its own", 100*q, got, want)
		}
	}
	if h.Min() != all[0] || h.Max() != all[len(all)-1] || h.Count() != uint64(len(all)) {
		t.Errorf("least %v, most %v, %d in all", h.Min(), h.Max(), h.Count())
	}
	if got, want := float64(h.Mean()), sum/float64(len(all)); math.Abs(got-want) > 1 {
		t.Errorf("mean %v, want %v", got, want)
	}
}

// TestHistogramBuckets looks at every bucket: they follow each other, and each holds what belongs there.
func TestHistogramBuckets(t *testing.T) {
	next := int64(0)
	for i := range buckets {
		from, to := bounds(i)
		if from != next || bucketOf(from) != i || bucketOf(to-1) != i {
			t.Fatalf("bucket %d is from %d to %d; they belong to %d and %d; the one before ends at %d",
				i, from, to, bucketOf(from), bucketOf(to-1), next)
		}
		if width := to - from; width > 1 && float64(width)/2 > float64(from)/100 {
			t.Fatalf("bucket %d, from %d to %d, is too wide", i, from, to)
		}
		next = to
	}
	if next != 1<<maxBits || bucketOf(math.MaxInt64) != buckets-1 {
		t.Errorf("the last bucket ends at %d", next)
	}
}

// TestHistogramFew has none, and one.
func TestHistogramFew(t *testing.T) {
	var h Histogram
	if h.Quantile(.99) != 0 || h.Mean() != 0 || len(h.Buckets()) != 0 {
		t.Error("an empty histogram has something")
	}
	h.Record(12345)
	h.Record(-1)
	if h.Quantile(.5) != 0 || h.Quantile(.99) != 12345 || h.Min() != 0 {
		t.Errorf("p50 %d, p99 %d, least %d", h.Quantile(.5), h.Quantile(.99), h.Min())
	}
}
