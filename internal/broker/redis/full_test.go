//go:build !short

package redis

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestMemoryFull connects to a Redis whose memory is full: live rooms need none.
func TestMemoryFull(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	server.Do("CONFIG", "SET", "maxmemory", "1")
	a, b := startTwo(t, server, 0)
	publish(a, "sender", 0, 9)
	b.AwaitID("sender/9")
	brokertest.CheckSequence(t, b.Got(), "sender", 0, 9)
}
