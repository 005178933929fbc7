package bench

// Dialect is what the connections of a load test speak. Its methods may be called by several goroutines at once.
type Dialect interface {
	// Request says how the handshake of a connection to room looks.
	Request(room string) Request
	// Peer returns what speaks on a new connection to room.
	Peer(room string) Peer
	// Acks reports whether the server acknowledges each publication, so that Turn.Ack or Turn.Refused is called for it.
	Acks() bool
}

// Request is the part of a WebSocket handshake (RFC 6455 §4.1) that differs between dialects.
type Request struct {
	Path        string // with a slash at its beginning, and with the query; it is put behind the path of the hub's URL
	Subprotocol string // offered, and to be chosen by the server; empty: none
	Header      string // further lines of the header, each with CR LF at its end; empty: none
}

// Peer speaks on one connection. It is called by one goroutine at a time. It must neither block nor keep the Turn, nor
// the bytes that it is given.
type Peer interface {
	// Start is called once, after the handshake. It may have frames sent, and may call Ready.
	Start(t *Turn)
	// Receive takes the payload of one WebSocket message, put together where it came in fragments. It says by t what is
	// in it. What is only a part of something, it keeps. An error ends the connection, and the test says why.
	Receive(t *Turn, op Opcode, payload []byte) error
	// Publish has body sent as one publication in the connection's room. body is 7-bit text without quotes, backslashes
	// and control characters, of the size that Options say. It is called only after Ready.
	Publish(t *Turn, body []byte)
}

// Opcode is the kind of a WebSocket message (RFC 6455 §5.2).
type Opcode byte

// The kinds of WebSocket messages.
const (
	Text   Opcode = 1
	Binary Opcode = 2
)

// Opcodes that a Peer has nothing to do with.
const (
	opContinuation Opcode = 0
	opClose        Opcode = 8
	opPing         Opcode = 9
	opPong         Opcode = 10
)
