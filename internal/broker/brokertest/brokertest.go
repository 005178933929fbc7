// Package brokertest is the contracts of hub.Broker and hub.Log as suites of tests, which every implementation runs.
//
// [Run] is the suite of brokers and [RunLog] that of logs; a [Factory] or [LogFactory] makes what it tests. A suite waits
// for events, never for a time to pass, and fails where one does not come within a minute. Its goroutines end with the
// test that started them. It does not look at how an implementation works: what is special to one is tested beside it.
package brokertest

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// Cluster is some brokers that are joined with each other, none of them started.
type Cluster struct {
	Brokers []hub.Broker

	// Cut keeps all brokers from reaching each other, and Heal undoes that. Both are nil where nothing can come between
	// them; what concerns isolation is then left out.
	Cut, Heal func()
}

// Factory makes a cluster of n brokers for one test, and has the test's end undo what it did. The suite closes the
// brokers. queueBytes bounds each broker's queues; 0 means what is usual.
type Factory func(t *testing.T, n, queueBytes int) Cluster

// Run tests the contract.
func Run(t *testing.T, f Factory) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Factory)
	}{
		{name: "every kind arrives as it was", run: testKinds},
		{name: "order and once", run: testOrder},
		{name: "one name, two hubs", run: testSameName},
		{name: "a slow receiver holds up nobody", run: testSlowReceiver},
		{name: "close sends what was taken", run: testCloseSends},
		{name: "nothing after close", run: testNothingAfterClose},
		{name: "close in any state", run: testCloseAnyState},
		{name: "a closed broker and the others", run: testOthersGoOn},
		{name: "isolation", run: testIsolation},
		{name: "who wants nothing gets nothing", run: testWantNothing},
		{name: "wanted while others publish", run: testWantRaces},
		{name: "wanted in isolation", run: testWantIsolated},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, f)
		})
	}
}

// start makes a cluster and starts its brokers, which want all rooms that the tests publish in; the receivers stand in
// the order of the brokers.
func start(t *testing.T, f Factory, n, queueBytes int) (Cluster, []*Receiver) {
	t.Helper()
	c, receivers := startWanting(t, f, n, queueBytes)
	for _, b := range c.Brokers {
		Want(t, b, Rooms()...)
	}
	return c, receivers
}

// startWanting is start with brokers that want nothing yet.
func startWanting(t *testing.T, f Factory, n, queueBytes int) (Cluster, []*Receiver) {
	t.Helper()
	c := f(t, n, queueBytes)
	receivers := make([]*Receiver, n)
	for i, b := range c.Brokers {
		r := NewReceiver(t)
		receivers[i] = r
		t.Cleanup(func() {
			r.Go()
			if err := b.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
		if err := b.Start(t.Context(), r); err != nil {
			t.Fatalf("start: %v", err)
		}
		r.AwaitIsolated(false)
	}
	return c, receivers
}
