//go:build unix && !short

package e2e

import (
	"fmt"
	"testing"
	"time"

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

// onDisk has Redis keep everything on disk before it answers, so that nothing is lost where it is killed.
var onDisk = []string{"appendonly yes", "appendfsync always"}

func stopAll(hubs []*hub) {
	for _, h := range hubs {
		h.Stop()
	}
}

// TestManyHubs is the third row of the mission: what is sent on one hub reaches every client of the others once, as it
// was.
func TestManyHubs(t *testing.T) { bothKinds(t, "lobby", testManyHubs) }

func testManyHubs(t *testing.T, room string) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	a, b, c := dialPlain(t, hubs[0], room), dialPlain(t, hubs[0], room), dialPlain(t, hubs[0], room)
	d, e, f := dialPlain(t, hubs[1], room), dial(t, hubs[1].WS()+"?room="+room, ""), dialPlain(t, hubs[1], room)
	exchange(t, a, d)
	for _, conn := range []*conn{b, c, e, f} {
		for range 16 { // what a and d exchanged
			conn.next()
		}
	}
	talk(t, "all of them", a, b, c, d, e, f)
	accepted(t, post(t, hubs[0], room, "", "by HTTP"), scopeOf(room))
	for _, conn := range []*conn{a, b, c, d, e, f} {
		conn.expectText("by HTTP")
	}
	nothingElse(t, hubs, a, b, c, d, e, f)
}

// TestStorm is the fourth row: no message goes round. Several hubs, clients of both subprotocols and many publishers at
// once: everybody sees every message of the others exactly once and in the order of its publisher, nobody his own, and
// Redis is asked to publish no more than once a message.
func TestStorm(t *testing.T) {
	t.Parallel()
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
			bothKinds(t, "storm", func(t *testing.T, room string) { testStorm(t, room, test.hubs, test.flags) })
		})
	}
}

func testStorm(t *testing.T, room string, n int, flags []string) {
	t.Parallel()
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, n, flags...)
	s := newStorm(t, room, hubs, 4)
	s.countPublish("all at once", redis, len(hubs), func() { s.blow(200, 8) })
	// Under load one PUBLISH carries many messages, which would hide that some are published twice.
	calls, messages := s.countPublish("one by one", redis, len(hubs), func() { s.drip(5) })
	if calls < messages {
		t.Errorf("PUBLISH was called %d times for %d messages that waited for each other", calls, messages)
	}
	s.end(func() { stopAll(hubs) })
}

// countPublish fails the test where Redis was asked to publish more often than there were messages while do ran.
func (s *storm) countPublish(what string, redis *redistest.Server, hubs int, do func()) (calls, messages int) {
	s.t.Helper()
	calls, messages = redis.CommandCalls("publish"), s.checker.published()
	since := time.Now()
	do()
	took := time.Since(since)
	calls, messages = redis.CommandCalls("publish")-calls, s.checker.published()-messages
	s.t.Logf("%s: %d messages to %d clients in %v, PUBLISH called %d times", what, messages, len(s.clients), took, calls)
	// A hub tries out its subscription with a publication of its own, once in 5 s at most.
	probes := hubs * (1 + int(took/(5*time.Second)))
	if calls > messages+probes {
		s.t.Errorf("%s: PUBLISH was called %d times for %d messages and at most %d probes", what, calls, messages, probes)
	}
	if calls == 0 {
		s.t.Errorf("%s: PUBLISH was never called", what)
	}
	return calls, messages
}

// TestStopHandsOn stops a hub right after it acknowledged messages: those on other hubs get them all.
func TestStopHandsOn(t *testing.T) { bothKinds(t, "lobby", testStopHandsOn) }

func testStopHandsOn(t *testing.T, room string) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	from, to := dialV1(t, hubs[0], ""), dialPlain(t, hubs[1], room)
	const n = 500
	for i := range n {
		from.publish(room, fmt.Sprint(i))
	}
	for range n {
		from.expectAck(room)
	}
	hubs[0].Stop()
	for i := range n {
		to.expectText(fmt.Sprint(i))
	}
	nothingElse(t, hubs[1:], to)
}
