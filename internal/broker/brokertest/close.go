package brokertest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// testCloseSends closes a broker right after it took some publications: they arrive.
func testCloseSends(t *testing.T, f Factory) {
	const n = 1000
	c, receivers := start(t, f, 2, 0)
	for i := range n {
		c.Brokers[0].Publish(NewPublication("origin0", "sender", fmt.Sprintf("room%d", i%5), i))
	}
	if err := c.Brokers[0].Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	receivers[0].End()
	receivers[1].Await("what was published before the close", func() bool { return len(receivers[1].Got()) >= n })
	CheckSequence(t, receivers[1].Got(), "sender", 0, n-1)
}

// testNothingAfterClose closes a broker while others publish and it publishes itself, from several goroutines.
func testNothingAfterClose(t *testing.T, f Factory) {
	c, receivers := start(t, f, 2, 0)
	stop := make(chan struct{}) // closed by the test; received by the publishers
	var wg sync.WaitGroup
	for i, b := range c.Brokers {
		for j := range 2 {
			// Ends at stop; the test waits for it.
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
						b.Publish(NewPublication(fmt.Sprintf("origin%d", i), fmt.Sprintf("sender%d-%d", i, j), "lobby", n))
					}
				}
			})
		}
	}
	receivers[0].Await("some traffic of the broker that is to be closed", func() bool { return len(receivers[0].Got()) > 0 })
	receivers[1].Await("some traffic", func() bool { return len(receivers[1].Got()) > 100 })

	var closers sync.WaitGroup
	for range 3 {
		// Ends when Close returns; the test waits for it.
		closers.Go(func() {
			if err := c.Brokers[1].Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			receivers[1].End()
		})
	}
	closers.Wait()
	before := len(receivers[1].Got())
	close(stop)
	wg.Wait()
	if after := len(receivers[1].Got()); after != before {
		t.Errorf("%d publications came after Close returned", after-before)
	}
	for j := range 2 {
		checkIncreasing(t, receivers[1].Got(), fmt.Sprintf("sender0-%d", j))
	}
}

// testCloseAnyState closes brokers that were never started, twice, and uses closed ones.
func testCloseAnyState(t *testing.T, f Factory) {
	c := f(t, 2, 0)
	r := NewReceiver(t)
	if err := c.Brokers[0].Start(t.Context(), r); err != nil {
		t.Fatalf("start: %v", err)
	}
	for range 2 {
		for i, b := range c.Brokers {
			if err := b.Close(); err != nil {
				t.Errorf("close broker %d: %v", i, err)
			}
		}
		r.End()
	}
	before := c.Brokers[0].Stats().Dropped[hub.DropIsolated]
	c.Brokers[0].Publish(NewPublication("origin0", "sender", "lobby", 0))
	if got := c.Brokers[0].Stats().Dropped[hub.DropIsolated] - before; got != 1 {
		t.Errorf("a publication after Close was counted as dropped %d times", got)
	}
	if err := c.Brokers[1].Start(t.Context(), NewReceiver(t)); err == nil {
		t.Error("a closed broker starts")
	}
}

// testOthersGoOn closes one of three brokers: the other two do not notice.
func testOthersGoOn(t *testing.T, f Factory) {
	c, receivers := start(t, f, 3, 0)
	c.Brokers[0].Publish(NewPublication("origin0", "sender", "lobby", 0))
	receivers[2].AwaitID("sender/0")
	if err := c.Brokers[1].Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	receivers[1].End()
	c.Brokers[0].Publish(NewPublication("origin0", "sender", "lobby", 1))
	receivers[2].AwaitID("sender/1")
	CheckSequence(t, receivers[2].Got(), "sender", 0, 1)
	if isolated, changes, why := receivers[2].Isolated(); isolated || changes != 1 {
		t.Errorf("isolated: %v (%v), told %d times", isolated, why, changes)
	}
}
