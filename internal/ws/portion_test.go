package ws_test

import (
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestPortionFits has a client miss messages that grow to six times their size in JSON, in portions each as
// large as it may: it still fits into the queue of who comes back, who would otherwise be closed at each attempt.
func TestPortionFits(t *testing.T) {
	h := startHub(t, newLogs(), "hub1", ws.Options{SendQueue: 1 << 20})
	first := dialV1(t, h, "first")
	begin := first.enter(protocol.Frame{Room: "r"})
	_ = first.nc.CloseNow()
	for _, size := range []int{65_150, 65_150, 64 << 10} {
		data := []byte(strings.Repeat("\x01", size))
		if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, data); err != nil {
			t.Fatal(err)
		}
	}
	for try := range 3 {
		c := dialV1(t, h, "comes back")
		c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: "r", Position: begin.Position})
		c.want(protocol.TypeThere)
		if _, _, err := c.read(); err != nil {
			t.Errorf("try %d: who reads as fast as it can got nothing but %v", try, websocket.CloseStatus(err))
		}
		_ = c.nc.CloseNow()
	}
}
