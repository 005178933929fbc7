package memory

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	brokertest.Run(t, func(_ *testing.T, n, queueBytes int) brokertest.Cluster {
		bus := NewBus(Options{QueueBytes: queueBytes})
		var c brokertest.Cluster
		for range n {
			c.Brokers = append(c.Brokers, bus.Broker())
		}
		return c
	})
}

// TestHeldUpReceiver looks at what is special to a bus: nothing stands between Publish and the receiver's queue, so it
// can be said exactly what is dropped.
func TestHeldUpReceiver(t *testing.T) {
	first := brokertest.NewPublication("origin", "sender", "lobby", 0)
	bus := NewBus(Options{QueueBytes: 3 * first.Size()})
	from, to := bus.Broker(), bus.Broker()
	r := brokertest.NewReceiver(t)
	if err := from.Start(t.Context(), brokertest.NewReceiver(t)); err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if err := to.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	brokertest.Want(t, to, "lobby")

	from.Publish(first)
	r.AwaitID(first.ID)
	r.Stop()
	defer r.Go()
	// Until the first is in the receiver's hands, there is room for one more.
	published := 1
	for to.Stats().Dropped[hub.DropBrokerQueue] == 0 {
		from.Publish(brokertest.NewPublication("origin", "sender", "lobby", published))
		published++
	}
	if got := from.Stats().Dropped; len(got) != 0 {
		t.Errorf("the publisher's broker dropped %v", got)
	}
	r.Go()
	r.Await("the rest", func() bool { return len(r.Got()) == published-1 })
	brokertest.CheckSequence(t, r.Got(), "sender", 0, published-2)
}
