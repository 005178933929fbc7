package dialect

import (
	"bytes"
	"fmt"

	"github.com/soumya-codes/realtime-hub/internal/bench"
)

// SocketIO is the protocol of Socket.IO 4 over WebSocket alone, without the change from HTTP polling that its clients
// make: Engine.IO 4 and Socket.IO 5. There is one room, the default namespace; a message is an event "message" with one
// text.
type SocketIO struct{}

// Request implements bench.Dialect.
func (SocketIO) Request(string) bench.Request {
	return bench.Request{Path: "/socket.io/?EIO=4&transport=websocket"}
}

// Acks implements bench.Dialect: there are none.
func (SocketIO) Acks() bool { return false }

// Peer implements bench.Dialect.
func (SocketIO) Peer(string) bench.Peer { return socketIOPeer{} }

type socketIOPeer struct{}

// Packets: the first digit is Engine.IO's type, where that is 4 (message) the second is Socket.IO's.
const (
	engineOpen    = '0'
	enginePing    = '2'
	engineNothing = '6'

	connect  = "40"
	event    = `42["message","`
	eventEnd = `"]`
)

// Start implements bench.Peer: the server speaks first.
func (socketIOPeer) Start(*bench.Turn) {}

// Receive implements bench.Peer.
func (socketIOPeer) Receive(t *bench.Turn, _ bench.Opcode, payload []byte) error {
	switch {
	case bytes.HasPrefix(payload, []byte(event)) && bytes.HasSuffix(payload, []byte(eventEnd)):
		t.Message(payload[len(event) : len(payload)-len(eventEnd)])
	case bytes.HasPrefix(payload, []byte(connect)):
		t.Ready()
	case len(payload) > 0 && payload[0] == engineOpen:
		t.Send(bench.Text, []byte(connect))
	case len(payload) > 0 && payload[0] == enginePing:
		t.Send(bench.Text, []byte("3"))
	case len(payload) > 0 && payload[0] == engineNothing:
	default:
		return fmt.Errorf("a packet that this dialect does not know: %.100q", payload)
	}
	return nil
}

// Publish implements bench.Peer.
func (socketIOPeer) Publish(t *bench.Turn, body []byte) {
	t.Begin(bench.Text)
	t.WriteString(event)
	t.Write(body)
	t.WriteString(eventEnd)
	t.End()
}
