package bench

import (
	"math"
	"math/bits"
	"time"
)

// Histogram counts times in buckets that are at most 1/64 of their value wide: what it says of a time is wrong by at
// most 0.8 %. Counting costs a few instructions and allocates nothing. It is used by one goroutine at a time.
type Histogram struct {
	counts [buckets]uint64
	count  uint64
	sum    float64 // ns
	most   int64   // ns
	least  int64   // ns
}

const (
	subBits    = 6 // each power of two is parted into 64 buckets
	subBuckets = 1 << subBits
	// Beyond 2^maxBits ns, 2 hours, all counts as that.
	maxBits = 43
	buckets = (maxBits - subBits + 1) * subBuckets
)

// Record counts d. What is below 0, as clocks of coarse units make it, counts as 0.
func (h *Histogram) Record(d time.Duration) {
	v := max(int64(d), 0)
	if v > h.most {
		h.most = v
	}
	if h.count == 0 || v < h.least {
		h.least = v
	}
	h.count++
	h.sum += float64(v)
	h.counts[bucketOf(v)]++
}

// bucketOf returns the bucket of v: up to 2·subBuckets each value has its own.
func bucketOf(v int64) int {
	v = min(v, 1<<maxBits-1)
	shift := max(bits.Len64(uint64(v))-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bounds returns the least value of a bucket, and that of the next.
func bounds(bucket int) (from, to int64) {
	shift := max(bucket>>subBits-1, 0)
	from = int64(bucket-shift<<subBits) << shift
	return from, from + 1<<shift
}

// Count returns how many times were counted.
func (h *Histogram) Count() uint64 { return h.count }

// Max returns the longest time, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.most) }

// Min returns the shortest time, exactly.
func (h *Histogram) Min() time.Duration { return time.Duration(h.least) }

// Mean returns the mean of the times, exactly; 0 where there are none.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.count))
}

// Quantile returns a time that the share q (0 to 1) of all are not above: the middle of its bucket, and never more than
// Max. It is 0 where there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := rankOf(q, h.count)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			from, to := bounds(i)
			return time.Duration(max(min((from+to-1)/2, h.most), h.least))
		}
	}
	return time.Duration(h.most)
}

// rankOf returns which of count times in order, from 1, the share q is not above: the least one with so many at or below
// it.
func rankOf(q float64, count uint64) uint64 {
	return min(max(uint64(math.Ceil(q*float64(count))), 1), count)
}

// Bucket is how many times lie between From, included, and To.
type Bucket struct {
	From  time.Duration `json:"from_ns"`
	To    time.Duration `json:"to_ns"`
	Count uint64        `json:"count"`
}

// Buckets returns all that are not empty, in order.
func (h *Histogram) Buckets() []Bucket {
	list := []Bucket{}
	for i, n := range h.counts {
		if n > 0 {
			from, to := bounds(i)
			list = append(list, Bucket{time.Duration(from), time.Duration(to), n})
		}
	}
	return list
}
