package ws_test

import (
	"context"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// one that reads too slowly.
func TestBurst(t *testing.T) {
	const publishers, each = 8, 40
	h := startHub(t, newLogs(), "hub1", ws.Options{SendQueue: 1 << 20})
	c := dialV1(t, h, "reads")
	c.enter(protocol.Frame{Room: "r"})
	data := []byte(strings.Repeat("x", 60<<10))
	for range publishers {
		go func() { // ends by itself
			for range each {
				_, _ = h.PublishHTTP(context.WithoutCancel(t.Context()), "r", "", protocol.Text, data)
			}
		}()
	}
	for got := range publishers * each {
		if _, _, err := c.read(); err != nil {
			t.Fatalf("after %d of %d messages: %v", got, publishers*each, websocket.CloseStatus(err))
		}
	}
}
