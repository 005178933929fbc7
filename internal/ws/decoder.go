package ws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// decoder turns the bytes that a client sent into messages and control frames. It works on buffers and knows no socket:
// any split of a stream of bytes gives the same result. It is owned by one goroutine.
type decoder struct {
	limit int // immutable: most bytes of a message

	buf      []byte // buf[start:end] was received and not yet decoded
	start    int
	end      int
	borrowed bool // buf is the caller's, until keep

	message    []byte    // the fragments so far of a fragmented message
	opcode     ws.OpCode // of the message of which fragments were received
	fragmented bool      // between the first fragment and the last (RFC 6455 §5.4)
}

// headers reads the headers of frames. One serves many decoders, one after the other.
type headers struct {
	reader  bytes.Reader // over the bytes where a header is read, kept to save its allocation
	scratch [ws.MaxHeaderSize]byte
}

// event is a message, a control frame, or a fragment of a message of which more is to come. Its payload is valid until the decoder is called again.
type event struct {
	opcode  ws.OpCode // text, binary, close, ping or pong; continuation of a fragment, whose payload the decoder keeps
	payload []byte    // unmasked; of text it is UTF-8
}

// smallBuffer is what a connection holds for reading as long as its messages are small.
const smallBuffer = 2 << 10

// early takes what was received with the handshake.
func (d *decoder) early(received *bufio.Reader) {
	if n := received.Buffered(); n > 0 {
		bytes, _ := received.Peek(n) // they are there
		d.buf = append(d.buf, bytes...)
		d.end = n
	}
}

// space returns where to put the bytes that are received next.
func (d *decoder) space() []byte {
	if d.start == d.end {
		d.start, d.end = 0, 0
		if cap(d.buf) != smallBuffer {
			d.buf = make([]byte, smallBuffer) // give back what a large message needed
		}
	}
	if d.end == len(d.buf) {
		d.grow(d.end - d.start + 1)
	}
	return d.buf[d.end:]
}

// borrow has the decoder work on bytes that are the caller's, which it changes, until keep is called. It must have none
// left of its own.
func (d *decoder) borrow(received []byte) {
	d.buf, d.start, d.end, d.borrowed = received, 0, len(received), true
}

// keep gives back what was borrowed: bytes that are left are copied. It holds no memory where none are.
func (d *decoder) keep() {
	switch {
	case d.start == d.end:
		d.buf, d.start, d.end = nil, 0, 0
	case d.borrowed:
		own := make([]byte, max(smallBuffer, d.end-d.start))
		d.end = copy(own, d.buf[d.start:d.end])
		d.buf, d.start = own, 0
	}
	d.borrowed = false
}

// idle reports whether nothing was received in part.
func (d *decoder) idle() bool { return d.start == d.end && !d.fragmented }

// received says that n bytes were put into what space returned.
func (d *decoder) received(n int) { d.end += n }

// grow makes room for n bytes from start on.
func (d *decoder) grow(n int) {
	if n <= len(d.buf) {
		d.end = copy(d.buf, d.buf[d.start:d.end])
		d.start = 0
		return
	}
	larger := make([]byte, max(n, 2*len(d.buf)))
	d.end = copy(larger, d.buf[d.start:d.end])
	d.start = 0
	d.buf = larger
}

// next returns the event of the next frame of what was received. Where there is none yet, ok is false. It returns a *hub.CloseError
// where the client broke the rules; the decoder must not be used after that.
func (d *decoder) next(hr *headers) (e event, ok bool, err error) {
	h, size, ok, err := d.peekHeader(hr)
	if err != nil || !ok {
		return event{}, false, err
	}
	if !h.OpCode.IsControl() && h.Length > int64(d.limit-len(d.message)) {
		return event{}, false, tooBig(d.limit)
	}
	frame := size + int(h.Length)
	if d.end-d.start < frame {
		return event{}, false, nil // space grows the buffer as bytes come, not as a header promises them
	}
	payload := d.buf[d.start+size : d.start+frame]
	d.start += frame
	ws.Cipher(payload, h.Mask, 0)
	e, err = d.frame(h, payload)
	return e, err == nil, err
}

// atControl reports whether the next of what was received is a control frame (RFC 6455 §5.5). There must be something.
func (d *decoder) atControl() bool { return ws.OpCode(d.buf[d.start] & 0x0f).IsControl() }

// peekHeader reads and checks the header of the frame that begins at start, and returns how many bytes it has.
func (d *decoder) peekHeader(hr *headers) (h ws.Header, size int, ok bool, err error) {
	hr.reader.Reset(d.buf[d.start:d.end])
	h, err = ws.ReadHeaderBuffer(&hr.reader, hr.scratch[:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return h, 0, false, nil
	}
	if err != nil {
		return h, 0, false, protocolError(err)
	}
	size = d.end - d.start - hr.reader.Len()
	state := ws.StateServerSide
	if d.fragmented {
		state |= ws.StateFragmented
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return h, 0, false, protocolError(err)
	}
	// RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
	if size != ws.HeaderSize(h) {
		return h, 0, false, protocolError(errors.New("the length is not in its shortest form"))
	}
	return h, size, true, nil
}

// frame takes one frame and returns its event.
func (d *decoder) frame(h ws.Header, payload []byte) (e event, err error) {
	switch {
	case h.OpCode == ws.OpClose:
		return event{ws.OpClose, payload}, checkClose(payload)
	case h.OpCode.IsControl():
		return event{h.OpCode, payload}, nil
	case h.Fin && !d.fragmented:
		e = event{h.OpCode, payload}
	default:
		if !d.fragmented {
			d.opcode, d.fragmented, d.message = h.OpCode, true, nil
		}
		d.message = append(d.message, payload...)
		if !h.Fin {
			return event{opcode: ws.OpContinuation}, nil
		}
		e = event{d.opcode, d.message}
		d.fragmented, d.message = false, nil
	}
	if e.opcode == ws.OpText && !utf8.Valid(e.payload) {
		return event{}, &hub.CloseError{Code: protocol.CodeInvalidUTF8, Reason: "the text is not UTF-8"}
	}
	return e, nil
}

// checkClose checks the payload of a close frame (RFC 6455 §5.5.1).
func checkClose(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	if len(payload) == 1 {
		return protocolError(errors.New("a close frame has half a code"))
	}
	code, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !mayBeSent(code):
		return protocolError(fmt.Errorf("a close frame must not have code %d", code))
	case !utf8.ValidString(reason):
		return &hub.CloseError{Code: protocol.CodeInvalidUTF8, Reason: "the reason is not UTF-8"}
	}
	return nil
}

// mayBeSent reports whether a close frame may have this code (RFC 6455 §7.4): those of the RFC, 1012 to 1014, which were
// registered later, and those for use by anybody.
func mayBeSent(code ws.StatusCode) bool {
	switch code {
	case ws.StatusNoMeaningYet, ws.StatusNoStatusRcvd, ws.StatusAbnormalClosure:
		return false
	}
	return code >= 1000 && code <= 1014 || code >= 3000 && code <= 4999
}

func protocolError(err error) error {
	return &hub.CloseError{Code: protocol.CodeProtocolError, Reason: err.Error()}
}

func tooBig(limit int) error {
	return &hub.CloseError{Code: protocol.CodeTooBig, Reason: fmt.Sprintf("the message has more than %d bytes", limit)}
}
