//go:build !short

package redis

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// told is how long an outage, and its end, may stay unknown.
const told = 2 * time.Second

// hang is the time-out of tests that have Redis hang, and look at more than how long that stays unknown: more than the
// default, for busy machines.
const hang = 2 * time.Second

func TestKilledAndRestarted(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, 0)
	n := 0
	bestOf(t, "to be back after Redis was back", told, func() time.Duration {
		server.Kill()
		began := time.Now()
		a.AwaitIsolated(true)
		b.AwaitIsolated(true)
		if took := time.Since(began); took > told {
			return took
		}
		if _, _, why := a.Isolated(); !strings.Contains(why.Error(), "Redis at "+server.Addr()+" does not answer: ") {
			t.Errorf("isolated: %v", why)
		}
		publish(a, "alone", n, n)
		server.Start()
		began = time.Now()
		a.AwaitIsolated(false)
		b.AwaitIsolated(false)
		publish(a, "sender", n, n)
		b.AwaitID(fmt.Sprintf("sender/%d", n))
		n++
		return time.Since(began)
	})
	brokertest.CheckSequence(t, b.Got(), "sender", 0, n-1)
	brokertest.CheckSequence(t, b.Got(), "alone", 0, -1)
	if lines := a.log.count("isolated: messages stay on this hub"); lines != n {
		t.Errorf("%d lines tell of isolation, want %d", lines, n)
	}
	if lines := a.log.count("messages reach the other hubs"); lines != n {
		t.Errorf("%d lines tell of its end, want %d", lines, n)
	}
}

func TestStartsBeforeRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Prepare(t, redistest.Options{})
	a, b := start(t, Options{URL: server.URL()}), start(t, Options{URL: server.URL()})
	for _, s := range []started{a, b} {
		isolated, changes, why := s.Isolated() // known when Start returned
		want := "Redis at " + server.Addr() + " does not answer: connection refused"
		if !isolated || changes != 1 || why == nil || why.Error() != want {
			t.Errorf("isolated: %v (%v), told %d times, want %s", isolated, why, changes, want)
		}
	}
	publish(a, "alone", 0, 0)
	server.Start()
	a.AwaitIsolated(false)
	b.AwaitIsolated(false)
	publish(a, "sender", 0, 9)
	b.AwaitID("sender/9")
	brokertest.CheckSequence(t, b.Got(), "sender", 0, 9)
	brokertest.CheckSequence(t, b.Got(), "alone", 0, -1)
	if s := a.Stats(); s.Reconnects != 0 || s.Dropped[hub.DropIsolated] != 1 {
		t.Errorf("stats: %+v", s)
	}
}

// TestPaused stops Redis where it is, with messages in all buffers on the way, and lets it go on: nothing that was
// published in isolation arrives, what is published afterwards arrives once, and nothing old comes in between.
func TestPaused(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, hang)
	// As many as fill the socket buffers, so that Redis has to read for a while when it goes on.
	const hanging = 400
	large := bytes.Repeat([]byte("x"), 32<<10)
	publishLarge := func(s started, sender string, first, last int) {
		for n := first; n <= last; n++ {
			p := brokertest.NewPublication("origin of "+sender, sender, fmt.Sprintf("room%d", n%5), n)
			p.Data = large
			s.Publish(p)
		}
	}
	const rounds = 2
	for round := range rounds {
		publish(a, "before", round, round)
		publish(b, "before of b", round, round)
		b.AwaitID(fmt.Sprintf("before/%d", round))
		a.AwaitID(fmt.Sprintf("before of b/%d", round))

		server.Pause()
		// Of a one is on its way and the others wait, of b as many are on their way as may be.
		first, last := round*hanging, (round+1)*hanging-1
		publishLarge(a, "hanging", first, first)
		l := a.current()
		a.Await("the first to be sent", func() bool { return l.out.Size() == 0 })
		publishLarge(a, "hanging", first+1, last)
		publishLarge(b, "hanging of b", first, last)
		a.AwaitIsolated(true)
		b.AwaitIsolated(true)
		if _, _, why := a.Isolated(); !strings.HasSuffix(why.Error(), " does not answer: no answer within 2s") {
			t.Errorf("isolated: %v", why)
		}
		publish(a, "alone", 10*round, 10*round+9)
		publish(b, "alone of b", 10*round, 10*round+9)

		server.Resume()
		began := time.Now()
		a.AwaitIsolated(false)
		b.AwaitIsolated(false)
		t.Logf("to be back after Redis goes on took %v", time.Since(began).Round(time.Millisecond))
		publish(a, "after", 100*round, 100*round+99)
		publish(b, "after of b", 100*round, 100*round+99)
		b.AwaitID(fmt.Sprintf("after/%d", 100*round+99))
		a.AwaitID(fmt.Sprintf("after of b/%d", 100*round+99))
	}
	for _, c := range []struct {
		to, from started
		of       string
	}{{to: b, from: a}, {to: a, from: b, of: " of b"}} {
		got := c.to.Got()
		brokertest.CheckSequence(t, got, "before"+c.of, 0, rounds-1)
		brokertest.CheckSequence(t, got, "alone"+c.of, 0, -1)
		brokertest.CheckSequence(t, got, "after"+c.of, 0, 100*rounds-1)
		came := checkHanging(t, got, "hanging"+c.of, "after"+c.of, hanging)
		dropped := c.from.Stats().Dropped
		lost := dropped[hub.DropIsolated] + dropped[hub.DropBrokerError] + dropped[hub.DropBrokerQueue]
		if counted := came + int(lost) - 10*rounds; counted < rounds*hanging {
			t.Errorf("%d of %d that hung came, and %v were dropped", came, rounds*hanging, dropped)
		}
		t.Logf("of %d publications that hung %d came, dropped: %v", rounds*hanging, came, dropped)
	}
}

