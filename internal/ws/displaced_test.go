package ws_test

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestDisplacedIsThere has a client open another session, and the first be gone before the second is in its room: the
// client was there all the time.
func TestDisplacedIsThere(t *testing.T) {
	j := newBus()
	j.linger = patience
	h := startHub(t, j, "hub1", ws.Options{})
	ada := dialV1(t, h, "Ada")
	ada.join("r")
	first := dial(t, h, "", []string{protocol.SubprotocolV1})
	first.send(&protocol.Frame{Type: protocol.TypeHello, Name: "Bob"})
	bob := first.want(protocol.TypeWelcome).Client
	first.want(protocol.TypeStatus)
	first.join("r")
	ada.want(protocol.TypeJoined)

	second := dial(t, h, "", []string{protocol.SubprotocolV1})
	second.send(&protocol.Frame{Type: protocol.TypeHello, Name: "Bob", Client: bob})
	second.want(protocol.TypeWelcome)
	second.want(protocol.TypeStatus)
	first.wantClose(protocol.CodeDisplaced)
	eventually(t, "two sessions are left", func() bool { return h.ws.Stats().Connections.All() == 2 })
	if there := second.join("r"); *there.Count != 2 {
		t.Errorf("there %s", there.Encode())
	}
	ada.send(&protocol.Frame{Type: protocol.TypePing})
	ada.want(protocol.TypePong) // and nothing before
}
