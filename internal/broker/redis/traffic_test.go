//go:build !short

package redis

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestOnePublishAMessage counts at Redis: one PUBLISH for a message alone, fewer for many together, and none besides.
func TestOnePublishAMessage(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, 0)
	if n := server.CommandCalls("publish"); n != 0 {
		t.Fatalf("%d publishes before any message", n)
	}
	const few = 20
	for n := range few {
		publish(a, "alone", n, n)
		b.AwaitID(fmt.Sprintf("alone/%d", n))
	}
	if n := server.CommandCalls("publish"); n != few {
		t.Errorf("%d publishes for %d messages one after the other", n, few)
	}
	server.ResetCalls()

	const senders, each = 50, 200
	for n := range each {
		for sender := range senders { // each in its room
			p := brokertest.NewPublication("origin", fmt.Sprintf("sender%d", sender), fmt.Sprintf("room%d", sender), n)
			a.Publish(p)
		}
	}
	for sender := range senders {
		b.AwaitID(fmt.Sprintf("sender%d/%d", sender, each-1))
		brokertest.CheckSequence(t, b.Got(), fmt.Sprintf("sender%d", sender), 0, each-1)
	}
	calls := server.CommandCalls("publish")
	if calls > senders*each/2 {
		t.Errorf("%d publishes for %d messages together", calls, senders*each)
	}
	t.Logf("%d publishes for %d messages together", calls, senders*each)
	if got := len(server.Clients()); got != 2*connections {
		t.Errorf("%d connections, want %d", got, 2*connections)
	}
	if rtt := a.Stats().RTT; rtt <= 0 {
		t.Errorf("round trip %v", rtt)
	}
}

// TestForeignEnvelope has another program publish in the channels: the link stays.
func TestForeignEnvelope(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	a, b := startTwo(t, server, 0)
	server.Do("PUBLISH", channels[3], "\x02what a later version says")
	server.Do("PUBLISH", channels[15], "hello")
	publish(a, "sender", 0, 0)
	b.AwaitID("sender/0")
	b.Await("the count of what is invalid", func() bool { return b.Stats().Dropped[hub.DropInvalid] == 2 })
	if isolated, changes, why := b.Isolated(); isolated || changes != 1 {
		t.Errorf("isolated: %v (%v), told %d times", isolated, why, changes)
	}
}
