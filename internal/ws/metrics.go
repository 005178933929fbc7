package ws

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// LatencyBounds are the upper bounds of the latency histograms' buckets, in µs.
var LatencyBounds = [...]int64{100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
	500_000, 1_000_000, 2_500_000, 10_000_000}

// Latency is a histogram of how long deliveries took, from the moment in which the origin hub took the message to the
// write at the socket.
type Latency struct {
	Buckets [len(LatencyBounds) + 1]uint64 // deliveries within each bound, not cumulated; the last is beyond all bounds
	Sum     uint64                         // of all deliveries, in µs
}

// Count returns how many deliveries there were.
func (l Latency) Count() (n uint64) {
	for _, in := range l.Buckets {
		n += in
	}
	return n
}

// Quantile estimates in µs within what time the share q of all deliveries was done, q from 0 to 1: it takes those of one
// bucket for evenly spread, as Prometheus does. What is beyond all bounds counts as the last of them, and ok is false
// where nothing was delivered.
func (l Latency) Quantile(q float64) (µs float64, ok bool) {
	rank, below, lower := q*float64(l.Count()), 0.0, 0.0
	for i, bound := range LatencyBounds {
		in, upper := float64(l.Buckets[i]), float64(bound)
		if in > 0 && below+in >= rank {
			return lower + (upper-lower)*(rank-below)/in, true
		}
		below, lower = below+in, upper
	}
	return lower, l.Count() > 0
}

// Connections is how many connections are open, by what they speak.
type Connections struct {
	V1, Plain int // WebSockets
	Events    int // streams of a room
	Snapshots int // streams of snapshots
}

// All returns how many there are in all.
func (n Connections) All() int { return n.V1 + n.Plain + n.Events + n.Snapshots }

// of returns where connections like c are counted.
func (n *Connections) of(c *conn) *int {
	switch {
	case c.snapshots != nil:
		return &n.Snapshots
	case c.speaks == events:
		return &n.Events
	case c.speaks == v1:
		return &n.V1
	}
	return &n.Plain
}

// Stats is what the server counted since its start.
type Stats struct {
	Connections   Connections // open now
	SlowConsumers int         // of them, those whose queue was more than half full and is not empty again
	Deliveries    uint64
	Dropped       map[hub.DropReason]uint64
	Closed        map[protocol.Code]uint64 // connections that ended, by the code that was sent or received
	Local, Remote Latency                  // of messages that this hub took, and of those of others, by its clock
}

// metrics counts. All methods may be called by several goroutines at once.
type metrics struct {
	slow        atomic.Int64
	deliveries  atomic.Uint64
	sendQueue   atomic.Uint64
	shardQueue  atomic.Uint64
	local       histogram
	remote      histogram
	mu          sync.Mutex
	closedCodes map[protocol.Code]uint64 // guarded by mu
}

// tally is to how many connections a block was written as a whole, and not yet counted. It is owned by the loop that
// writes it; the goroutine engine has none.
type tally struct{ connections uint64 }

type histogram struct {
	buckets [len(LatencyBounds) + 1]atomic.Uint64
	sum     atomic.Uint64
}

func (m *metrics) dropped(why hub.DropReason, n int) {
	if why == hub.DropShardQueue {
		m.shardQueue.Add(uint64(n))
		return
	}
	m.sendQueue.Add(uint64(n))
}

// closed counts a connection that ended. Codes that only clients use are one: each is a series of a metric, and they
// could make thousands.
func (m *metrics) closed(code protocol.Code) {
	if !code.Known() {
		code = protocol.CodeOther
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closedCodes == nil {
		m.closedCodes = make(map[protocol.Code]uint64)
	}
	m.closedCodes[code]++
}

// delivered counts the messages among frames, which were written at now, in µs of the Unix epoch, to so many
// connections. Frames written together mostly fall into one bucket, which is then changed once.
func (m *metrics) delivered(frames []frame, now int64, times uint64) {
	var deliveries, run, localSum, remoteSum uint64
	var into *atomic.Uint64
	for i := range frames {
		f := &frames[i]
		if f.published == 0 {
			continue
		}
		took := max(now-f.published, 0) // clocks of two machines may differ
		h := &m.local
		if f.remote {
			h = &m.remote
			remoteSum += uint64(took)
		} else {
			localSum += uint64(took)
		}
		bucket := &h.buckets[bucketOf(took)]
		if bucket != into {
			if into != nil {
				into.Add(run * times)
			}
			into, run = bucket, 0
		}
		run++
		deliveries++
	}
	if into == nil {
		return
	}
	into.Add(run * times)
	m.deliveries.Add(deliveries * times)
	if localSum > 0 {
		m.local.sum.Add(localSum * times)
	}
	if remoteSum > 0 {
		m.remote.sum.Add(remoteSum * times)
	}
}

func bucketOf(took int64) int {
	for i, bound := range LatencyBounds {
		if took <= bound {
			return i
		}
	}
	return len(LatencyBounds)
}

func (h *histogram) read() (l Latency) {
	for i := range h.buckets {
		l.Buckets[i] = h.buckets[i].Load()
	}
	l.Sum = h.sum.Load()
	return l
}

// Stats returns what was counted.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	connections := s.open
	s.mu.Unlock()
	m := s.metrics
	stats := Stats{
		Connections: connections, SlowConsumers: int(m.slow.Load()), Deliveries: m.deliveries.Load(),
		Dropped: map[hub.DropReason]uint64{
			hub.DropSendQueue: m.sendQueue.Load(), hub.DropShardQueue: m.shardQueue.Load(),
		},
		Closed: make(map[protocol.Code]uint64), Local: m.local.read(), Remote: m.remote.read(),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(stats.Closed, m.closedCodes)
	return stats
}
