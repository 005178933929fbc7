//go:build !race

package bench

import (
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// frames appends what a server sends to one connection of l: what the first publisher publishes n times, as wrap puts it.
func frames(l *load, b []byte, n int, wrap func(b, body []byte) []byte) []byte {
	p := &l.publishers[0]
	for range n {
		p.conn.out = p.conn.out[:0]
		l.publish(p, l.now(), l.now())
		b = wrap(b, l.body)
	}
	return b
}

// header appends the header of a text frame of a server.
func header(b []byte, length int) []byte {
	if length <= maxControl {
		return append(b, 0x81, byte(length))
	}
	return append(b, 0x81, 126, byte(length>>8), byte(length))
}

// TestAllocations shows that neither publishing nor receiving allocates, in either dialect, by the clock or not.
func TestAllocations(t *testing.T) {
	plain := func(b, body []byte) []byte { return append(header(b, len(body)), body...) }
	at := time.Now()
	scratch := make([]byte, 0, 4096)
	v1 := func(b, body []byte) []byte {
		scratch = protocol.AppendMessage(scratch[:0], protocol.Delivery{Message: &protocol.Message{
			Room: "live.bench-0", ID: "abc/def", From: protocol.Client{ID: "abc"}, Hub: "hub1", Time: at, Data: body,
		}})
		return append(header(b, len(scratch)), scratch...)
	}
	for name, tt := range map[string]struct {
		options Options
		wrap    func(b, body []byte) []byte
	}{
		"plain, rate":   {Options{Dialect: Plain{}, Rate: 1}, plain},
		"plain, window": {Options{Dialect: Plain{}, Window: 1000}, plain},
		"v1, rate":      {Options{Dialect: V1{}, Rate: 1}, v1},
		"v1, window":    {Options{Dialect: V1{}, Window: 1000}, v1},
	} {
		t.Run(name, func(t *testing.T) {
			tt.options.Conns = 20
			l := loadOf(t, tt.options)
			l.begin()
			l.from, l.to = 0, int64(time.Hour)
			const messages = 10
			b := frames(l, nil, messages, tt.wrap)
			ack := make([]byte, 0, 1024)
			n := testing.AllocsPerRun(100, func() {
				b = frames(l, b[:0], messages, tt.wrap)
				if l.opts.Dialect.Acks() {
					ack = append(ack[:0], `{"type":"ack","room":"live.bench-0","key":"`...)
					ack = append(ack, l.body[:KeySize]...)
					ack = append(ack, `","id":"abc/def","scope":"live"}`...)
					b = append(header(b, len(ack)), ack...)
				}
				for _, c := range l.conns {
					if taken, _, err := l.receive(c, b, l.now()); err != nil || taken != len(b) {
						t.Fatalf("%d of %d bytes taken, error %v", taken, len(b), err)
					}
				}
			})
			if n > 0 {
				t.Errorf("%v allocations", n)
			}
			if l.counts.delivered == 0 || l.delay.Count() == 0 || l.opts.Dialect.Acks() && l.ack.Count() == 0 {
				t.Errorf("%+v", l.counts)
			}
		})
	}
}

// TestPingAllocations shows that a subscriber that answers a ping keeps no memory for it.
func TestPingAllocations(t *testing.T) {
	l, c, _ := noting(t)
	ping := serverFrame(nil, ws.OpPing, true, "ping")
	n := testing.AllocsPerRun(100, func() {
		c.out, c.touched, l.touched = c.out[:0], false, l.touched[:0]
		if _, _, err := l.receive(c, ping, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkReceive takes plain messages of 64 bytes, 16 in a read.
func BenchmarkReceive(b *testing.B) {
	for name, dialect := range map[string]Dialect{"plain": Plain{}, "v1": V1{}} {
		b.Run(name, func(b *testing.B) {
			l := loadOf(b, Options{Conns: 1000, Rate: 1, Dialect: dialect})
			l.begin()
			l.from, l.to = 0, int64(time.Hour)
			const messages = 16
			wrap := func(b, body []byte) []byte { return append(header(b, len(body)), body...) }
			if name == "v1" {
				wrap = func(b, body []byte) []byte {
					m := protocol.AppendMessage(nil, protocol.Delivery{Message: &protocol.Message{
						Room: "live.bench-0", ID: "abc/def", From: protocol.Client{ID: "abc"}, Hub: "hub1", Data: body,
					}})
					return append(header(b, len(m)), m...)
				}
			}
			var stream []byte
			i := 0
			for b.Loop() {
				if i%999 == 0 {
					stream = frames(l, stream[:0], messages, wrap)
				}
				c := l.conns[1+i%999]
				if _, _, err := l.receive(c, stream, l.now()); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*messages), "ns/message")
		})
	}
}
