package ws_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file is what the cases of RFC 6455 share, which are in rfc6455_*_test.go: each MUST of the RFC that concerns a
// server is a case with the section in its name. Frames are made and read here byte by byte, with no library.

// The first byte of a frame (RFC 6455 §5.2).
const (
	final = 0x80
	rsv1  = 0x40
	rsv2  = 0x20
	rsv3  = 0x10

	opCont   = 0x0
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xa
)

// opNames has the opcodes that there are.
var opNames = map[byte]string{opCont: "continuation", opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}

// sent returns a frame as a client has to send it: masked, its length in the shortest form.
func sent(first byte, payload string) string {
	return sentAs(first, shortest(len(payload)), "\x37\xfa\x21\x3d", payload)
}

// sentAs returns a frame whose length has 7, 16 or 64 bits. An empty mask is none.
func sentAs(first byte, bits int, mask, payload string) string {
	b := []byte{first}
	masked := byte(0)
	if mask != "" {
		masked = 0x80
	}
	switch bits {
	case 7:
		b = append(b, masked|byte(len(payload)))
	case 16:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(len(payload)))
	case 64:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(len(payload)))
	}
	b = append(b, mask...)
	for i := range len(payload) {
		c := payload[i]
		if mask != "" {
			c ^= mask[i%4]
		}
		b = append(b, c)
	}
	return string(b)
}

// shortest returns in how many bits a length has to be written.
func shortest(n int) int {
	switch {
	case n < 126:
		return 7
	case n < 1<<16:
		return 16
	}
	return 64
}

// sentClose returns a close frame with code and reason.
func sentClose(code int, reason string) string {
	return sent(final|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// exchange is one case: what a client sends to the hub, and what must come of it.
type exchange struct {
	name   string // begins with the section of RFC 6455
	send   string // in one segment, where chop is 0
	chop   int    // in segments of so many bytes
	others string // the messages that the others in the room get
	back   string // what the client gets; without a close frame, the connection has to go on
}

// runExchanges runs cases side by side against one hub, each in a room of its own.
func runExchanges(t *testing.T, h *testHub, open func(testing.TB, *testHub, string) *rawClient, cases []exchange) {
	t.Helper()
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			x.run(t, h, open)
		})
	}
}

// run sends what the client has to send. Where the connection is to go on then, the client closes it. The hub must close
// the connection in any case, the client never does.
func (x exchange) run(t *testing.T, h *testHub, open func(testing.TB, *testHub, string) *rawClient) {
	room := newRoom()
	other, c := openPlain(t, h, room), open(t, h, room)
	back := x.back
	c.write(x.send, x.chop)
	if !strings.Contains(back, "close") {
		c.write(sentClose(1000, "over"), 0)
		back = strings.TrimPrefix(back+" close 1000", " ")
	}
	if got := c.untilEnd(); got != back {
		t.Errorf("the client got  %s\nwant            %s", got, back)
	}
	if got := other.untilTold(h, room); got != x.others {
		t.Errorf("the others got  %s\nwant            %s", got, x.others)
	}
}

var rooms atomic.Uint64 // how many newRoom has named

// newRoom names a room that no other case uses.
func newRoom() string { return fmt.Sprint("live.case-", rooms.Add(1)) }

// rawClient is a client that knows nothing but bytes, and takes nothing from the hub that RFC 6455 does not allow.
type rawClient struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader

	show func(op byte, payload string) string // how what came is written down
}

// openPlain opens a session of hub.plain in room.
func openPlain(t testing.TB, h *testHub, room string) *rawClient {
	return openRaw(t, h, "?room="+room, "")
}

// openRaw makes the handshake, and reads its answer.
func openRaw(t testing.TB, h *testHub, query, header string) *rawClient {
	t.Helper()
	c := dialTCP(t, h)
	c.write(upgradeRequest("GET /ws"+query+" HTTP/1.1", header), 0)
	if status, _ := c.readAnswer(); status != "HTTP/1.1 101 Switching Protocols" {
		t.Fatalf("handshake: %s", status)
	}
	return c
}

// dialTCP connects to the hub, and says nothing.
func dialTCP(t testing.TB, h *testHub) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", h.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &rawClient{t: t, nc: nc, r: bufio.NewReader(nc), show: showPlain}
}

// upgradeRequest returns a handshake with one more header.
func upgradeRequest(line, header string) string {
	return line + "\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + header + "\r\n"
}

