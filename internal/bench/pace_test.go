package bench

import (
	"testing"
	"time"
)

// TestPlannedTime has a generator that cannot send for 200 ms: what was to be sent meanwhile counts from when it was to
// be sent, each message from its own time.
func TestPlannedTime(t *testing.T) {
	l := loadOf(t, Options{Conns: 2, Rate: 100, Duration: time.Second})
	l.begin()
	start := l.pace.start
	at := func(d time.Duration) int64 { return start + int64(d) }
	if next := l.pace.due(at(0)); next != at(10*time.Millisecond) || l.counts.published != 1 {
		t.Fatalf("%d published, the next is due after %v", l.counts.published, time.Duration(next-start))
	}
	by := l.publishers[0].conn
	by.out = make([]byte, heldBytes) // its socket takes no more
	if next := l.pace.due(at(205 * time.Millisecond)); next != never || l.counts.published != 1 {
		t.Fatalf("%d published by one who cannot", l.counts.published)
	}
	by.out = by.out[:0]
	if next := l.pace.due(at(205 * time.Millisecond)); next != at(210*time.Millisecond) || l.counts.published != 21 {
		t.Fatalf("%d published, the next is due after %v", l.counts.published, time.Duration(next-start))
	}
	if l.late.Max() != 0 {
		t.Errorf("the generator counts as late by %v, which was the server's doing", l.late.Max())
	}
	// They arrive at once.
	subscriber := l.conns[1]
	for n := range uint32(21) {
		stamp{number: n, at: l.pace.plannedAt(uint64(n))}.put(l.body, l.run)
		l.message(subscriber, l.body, at(205*time.Millisecond))
	}
	for q, want := range map[float64]time.Duration{.05: 15, 0.5: 105, 0.9: 185, 1: 205} {
		if got := l.delay.Quantile(q); got < want*time.Millisecond*98/100 || got > want*time.Millisecond*102/100 {
			t.Errorf("p%v is %v, want %v ms", 100*q, got, int(want))
		}
	}
	// What is not sent until the end is said.
	by.out = make([]byte, heldBytes)
	l.pace.due(at(time.Second))
	l.finish()
	l.pace.due(at(2 * time.Second))
	r := l.result()
	if r.Unsent != 79 || r.PublishedTotal != 21 || r.Expected != 21 || r.Lost != 0 {
		t.Errorf("%d unsent, %d published, %d expected, %d lost", r.Unsent, r.PublishedTotal, r.Expected, r.Lost)
	}
}

// TestGrain publishes far more often than once a grain, looking all the time: messages go out together, none later than a
// grain, and each keeps its planned time. Where messages are rarer, each goes out when it is planned.
func TestGrain(t *testing.T) {
	for _, tt := range []struct {
		rate  float64
		looks int // at which something goes out
		late  time.Duration
	}{{100_000, 21, time.Duration(grain)}, {1000, 10, 0}} {
		l := loadOf(t, Options{Conns: 2, Rate: tt.rate, Duration: 10 * time.Millisecond})
		l.begin()
		looks, sent := 0, uint64(0)
		next := l.pace.start
		for now := l.pace.start; next != never; now += 1000 {
			if now < next {
				if before := l.counts.published; l.pace.due(now) != next || l.counts.published != before {
					t.Fatalf("at %d something is published after %v, before it is due", int(tt.rate), time.Duration(now-l.pace.start))
				}
				continue
			}
			if next = l.pace.due(now); l.counts.published > sent {
				looks, sent = looks+1, l.counts.published
			}
		}
		if sent != uint64(tt.rate/100) || looks != tt.looks || l.late.Count() != sent || l.late.Max() > tt.late {
			t.Errorf("at %d: %d messages at %d looks, %d noted, late by up to %v", int(tt.rate), sent, looks, l.late.Count(), l.late.Max())
		}
	}
}

