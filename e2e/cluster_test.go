//go:build unix && !short

package e2e

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// startCluster starts n hubs on redis and returns when they can reach each other.
func startCluster(t *testing.T, redis *redistest.Server, n int, flags ...string) []*hub {
	t.Helper()
	hubs := make([]*hub, n)
	for i := range hubs {
		hubs[i] = startHub(t, append([]string{"--broker", redis.URL()}, flags...)...)
	}
	for _, h := range hubs {
		h.waitIsolated(false)
	}
	return hubs
}

func stopAll(hubs []*hub) {
	for _, h := range hubs {
		h.Stop()
	}
}

// TestManyHubs is the third row of the mission: what is sent on one hub reaches every client of the others once, as it
// was.
func TestManyHubs(t *testing.T) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	a, b, c := dialPlain(t, hubs[0], ""), dialPlain(t, hubs[0], ""), dialPlain(t, hubs[0], "")
	d, e, f := dialPlain(t, hubs[1], ""), dial(t, hubs[1].WS(), ""), dialPlain(t, hubs[1], "lobby")
	exchange(t, a, d)
	for _, conn := range []*conn{b, c, e, f} {
		for range 16 { // what a and d exchanged
			conn.next()
		}
	}
	talk(t, "all of them", a, b, c, d, e, f)
	accepted(t, post(t, hubs[0], "lobby", "", "by HTTP"))
	for _, conn := range []*conn{a, b, c, d, e, f} {
		conn.expectText("by HTTP")
	}
	nothingElse(t, hubs, a, b, c, d, e, f)
}

// TestStorm is the fourth row: no message goes round. Several hubs, clients of both subprotocols and many publishers at
// once: everybody sees every message of the others exactly once and in the order of its publisher, nobody his own, and
// Redis is asked to publish no more than once a message.
func TestStorm(t *testing.T) {
	for _, test := range []struct {
		hubs  int
		flags []string
	}{
		{hubs: 2},
		{hubs: 3},
		{hubs: 5},
		{hubs: 2, flags: []string{"--name", "the-same"}},
	} {
		t.Run(fmt.Sprintf("%d hubs %v", test.hubs, test.flags), func(t *testing.T) {
			t.Parallel()
			redis := redistest.New(t, redistest.Options{})
			hubs := startCluster(t, redis, test.hubs, test.flags...)
			s := newStorm(t, hubs, 4)
			took := s.blow(200, 8)
			s.end(func() { stopAll(hubs) })
			published, calls := s.checker.published(), redis.CommandCalls("publish")
			t.Logf("%d messages to %d clients in %v, PUBLISH called %d times", published, len(s.clients), took, calls)
			if calls > published {
				t.Errorf("PUBLISH was called %d times for %d messages", calls, published)
			}
			if calls == 0 {
				t.Error("PUBLISH was never called")
			}
		})
	}
}

// TestStopHandsOn stops a hub right after it acknowledged messages: those on other hubs get them all.
func TestStopHandsOn(t *testing.T) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	from, to := dialV1(t, hubs[0], ""), dialPlain(t, hubs[1], "")
	const n = 500
	for i := range n {
		from.publish("lobby", fmt.Sprint(i))
	}
	for range n {
		from.expect("ack")
	}
	hubs[0].Stop()
	for i := range n {
		to.expectText(fmt.Sprint(i))
	}
	nothingElse(t, hubs[1:], to)
}
