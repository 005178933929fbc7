package ws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestPortionsOfManyRooms has a client that missed much in a hundred rooms join them all at once,
// and read a moment later: what it missed comes in portions.
func TestPortionsOfManyRooms(t *testing.T) {
	const rooms, size = 100, 60 << 10
	h := startHub(t, newLogs(), "hub1", ws.Options{SendQueue: 1 << 20})
	first := dialV1(t, h, "first")
	begin := make([]string, rooms)
	name := func(i int) string { return fmt.Sprint("r", i) }
	for i := range rooms {
		begin[i] = first.enter(protocol.Frame{Room: name(i)}).Position
	}
	_ = first.nc.CloseNow()
	data := []byte(strings.Repeat("x", size))
	for i := range rooms {
		for range 2 {
			if _, err := h.PublishHTTP(t.Context(), hub.Identity{}, name(i), "", protocol.Text, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	for try := range 3 {
		c := dialV1(t, h, "comes back")
		for i := range rooms {
			c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: name(i), Position: begin[i]})
		}
		for got := 0; got < rooms*2; {
			_, frame, err := c.read()
			if err != nil {
				t.Errorf("try %d: after %d of %d messages: %v", try, got, rooms*2, websocket.CloseStatus(err))
				break
			}
			if strings.HasPrefix(string(frame), `{"type":"message"`) {
				got++
			}
		}
		_ = c.nc.CloseNow()
	}
}
