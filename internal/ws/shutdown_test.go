package ws_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestPublishAfterShutdown publishes over HTTP while the hub stops, when the sessions are gone and requests are still
// answered: a request whose context ends does not wait for ever for a shard that works no more.
func TestPublishAfterShutdown(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{})
	h.stop(t)
	data := []byte(strings.Repeat("x", 64<<10))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	done := make(chan struct{}) // closed by the goroutine that publishes
	go func() {
		defer close(done)
		for range 200 {
			if _, err := h.PublishHTTP(ctx, hub.Identity{}, "live.r", "", protocol.Text, data); err != nil {
				return
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("a request waits for ever")
	}
}