// TestLate has a generator that is late itself.
func TestLate(t *testing.T) {
	l := loadOf(t, Options{Conns: 2, Rate: 100, Duration: 100 * time.Millisecond})
	l.begin()
	l.pace.due(l.pace.start + int64(100*time.Millisecond))
	if l.late.Count() != 10 || l.late.Max() != 100*time.Millisecond {
		t.Errorf("%d messages, late by %v", l.late.Count(), l.late.Max())
	}
	r := &Result{Load: l.result(), Limits: Limits{LateP99: l.late.Quantile(.99)}}
	if w := warnings(r); len(w) != 1 {
		t.Errorf("warnings %q", w)
	}
}

// TestWindow has so many messages on their way, and not one more, until one has come to all.
func TestWindow(t *testing.T) {
	l := loadOf(t, Options{Conns: 5, Publishers: 2, Window: 3, GiveUp: time.Second})
	l.begin()
	now := l.pace.start
	l.pace.due(now)
	if l.counts.published != 3 || l.pace.inFlight != 3 {
		t.Fatalf("%d published, %d on their way", l.counts.published, l.pace.inFlight)
	}
	arrive := func(conn, publisher int, number uint32) {
		stamp{publisher: publisher, number: number, at: now}.put(l.body, l.run)
		l.message(l.conns[conn], l.body, now)
		l.pace.due(now)
	}
	for _, conn := range []int{1, 2, 3} {
		arrive(conn, 0, 0)
		arrive(conn, 0, 0) // a double is no second delivery
	}
	if l.counts.published != 3 || l.counts.duplicates != 3 {
		t.Fatalf("%d published before the first had come to all", l.counts.published)
	}
	arrive(4, 0, 0)
	if l.counts.published != 4 {
		t.Fatalf("%d published after the first had come to all", l.counts.published)
	}
	// A connection that is gone is not waited for.
	for _, conn := range []int{0, 2, 3} {
		arrive(conn, 1, 0)
	}
	l.lost(l.conns[4], 1006, nil)
	l.pace.due(now)
	if l.counts.published != 5 {
		t.Fatalf("%d published after whoever had not got the second was gone", l.counts.published)
	}
	// What does not come is given up.
	now += int64(time.Second) + 1
	l.pace.due(now)
	if l.counts.givenUp != 3 || l.counts.published != 8 || l.pace.inFlight != 3 {
		t.Fatalf("%d given up, %d published, %d on their way", l.counts.givenUp, l.counts.published, l.pace.inFlight)
	}
	arrive(1, 0, 1) // later than that
	if l.pace.inFlight != 3 || l.counts.delivered != 8 {
		t.Fatalf("%d on their way, %d delivered", l.pace.inFlight, l.counts.delivered)
	}
}

// TestWindowOfTime counts what is read, written and delivered in the time that is measured, and nothing before or after.
func TestWindowOfTime(t *testing.T) {
	l := loadOf(t, Options{Conns: 2, Rate: 10, Warmup: time.Second, Duration: time.Second})
	l.begin()
	for i, at := range []time.Duration{0, time.Second - 1, time.Second, 2*time.Second - 1, 2 * time.Second} {
		now := l.pace.start + int64(at)
		l.read(10, now)
		l.wrote(100, now)
		l.publish(&l.publishers[0], now, now)
		l.message(l.conns[1], l.body, now)
		if l.counts.delivered != uint64(i+1) {
			t.Fatalf("%d delivered of %d", l.counts.delivered, i+1)
		}
	}
	r := l.result()
	if r.BytesIn != 20 || r.BytesOut != 200 || r.Reads != 2 || r.Writes != 2 || r.Deliveries != 2 || r.PublishedTotal != 5 {
		t.Errorf("%+v", r)
	}
	// Times in messages are rounded down to 256 ns, so one at the edge may be on the other side.
	if r.Published < 2 || r.Published > 3 || r.Latency.Count != r.Published || r.Delivered != 5 {
		t.Errorf("%+v", r)
	}
}
