//go:build !short

package redis

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// subscriptions returns to how many channels the connections of the hub called name are subscribed, and how many
// connections it has.
func subscriptions(t *testing.T, server *redistest.Server, name string) (channels, connections int) {
	t.Helper()
	for _, client := range server.Clients() {
		fields := strings.Fields(client)
		for _, field := range fields {
			if field != "name=realtime-hub:"+name {
				continue
			}
			connections++
			for _, field := range fields {
				if n, ok := strings.CutPrefix(field, "sub="); ok {
					sub, err := strconv.Atoi(n)
					if err != nil {
						t.Fatal(err)
					}
					channels += sub
				}
			}
		}
	}
	return channels, connections
}

// wantNothing starts a broker that wants nothing yet.
func wantNothing(t *testing.T, opts Options) started {
	t.Helper()
	b, log := newBroker(t, opts)
	r := brokertest.NewReceiver(t)
	if err := b.Start(t.Context(), r); err != nil {
		t.Fatalf("start: %v", err)
	}
	r.AwaitIsolated(false)
	return started{b, r, log}
}

// TestSubscribedToWhatIsWanted asks Redis what a broker is subscribed to, while that changes, and after each connection
// was lost.
func TestSubscribedToWhatIsWanted(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	b := wantNothing(t, Options{URL: server.URL(), Name: "b", Keep: 20 * time.Millisecond})
	await := func(want int) {
		t.Helper()
		b.Await(fmt.Sprintf("%d subscriptions", want), func() bool {
			got, n := subscriptions(t, server, "b")
			return got == want && n == connections
		})
	}
	have := func(want int) {
		t.Helper()
		if got, _ := subscriptions(t, server, "b"); got != want {
			t.Errorf("subscribed to %d channels, want %d", got, want)
		}
	}
	have(0)
	brokertest.Want(t, b, "lobby")
	have(1)
	brokertest.Want(t, b, "room:1") // shares the partition
	have(1)
	brokertest.Want(t, b, "a")
	have(2)
	b.Unwant("lobby")
	b.Unwant("a")
	await(1)
	for round := range 3 {
		brokertest.Want(t, b, fmt.Sprintf("room%d", round))
		want, _ := subscriptions(t, server, "b")
		_, before, _ := b.Isolated()
		server.Do("CLIENT", "KILL", "TYPE", []string{"pubsub", "normal"}[round%2])
		b.Await("isolation and its end", func() bool {
			isolated, changes, _ := b.Isolated()
			return !isolated && changes == before+2
		})
		have(want) // as soon as it is told
	}
	for round := range 3 {
		b.Unwant(fmt.Sprintf("room%d", round))
	}
	b.Unwant("room:1")
	await(0)
}

// TestChurnCostsNothing has a room come and go: its channel is kept.
func TestChurnCostsNothing(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	b := wantNothing(t, Options{URL: server.URL(), Name: "b", Keep: time.Hour})
	server.ResetCalls()
	for range 1000 {
		brokertest.Want(t, b, "lobby")
		b.Unwant("lobby")
	}
	if sub, unsub := server.CommandCalls("subscribe"), server.CommandCalls("unsubscribe"); sub != 1 || unsub != 0 {
		t.Errorf("subscribed %d times and unsubscribed %d times, want 1 and 0", sub, unsub)
	}
}

// TestNothingIsSentToWhoWantsNothing counts the bytes that a broker gets from Redis: none while the others talk in rooms
// that it does not want.
func TestNothingIsSentToWhoWantsNothing(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	network := newNetwork(t, server.Addr())
	quiet := wantNothing(t, Options{URL: "redis://" + network.listen.Addr().String(), Name: "quiet",
		Ping: time.Hour, Keep: time.Millisecond})
	a, b := startTwo(t, server, 0)
	talk := func(n int) {
		for i := n; i < n+500; i++ {
			a.Publish(brokertest.NewPublication("origin", "sender", fmt.Sprintf("room%d", i%50), i))
		}
		b.AwaitID(fmt.Sprintf("sender/%d", n+499))
	}
	brokertest.Want(t, quiet, "lobby") // what was sent to it at its start has come when this has
	quiet.Unwant("lobby")
	set := quiet.Broker.wanted
	quiet.Await("the end of the subscription", func() bool {
		set.mu.Lock()
		defer set.mu.Unlock()
		return set.of[partition("lobby")].stage == apart
	})
	before := network.down.Load()
	talk(0)
	if after := network.down.Load(); after != before || before == 0 {
		t.Errorf("%d bytes came to a hub that wants nothing (%d before)", after-before, before)
	}
	// And one that wants one room of many.
	brokertest.Want(t, quiet, "room7")
	before = network.down.Load()
	talk(500)
	quiet.AwaitID("sender/957")
	if n := len(quiet.Got()); n < 10 || n > 200 {
		t.Errorf("%d of 500 came to a hub that wants one room of 50", n)
	}
	if got := network.down.Load() - before; got > 60_000 {
		t.Errorf("%d bytes came to a hub that wants one room of 50", got)
	}
}

// TestWantWhileRedisHangs wants a room of a Redis that hangs: the caller goes on at once, and is told when the broker has
// told that it is isolated.
func TestWantWhileRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	b := wantNothing(t, Options{URL: server.URL(), Timeout: 500 * time.Millisecond})
	server.Pause()
	ready := make(chan bool, 1) // sent by the broker: whether it was isolated
	began := time.Now()
	if b.Want("lobby", func() { isolated, _, _ := b.Isolated(); ready <- isolated }) {
		t.Fatal("a Redis that hangs has confirmed a subscription")
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("Want took %v", took)
	}
	b.AwaitIsolated(true)
	if !<-ready {
		t.Error("told before it was isolated")
	}
	server.Resume()
	b.AwaitIsolated(false)
	a := start(t, Options{URL: server.URL()})
	publish(a, "sender", 0, 9)
	b.AwaitID("sender/9")
	brokertest.CheckSequence(t, b.Got(), "sender", 0, 9)
}
