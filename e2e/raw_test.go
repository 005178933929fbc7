package e2e

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// raw is a connection whose bytes are the test's own, for what no WebSocket library would send.
type raw struct {
	net.Conn
	tb testing.TB
	r  *bufio.Reader
}

// dialRaw opens a TCP connection to h.
func dialRaw(tb testing.TB, h *hub) *raw {
	tb.Helper()
	c, err := net.DialTimeout("tcp", h.Addr(), patience)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	return &raw{Conn: c, tb: tb, r: bufio.NewReader(c)}
}

// dialRawWS opens a WebSocket in room, with a subprotocol or "".
func dialRawWS(tb testing.TB, h *hub, room, subprotocol string) *raw {
	tb.Helper()
	c := dialRaw(tb, h)
	request := "GET /ws?room=" + room + " HTTP/1.1\r\nHost: " + h.Addr() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if subprotocol != "" {
		request += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	c.write([]byte(request + "\r\n"))
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatalf("handshake: %+v, %v", answer, err)
	}
	return c
}

func (c *raw) write(b []byte) {
	c.tb.Helper()
	if _, err := c.Write(b); err != nil {
		c.tb.Fatal(err)
	}
}

// The opcodes of RFC 6455 §5.2.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
	final   = 0x80 // the bit that ends a message
	masked  = 0x80 // the bit of the length that says that a mask follows
)

// writeFrame writes a frame with a mask of zeros.
func (c *raw) writeFrame(first byte, payload []byte) {
	c.tb.Helper()
	head := []byte{first}
	switch n := len(payload); {
	case n < 126:
		head = append(head, masked|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, masked|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, masked|127), uint64(n))
	}
	c.write(append(append(head, 0, 0, 0, 0), payload...))
}

// readFrame reads one frame of the hub's.
func (c *raw) readFrame() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	extra := map[uint64]int{126: 2, 127: 8}[n]
	if extra > 0 {
		var length [8]byte
		if _, err := io.ReadFull(c.r, length[8-extra:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(length[:])
	}
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.r, payload)
	return head[0] & 0xf, payload, err
}

// expectClosed reads up to the close frame and fails the test where that has another code. Then it ends its side of the
// connection, and nothing more may come.
func (c *raw) expectClosed(code int) {
	c.tb.Helper()
	for {
		opcode, payload, err := c.readFrame()
		if err != nil {
			c.tb.Errorf("no close frame: %v", err)
			return
		}
		if opcode != opClose {
			continue
		}
		if len(payload) < 2 || int(binary.BigEndian.Uint16(payload)) != code {
			c.tb.Errorf("close frame %q, want the code %d", payload, code)
		}
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			c.tb.Error(err)
		}
		if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
			c.tb.Errorf("after the close frame came %q, %v", rest, err)
		}
		return
	}
}
