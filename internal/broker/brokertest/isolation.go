package brokertest

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// testIsolation cuts the brokers off and joins them again, twice: what is published in between never arrives, what is
// published afterwards arrives once.
func testIsolation(t *testing.T, f Factory) {
	c, receivers := start(t, f, 2, 0)
	if c.Cut == nil {
		return // nothing comes between these brokers: start saw that they are not isolated, and that is all there is
	}
	publish := func(sender string, n int) {
		for i, b := range c.Brokers {
			b.Publish(NewPublication(fmt.Sprintf("origin%d", i), fmt.Sprintf("%s%d", sender, i), "lobby", n))
		}
	}
	await := func(sender string, n int) {
		for i, r := range receivers {
			r.AwaitID(protocol.MessageID(fmt.Sprintf("%s%d", sender, 1-i), fmt.Sprint(n)))
		}
	}
	for round := range 2 {
		publish("together", 2*round)
		await("together", 2*round)
		c.Cut()
		for _, r := range receivers {
			r.AwaitIsolated(true)
		}
		for n := range 10 {
			publish("alone", 10*round+n)
		}
		for i, b := range c.Brokers {
			if got, want := b.Stats().Dropped[hub.DropIsolated], uint64(10*(round+1)); got != want {
				t.Errorf("broker %d dropped %d while isolated, want %d", i, got, want)
			}
		}
		c.Heal()
		for _, r := range receivers {
			r.AwaitIsolated(false)
		}
		publish("together", 2*round+1)
		await("together", 2*round+1)
	}
	for i, r := range receivers {
		CheckSequence(t, r.Got(), fmt.Sprintf("together%d", 1-i), 0, 3)
		if n := checkIncreasing(t, r.Got(), fmt.Sprintf("alone%d", 1-i)); n != 0 {
			t.Errorf("%d publications came that were published in isolation", n)
		}
		if _, changes, _ := r.Isolated(); changes != 5 {
			t.Errorf("receiver %d was told of isolation %d times, want 5", i, changes)
		}
		if got := c.Brokers[i].Stats().Reconnects; got != 2 {
			t.Errorf("broker %d reconnected %d times, want 2", i, got)
		}
	}
}