// TestPausedIdle stops Redis while nothing is published: only the probes can tell.
func TestPausedIdle(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a := start(t, Options{URL: server.URL(), Timeout: DefaultTimeout})
	a.AwaitIsolated(false)
	bestOf(t, "to tell of a Redis that hangs, idle,", told, func() time.Duration {
		server.Pause()
		began := time.Now()
		a.AwaitIsolated(true)
		took := time.Since(began)
		server.Resume()
		a.AwaitIsolated(false)
		return took
	})
}

// TestCloseWhilePaused closes a broker that has something to publish, at a Redis that hangs: it does not wait long.
func TestCloseWhilePaused(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	bestOf(t, "to close while Redis hangs", told, func() time.Duration {
		a := start(t, Options{URL: server.URL(), Timeout: DefaultTimeout})
		a.AwaitIsolated(false)
		server.Pause()
		publish(a, "sender", 0, 99)
		began := time.Now()
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		took := time.Since(began)
		a.End()
		dropped := a.Stats().Dropped
		if n := dropped[hub.DropIsolated] + dropped[hub.DropBrokerError]; n != 100 {
			t.Errorf("dropped %v, want 100 in all", dropped)
		}
		server.Resume()
		return took
	})
}

// checkHanging fails t where what hung is doubled, out of order, or comes after something that was published later. It
// returns how many came.
func checkHanging(t *testing.T, got []*hub.Publication, sender, later string, hanging int) (came int) {
	t.Helper()
	last, after := -1, 0
	for _, p := range got {
		var n int
		switch p.From.ID {
		case later:
			after++
		case sender:
			if _, err := fmt.Sscanf(p.ID[len(sender):], "/%d", &n); err != nil {
				t.Fatal(err)
			}
			if n <= last {
				t.Fatalf("%s came after %d", p.ID, last)
			}
			if after > n/hanging*100 {
				t.Fatalf("%s came after %d of %s", p.ID, after, later)
			}
			last = n
			came++
		}
	}
	return came
}

// TestCutConnection cuts one kind of connection at Redis: the broker notices at once and heals by itself.
func TestCutConnection(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"pubsub", "normal"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			server := redistest.New(t, redistest.Options{})
			a, b := startTwo(t, server, 0)
			publish(a, "sender", 0, 0)
			b.AwaitID("sender/0")
			for round := range 3 {
				_, before, _ := a.Isolated()
				server.Do("CLIENT", "KILL", "TYPE", kind)
				for _, s := range []started{a, b} {
					s.Await("isolation and its end", func() bool {
						isolated, changes, _ := s.Isolated()
						return !isolated && changes == before+2
					})
				}
				publish(a, "sender", round+1, round+1)
				b.AwaitID(fmt.Sprintf("sender/%d", round+1))
			}
			brokertest.CheckSequence(t, b.Got(), "sender", 0, 3)
			if clients := server.Clients(); len(clients) != 2*connections {
				t.Errorf("connections:\n%s", strings.Join(clients, "\n"))
			}
			if got := a.Stats().Reconnects; got != 3 {
				t.Errorf("%d reconnects, want 3", got)
			}
		})
	}
}

// TestDeliversWhatCame loses Redis while messages that came wait for a slow receiver: they are delivered, before the
// receiver is told of isolation.
func TestDeliversWhatCame(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, 0)
	publish(a, "sender", 0, 0)
	b.AwaitID("sender/0")
	l := b.current()
	b.Stop()
	defer b.Go()
	publish(a, "sender", 1, 1)
	b.Await("a call that is held up", func() bool { return b.Handed() == 2 })
	publish(a, "sender", 2, 9)
	size := brokertest.NewPublication("", "sender", "lobby", 9).Size()
	b.Await("the rest to wait", func() bool { return l.in.Size() == 8*size })
	server.Kill()
	a.AwaitIsolated(true)
	<-l.ctx.Done()
	b.Go()
	b.AwaitIsolated(true)
	brokertest.CheckSequence(t, b.Got(), "sender", 0, 9)
}
