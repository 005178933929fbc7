package memory

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

func TestPresenceContract(t *testing.T) {
	brokertest.RunPresence(t, func(_ *testing.T, n int) []hub.Presence {
		everybody := NewEverybody()
		var all []hub.Presence
		for range n {
			all = append(all, everybody.Presence())
		}
		return all
	})
}
