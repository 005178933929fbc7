//go:build !short

package redis

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// counter is a receiver that counts, and tells when it got so many.
type counter struct {
	tb    testing.TB
	got   atomic.Int64
	moved chan struct{} // one slot: full after a change; from the broker's goroutine to the benchmark's; never closed
}

func (c *counter) Deliver(ps []*hub.Publication) {
	c.got.Add(int64(len(ps)))
	select {
	case c.moved <- struct{}{}:
	default:
	}
}

func (c *counter) SetIsolated(isolated bool, why error) {
	if isolated {
		c.tb.Errorf("isolated: %v", why)
	}
}

// await returns when n were delivered.
func (c *counter) await(n int64) {
	for c.got.Load() < n {
		<-c.moved
	}
}

// window is how many publications may be on their way in a benchmark.
const window = 4096

// BenchmarkPublishToDeliver carries messages of 100 bytes in 10 rooms from one broker to another: in the rounds that
// the broker makes, and for comparison with a PUBLISH for each message, all of a window in one pipeline, and one after
// the other.
func BenchmarkPublishToDeliver(b *testing.B) {
	const rooms = 10
	ps := make([]*hub.Publication, 1000)
	for n := range ps {
		ps[n] = brokertest.NewPublication("origin", fmt.Sprintf("sender%d", n%rooms), fmt.Sprintf("room%d", n%rooms), n)
		ps[n].Data = make([]byte, 100)
	}
	var pipeline []rueidis.Completed // not sent yet
	run := func(name string, publish func(from *Broker, n int)) {
		b.Run(name, func(b *testing.B) {
			server := redistest.New(b, redistest.Options{})
			from, _ := newBroker(b, Options{URL: server.URL()})
			to, _ := newBroker(b, Options{URL: server.URL()})
			count := &counter{tb: b, moved: make(chan struct{}, 1)}
			if err := from.Start(b.Context(), &counter{tb: b, moved: make(chan struct{}, 1)}); err != nil {
				b.Fatal(err)
			}
			if err := to.Start(b.Context(), count); err != nil {
				b.Fatal(err)
			}
			brokertest.Want(b, to, brokertest.Rooms()...)
			n := 0
			for b.Loop() {
				publish(from, n)
				n++
				count.await(int64(n - window))
			}
			count.await(int64(n - len(pipeline)))
			pipeline = pipeline[:0]
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64(server.CommandCalls("publish"))/float64(n), "publish/msg")
			if dropped := to.Stats().Dropped; len(dropped) > 0 {
				b.Errorf("dropped %v", dropped)
			}
		})
	}
	run("rounds", func(from *Broker, n int) { from.Publish(ps[n%len(ps)]) })

	one := func(from *Broker, n int) rueidis.Completed {
		p := ps[n%len(ps)]
		envelope := appendPublication(appendHeader(nil, header{broker: 1, life: 1, origin: p.Origin}), p)
		return from.link.client.B().Publish().Channel(channels[partition(p.Room)]).Message(string(envelope)).Build()
	}
	run("one PUBLISH each, pipelines of 256", func(from *Broker, n int) {
		pipeline = append(pipeline, one(from, n))
		if len(pipeline) == window/16 {
			for _, reply := range from.link.client.DoMulti(b.Context(), pipeline...) {
				if err := reply.Error(); err != nil {
					b.Error(err)
				}
			}
			pipeline = pipeline[:0]
		}
	})
	run("one PUBLISH each, one after the other", func(from *Broker, n int) {
		if err := from.link.client.Do(b.Context(), one(from, n)).Error(); err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkLatency carries one message at a time.
func BenchmarkLatency(b *testing.B) {
	server := redistest.New(b, redistest.Options{})
	from, _ := newBroker(b, Options{URL: server.URL()})
	to, _ := newBroker(b, Options{URL: server.URL()})
	count := &counter{tb: b, moved: make(chan struct{}, 1)}
	if err := from.Start(b.Context(), &counter{tb: b, moved: make(chan struct{}, 1)}); err != nil {
		b.Fatal(err)
	}
	if err := to.Start(b.Context(), count); err != nil {
		b.Fatal(err)
	}
	brokertest.Want(b, to, "lobby")
	p := brokertest.NewPublication("origin", "sender", "lobby", 0)
	n := int64(0)
	for b.Loop() {
		from.Publish(p)
		n++
		count.await(n)
	}
}
