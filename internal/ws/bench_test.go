package ws_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// BenchmarkFanOut publishes messages of 64 bytes to 500 plain sessions over loopback, with up to 32 messages in flight.
// One operation is one message to all of them. Server and readers share the cores, so this compares one version of the
// server with another, and is no measure of what it can do.
func BenchmarkFanOut(b *testing.B) {
	const sessions, window = 500, 32
	h := startHub(b, newBus(), "hub1", ws.Options{SendQueue: 64 << 20})
	ended := make(chan struct{}, sessions) // sent once by each reader
	for range sessions {
		nc := dialRaw(b, h, "")
		go func() { // ends when the hub closes the connection, after which the benchmark ends
			_, _ = io.Copy(io.Discard, nc)
			ended <- struct{}{}
		}()
	}
	data := []byte(strings.Repeat("x", 64))
	published := 0
	for b.Loop() {
		if _, err := h.PublishHTTP(b.Context(), hub.Identity{}, "lobby", "k", protocol.Text, data); err != nil {
			b.Fatal(err)
		}
		published++
		for published-int(h.ws.Stats().Deliveries/sessions) > window {
			runtime.Gosched()
		}
	}
	eventually(b, "all is delivered", func() bool { return h.ws.Stats().Deliveries == uint64(published*sessions) })
	b.ReportMetric(float64(published*sessions)/b.Elapsed().Seconds(), "deliveries/s")
	h.stop(b)
	for range sessions {
		<-ended
	}
}
