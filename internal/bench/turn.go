package bench

// Turn is what a Peer may do in one call: say what came, and have frames sent. It is valid only in that call.
type Turn struct {
	load *load
	conn *conn
	at   int64 // ns since the load's base; the same for all that was read at once
}

// Ready says that the connection is in its room: what is published from now on reaches it. Once is enough.
func (t *Turn) Ready() { t.load.setReady(t.conn) }

// ReadyAfterPong sends a ping (RFC 6455 §5.5.2), and calls Ready when it is answered.
func (t *Turn) ReadyAfterPong() {
	t.conn.awaitsPong = true
	t.conn.out = appendFrame(t.conn.out, opPing, nil, t.load.mask())
	t.load.touch(t.conn)
}

// Message says that a message came, body: as it was given to Publish by whoever published it.
func (t *Turn) Message(body []byte) { t.load.message(t.conn, body, t.at) }

// Ack says that the server acknowledged the message of this connection whose body began with key, or was key; scope
// says in the server's words how far it came.
func (t *Turn) Ack(key, scope []byte) { t.load.acked(t.conn, key, scope, t.at) }

// Refused says that the server did not take a message of this connection, and in its words why. key is as in Ack, or
// empty where the server does not say which message it was.
func (t *Turn) Refused(key, why []byte) { t.load.refused(t.conn, key, why) }

// Gap says that the server told of n messages that it dropped for this connection.
func (t *Turn) Gap(n int) { t.load.counts.told += uint64(max(n, 0)) }

// Reset says that the server told of messages that are missing in a log, and not how many.
func (t *Turn) Reset() { t.load.counts.resets++ }

// Send sends a WebSocket message.
func (t *Turn) Send(op Opcode, payload []byte) {
	t.conn.out = appendFrame(t.conn.out, op, payload, t.load.mask())
	t.load.touch(t.conn)
}

// Begin begins a WebSocket message that is made piece by piece with Write and WriteString, and sent by End. It saves
// the payload's own buffer.
func (t *Turn) Begin(op Opcode) { t.conn.out, t.load.begun = beginFrame(t.conn.out, op) }

// Write appends to the message that was begun.
func (t *Turn) Write(b []byte) { t.conn.out = append(t.conn.out, b...) }

// WriteString appends to the message that was begun.
func (t *Turn) WriteString(s string) { t.conn.out = append(t.conn.out, s...) }

// End sends the message that was begun.
func (t *Turn) End() {
	t.conn.out = endFrame(t.conn.out, t.load.begun, t.load.mask())
	t.load.touch(t.conn)
}

// KeySize is how many bytes at the beginning of a body tell it from all others, for servers that want a key. They are
// letters, digits, - and _.
const KeySize = stampSize
