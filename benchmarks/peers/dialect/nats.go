// Package dialect has what other servers speak over WebSocket, for the load generator of package bench: [NATS] and
// [SocketIO]. Both do what their own client libraries do with messages, and nothing else.
package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/soumya-codes/realtime-hub/internal/bench"
)

// NATS is the client protocol of NATS over WebSocket: a room is a subject. Connections ask not to get back what they
// publish.
type NATS struct{}

// Request implements bench.Dialect.
func (NATS) Request(string) bench.Request { return bench.Request{Path: "/"} }

// Acks implements bench.Dialect: there are none.
func (NATS) Acks() bool { return false }

// Peer implements bench.Dialect.
func (NATS) Peer(room string) bench.Peer { return &natsPeer{room: room} }

// natsPeer is one connection. WebSocket messages carry a stream of bytes: what one of them ends with may go on in the
// next.
type natsPeer struct {
	room string
	rest []byte // the beginning of an operation
}

// Start implements bench.Peer. The answer to the PING says that the server has seen the subscription.
func (p *natsPeer) Start(t *bench.Turn) {
	t.Send(bench.Binary, []byte(`CONNECT {"verbose":false,"pedantic":false,"echo":false,"lang":"bench","version":"1"}`+
		"\r\nSUB "+p.room+" 1\r\nPING\r\n"))
}

// Receive implements bench.Peer.
func (p *natsPeer) Receive(t *bench.Turn, _ bench.Opcode, payload []byte) error {
	b := payload
	if len(p.rest) > 0 {
		p.rest = append(p.rest, payload...)
		b = p.rest
	}
	for {
		o, n, err := readOperation(b)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		b = b[n:]
		switch o.kind {
		case "MSG":
			t.Message(o.body)
		case "PING":
			t.Send(bench.Binary, []byte("PONG\r\n"))
		case "PONG":
			t.Ready()
		}
	}
	if len(b) == 0 {
		p.rest = nil
		return nil
	}
	p.rest = append(p.rest[:0], b...)
	return nil
}

// operation is what a server says at once.
type operation struct {
	kind string // MSG, PING or PONG; "" for what does not matter
	body []byte // of MSG
}

// readOperation returns the first operation of b and its length, 0 where it is not all there.
func readOperation(b []byte) (o operation, n int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return o, 0, nil
	}
	line := bytes.TrimSuffix(b[:end], []byte("\r"))
	n = end + 1
	switch {
	case bytes.HasPrefix(line, []byte("MSG ")):
		size, ok := number(line[bytes.LastIndexByte(line, ' ')+1:])
		if !ok {
			return o, 0, fmt.Errorf("a message of no size: %.100q", line)
		}
		if len(b) < n+size+2 {
			return o, 0, nil
		}
		return operation{"MSG", b[n : n+size]}, n + size + 2, nil
	case bytes.Equal(line, []byte("PING")):
		o.kind = "PING"
	case bytes.Equal(line, []byte("PONG")):
		o.kind = "PONG"
	case bytes.HasPrefix(line, []byte("INFO ")), bytes.Equal(line, []byte("+OK")):
	case bytes.HasPrefix(line, []byte("-ERR")):
		return o, 0, errors.New(string(line))
	default:
		return o, 0, fmt.Errorf("an operation that NATS does not have: %.100q", line)
	}
	return o, n, nil
}

// number reads a decimal number.
func number(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<30 {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, len(b) > 0
}

// Publish implements bench.Peer.
func (p *natsPeer) Publish(t *bench.Turn, body []byte) {
	t.Begin(bench.Binary)
	t.WriteString("PUB ")
	t.WriteString(p.room)
	t.WriteString(" ")
	t.WriteString(strconv.Itoa(len(body)))
	t.WriteString("\r\n")
	t.Write(body)
	t.WriteString("\r\n")
	t.End()
}
