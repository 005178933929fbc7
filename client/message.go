package client

import "github.com/soumya-codes/realtime-hub/protocol"

// Message is a message of a room, with what the hub said of it.
type Message struct {
	protocol.Message

	// Position is where the message stands in the room's log; zero in a live room, and where Provisional is true.
	Position protocol.Position

	// Past says that the message was published before the client joined: see [WithHistory].
	Past bool

	// Provisional says that the hub cannot reach the room's log: it shows the message already, and stores it later.
	// The message is not given again when it has a position.
	Provisional bool
}