// write writes data in segments of chop bytes, or in one.
func (c *rawClient) write(data string, chop int) {
	c.t.Helper()
	if chop == 0 {
		chop = max(len(data), 1)
	}
	for len(data) > 0 {
		n := min(chop, len(data))
		if _, err := io.WriteString(c.nc, data[:n]); err != nil {
			c.t.Fatal(err)
		}
		data = data[n:]
	}
}

// next reads one frame, and fails where the hub does what a server must not. At the end err is io.EOF.
func (c *rawClient) next() (op byte, payload string, err error) {
	c.t.Helper()
	first, err := c.r.ReadByte()
	if err != nil {
		return 0, "", err
	}
	second, err := c.r.ReadByte()
	if err != nil {
		c.t.Fatalf("half a header came: %v", err)
	}
	length, bits := uint64(second&0x7f), 7
	switch length {
	case 126:
		bits, length = 16, uint64(readUint[uint16](c))
	case 127:
		bits, length = 64, readUint[uint64](c)
	}
	op = first & 0xf
	switch {
	case second&0x80 != 0:
		c.t.Fatal("5.1: a server must not mask its frames")
	case first&(rsv1|rsv2|rsv3) != 0:
		c.t.Fatalf("5.2: reserved bits in %#x", first)
	case opNames[op] == "":
		c.t.Fatalf("5.2: opcode %#x", op)
	case op == opCont || first&final == 0:
		c.t.Fatalf("the hub does not fragment, and sent %#x", first)
	case bits != shortest(int(length)):
		c.t.Fatalf("5.2: a length of %d in %d bits", length, bits)
	case op >= opClose && length > 125:
		c.t.Fatalf("5.5: a control frame of %d bytes", length)
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(c.r, data); err != nil {
		c.t.Fatalf("half a frame came: %v", err)
	}
	return op, string(data), nil
}

func readUint[T uint16 | uint64](c *rawClient) (n T) {
	c.t.Helper()
	if err := binary.Read(c.r, binary.BigEndian, &n); err != nil {
		c.t.Fatalf("half a header came: %v", err)
	}
	return n
}

// untilEnd writes down what comes until the hub has closed the connection: in order, with nothing behind a close frame
// (RFC 6455 §5.5.1), and without a reset, which could destroy that frame.
func (c *rawClient) untilEnd() string {
	c.t.Helper()
	var got []string
	for {
		op, payload, err := c.next()
		switch {
		case errors.Is(err, io.EOF):
			return strings.Join(got, " ")
		case errors.Is(err, syscall.ECONNRESET):
			return strings.Join(append(got, "reset"), " ")
		case err != nil:
			c.t.Fatalf("after %s: %v", got, err)
		}
		got = append(got, c.show(op, payload))
	}
}

// untilTold writes down what comes before a message that is published now.
func (c *rawClient) untilTold(h *testHub, room string) string {
	c.t.Helper()
	const end = "all of it"
	if _, err := h.PublishHTTP(c.t.Context(), hub.Identity{}, room, "", protocol.Text, []byte(end)); err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for {
		op, payload, err := c.next()
		if err != nil {
			c.t.Fatalf("after %s: %v", got, err)
		}
		if op == opText && payload == end {
			return strings.Join(got, " ")
		}
		got = append(got, c.show(op, payload))
	}
}

// How the hub closes the connection of a client that broke the rules: with a code, and a reason for people. A client's
// own close frame is answered with its code alone.
const (
	wrong   = "close 1002, explained"
	notUTF8 = "close 1007, explained"
	tooBig  = "close 1009, explained"
)

// showPlain writes a frame as `text "abc"`, and a close frame as `close 1000`.
func showPlain(op byte, payload string) string {
	switch {
	case op != opClose:
		return opNames[op] + " " + short(payload)
	case payload == "":
		return "close"
	case len(payload) == 1:
		return "close with half a code"
	}
	shown := fmt.Sprint("close ", int(payload[0])<<8|int(payload[1]))
	if len(payload) > 2 {
		shown += ", explained"
	}
	return shown
}

// short quotes what is short, and gives the length and the ends of what is long.
func short(s string) string {
	if len(s) > 40 {
		return fmt.Sprintf("%d:%q…%q", len(s), s[:3], s[len(s)-3:])
	}
	return fmt.Sprintf("%q", s)
}
