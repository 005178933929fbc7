package ws

import (
	"bufio"
	"bytes"
	"context"
	be "encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// oracleLimit is the most bytes of a message here: little, so that a random stream comes to it.
const oracleLimit = 300

// heard is what a reader makes of a stream.
type heard struct {
	events []string
	end    int  // the code with which the connection is to be closed; 0: none
	silent bool // it is ended without a close frame all the same
}

func (h heard) String() string { return fmt.Sprintf("%q, then %d", h.events, h.end) }

// ours is what the decoder makes of stream.
func ours(stream []byte, pieces ...int) (h heard) {
	err := decode(oracleLimit, bytes.Clone(stream), pieces, func(e event) {
		h.events = append(h.events, eventString(byte(e.opcode), e.payload))
	})
	if err != nil {
		h.end = -1
	}
	if ce, ok := errors.AsType[*hub.CloseError](err); ok {
		h.end = int(ce.Code)
	}
	return h
}

func eventString(opcode byte, payload []byte) string { return fmt.Sprintf("%x:%s", opcode, payload) }

// theirs is what coder/websocket makes of stream: another reader, which shares no code with ours.
func theirs(t *testing.T, stream []byte) (h heard) {
	conn := &memoryConn{in: bytes.NewReader(stream)}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	c, err := websocket.Accept(&hijacked{httptest.NewRecorder(), conn}, r, &websocket.AcceptOptions{
		OnPingReceived: func(_ context.Context, payload []byte) bool {
			h.events = append(h.events, eventString(byte(ws.OpPing), payload))
			return false
		},
		OnPongReceived: func(_ context.Context, payload []byte) {
			h.events = append(h.events, eventString(byte(ws.OpPong), payload))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(oracleLimit)
	for {
		kind, message, err := c.Read(context.Background())
		if err == nil {
			h.events = append(h.events, eventString(byte(kind), message))
			continue
		}
		code, wrote := conn.closeSent(t)
		switch ce, closed := errors.AsType[websocket.CloseError](err); {
		case closed && ce.Code == websocket.StatusNoStatusRcvd:
			h.events = append(h.events, eventString(byte(ws.OpClose), nil))
		case closed:
			payload := be.BigEndian.AppendUint16(nil, uint16(ce.Code))
			h.events = append(h.events, eventString(byte(ws.OpClose), append(payload, ce.Reason...)))
		case wrote:
			h.end = code
		default:
			h.silent = !errors.Is(err, errEnd)
		}
		return h
	}
}

// memoryConn is a connection on which all that the peer sends is there at the start.
type memoryConn struct {
	in  *bytes.Reader
	out bytes.Buffer
}

// errEnd ends what the peer sent. It is not io.EOF, which the other library takes for the end of a message where it comes
// between two fragments.
var errEnd = errors.New("the peer sent nothing more")

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if errors.Is(err, io.EOF) {
		err = errEnd
	}
	return n, err
}

func (c *memoryConn) Write(p []byte) (int, error)      { return c.out.Write(p) }
func (c *memoryConn) Close() error                     { return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return nil }
func (c *memoryConn) RemoteAddr() net.Addr             { return nil }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// closeSent returns the code of the close frame that was written, which is all that is.
func (c *memoryConn) closeSent(t *testing.T) (code int, ok bool) {
	b := c.out.Bytes()
	if len(b) == 0 {
		return 0, false
	}
	if b[0] != fin|byte(ws.OpClose) {
		t.Fatalf("the other library wrote %q", b)
	}
	if len(b) < 4 {
		return 0, true
	}
	return int(be.BigEndian.Uint16(b[2:])), true
}

// hijacked gives memoryConn to the other library.
type hijacked struct {
	http.ResponseWriter
	conn *memoryConn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// differ says how what the two make of stream differs, or "". They may differ in the following, and in nothing else.
func differ(stream []byte, ours, theirs heard) string {
	same := slices.Equal(ours.events, theirs.events)
	more := len(theirs.events) >= len(ours.events) && slices.Equal(ours.events, theirs.events[:len(ours.events)])
	next := "" // what they take for an event where we end the connection
	if more && !same {
		next = theirs.events[len(ours.events)]
	}
	switch {
	case same && ours.end == theirs.end && !theirs.silent:
		return ""
	case same && ours.end == 1002 && theirs.silent:
		return "" // they end the connection without a close frame: not masked, a length with the top bit
	case more && ours.end == 1002 && longForm(stream):
		return "" // they take lengths that are not in the shortest form, which RFC 6455 §5.2 forbids
	case ours.end == 1007 && (isBad(next, '1', 2) || isBad(next, '8', 4)):
		return "" // they leave it to the program to look whether text is UTF-8, and do not look at a reason
	case same && ours.end == 1009 && theirs.end == 0 && !theirs.silent:
		return "" // we refuse what is too long by its header, they when the bytes are there
	}
	return fmt.Sprintf("ours %s\ntheirs %s, silent %v", ours, theirs, theirs.silent)
}

// isBad reports whether an event of an opcode is not UTF-8 from byte skip on.
func isBad(event string, opcode byte, skip int) bool {
	return len(event) >= skip && event[0] == opcode && !utf8.ValidString(event[skip:])
}

// longForm reports whether stream has a length that is not in the shortest form.
func longForm(stream []byte) bool {
	for len(stream) >= 2 {
		header, length := 2, uint64(stream[1]&0x7f)
		switch {
		case length == 126 && len(stream) >= 4:
			header, length = 4, uint64(be.BigEndian.Uint16(stream[2:]))
			if length < 126 {
				return true
			}
		case length == 127 && len(stream) >= 10:
			header, length = 10, be.BigEndian.Uint64(stream[2:])
			if length < 1<<16 {
				return true
			}
		case length >= 126:
			return false
		}
		if stream[1]&0x80 != 0 {
			header += 4
		}
		if uint64(len(stream)) < uint64(header)+length || length > 1<<40 {
			return false
		}
		stream = stream[header+int(length):]
	}
	return false
}

// checkOracle compares the two readers, and ours with itself where the stream comes in pieces.
func checkOracle(t *testing.T, stream, cuts []byte) {
	t.Helper()
	whole := ours(stream, max(len(stream), 1))
	if d := differ(stream, whole, theirs(t, bytes.Clone(stream))); d != "" {
		t.Errorf("%q:\n%s", stream, d)
	}
	cut := ours(stream, lengths(cuts)...)
	if !slices.Equal(whole.events, cut.events) || whole.end != cut.end {
		t.Errorf("%q in one piece: %s\nin pieces of %d: %s", stream, whole, lengths(cuts), cut)
	}
}

// FuzzOracle gives the same bytes to the decoder and to another library's reader.
func FuzzOracle(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		f.Add(randomStream(r), []byte{1, 2, 3, 5, 8})
	}
	f.Fuzz(checkOracle)
}

// TestOracle does the same with streams that are made at random of frames that are mostly right.
func TestOracle(t *testing.T) {
	ends := map[int]int{}
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		stream, cuts := randomStream(r), make([]byte, r.IntN(20))
		for i := range cuts {
			cuts[i] = byte(r.IntN(40))
		}
		checkOracle(t, stream, cuts)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		ends[ours(stream, max(len(stream), 1)).end]++
	}
	for _, code := range []int{0, 1002, 1007, 1009} {
		if ends[code] < 100 {
			t.Errorf("only %d streams ended with %d", ends[code], code)
		}
	}
}

// randomStream returns some frames, mostly a session that is right, some with one fault, some cut off.
func randomStream(r *rand.Rand) []byte {
	var stream []byte
	fragmented := false
	for range 1 + r.IntN(12) {
		first := [...]byte{text, binary, ping, pong}[r.IntN(4)]
		if data := first < 8; data {
			if fragmented {
				first = cont
			}
			fragmented = r.IntN(3) == 0
		}
		if first >= 8 || !fragmented {
			first |= fin
		}
		if r.IntN(40) == 0 {
			first = byte(r.Uint32()) // any bits and opcode
		}
		payload := randomPayload(r, first&15)
		h := ws.Header{Fin: first&fin != 0, Rsv: first >> 4 & 7, OpCode: ws.OpCode(first & 15), Masked: r.IntN(60) != 0, Length: int64(len(payload))}
		be.BigEndian.PutUint32(h.Mask[:], r.Uint32())
		stream = append(stream, randomHeader(r, h)...)
		if h.Masked {
			ws.Cipher(payload, h.Mask, 0)
		}
		stream = append(stream, payload...)
	}
	if r.IntN(2) == 0 {
		stream = append(stream, masked(fin|byte(ws.OpClose), string(randomPayload(r, byte(ws.OpClose))))...)
	}
	if r.IntN(5) == 0 {
		stream = stream[:r.IntN(len(stream)+1)]
	}
	return stream
}

// randomHeader writes a header, sometimes with a length that is wrong or in another form.
func randomHeader(r *rand.Rand, h ws.Header) []byte {
	if r.IntN(60) == 0 {
		h.Length = r.Int64() >> r.IntN(63)
	}
	var b bytes.Buffer
	if err := ws.WriteHeader(&b, h); err != nil {
		panic(err)
	}
	header := b.Bytes()
	if r.IntN(60) > 0 || header[1]&0x7f >= 126 {
		return header
	}
	longer := append([]byte{header[0], header[1] | 127}, make([]byte, 8)...)
	longer[9] = header[1] & 0x7f
	if r.IntN(4) == 0 {
		longer[2] = 0x80
	}
	return append(longer, header[2:]...)
}

// randomPayload returns what a frame of opcode may have, mostly.
func randomPayload(r *rand.Rand, opcode byte) []byte {
	n := [...]int{0, 1, 5, 20, 125, 126, 200, oracleLimit, oracleLimit + 1}[r.IntN(9)]
	if opcode >= 8 && r.IntN(30) != 0 {
		n = min(n, 125)
	}
	if opcode == byte(ws.OpClose) {
		code := [...]int{1000, 1001, 1004, 1005, 1011, 1014, 1016, 2999, 3000, 4999, 5000}[r.IntN(11)]
		if r.IntN(4) == 0 {
			return make([]byte, n)
		}
		return append(be.BigEndian.AppendUint16(nil, uint16(code)), randomText(r, min(n, 123))...)
	}
	return randomText(r, n)
}

// randomText returns n bytes, mostly of UTF-8.
func randomText(r *rand.Rand, n int) []byte {
	var b []byte
	for len(b) < n {
		b = utf8.AppendRune(b, [...]rune{'a', 'é', '€', '😀'}[r.IntN(4)])
	}
	for len(b) > n && len(b) > 0 {
		_, size := utf8.DecodeLastRune(b)
		b = b[:len(b)-size]
	}
	for len(b) < n {
		b = append(b, 'x')
	}
	if n > 0 && r.IntN(12) == 0 {
		b[r.IntN(n)] = byte(r.Uint32())
	}
	return b
}
