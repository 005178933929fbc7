package ws

import (
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// encoding is what a connection is told in.
type encoding uint8

const (
	plain     encoding = iota // bare messages: the subprotocol hub.plain, or none
	v1                        // the subprotocol hub.v1
	events                    // a stream of events over HTTP
	encodings                 // how many there are
)

// frame is one encoded WebSocket frame, or one event of a stream, in a block.
type frame struct {
	end int // where it ends in the block's bytes

	// of messages; others have published 0
	published int64 // when the origin hub took it, in µs of the Unix epoch by its clock
	remote    bool  // it came from another hub
	keep      bool  // it is of a log room, and is not to be dropped

	snapshot bool // the next one takes its place while it waits
	pong     bool // and the next one may, where many wait

	// of what a session is told of messages that it did not get; see sendQueue.drop
	room string // of a message: whose loss is told there; of the answer to a join, and of a gap: the room; otherwise ""
	lost int    // of a gap: how many messages were dropped
}

// droppable reports whether a slow connection may lose the frame: live rooms promise at most once.
func (f *frame) droppable() bool { return f.published != 0 && !f.keep }

// block is frames encoded one behind the other, so that one piece of memory has all that a connection is owed of them. It
// is immutable once it is in a queue, but for pongs, which are of one connection, and shared by the queues of all connections that it goes to: a server's frames are
// not masked, so all of them send the same bytes.
type block struct {
	bytes  []byte
	frames []frame

	// of a block that goes to one connection: called when all of it was written; otherwise nil
	written func()

	tally *tally // of a batch for many connections, counted together; nil for others
	one   [1]frame
}

// single returns a block of one frame, whose bytes it keeps.
func single(bytes []byte, f frame) *block {
	f.end = len(bytes)
	b := &block{bytes: bytes, one: [1]frame{f}}
	b.frames = b.one[:]
	return b
}

// newBlock returns a block of one WebSocket frame with opcode and payload, which it copies.
func newBlock(opcode ws.OpCode, payload []byte) *block {
	return single(appendFrame(make([]byte, 0, ws.MaxHeaderSize+len(payload)), opcode, payload), frame{})
}

// pongBlock returns a pong with the payload of its ping.
func pongBlock(payload []byte) *block {
	b := newBlock(ws.OpPong, payload)
	b.one[0].pong = true
	return b
}

// start returns where frame i begins.
func (b *block) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.frames[i-1].end
}

// end notes that a frame was appended to the block's bytes.
func (b *block) end(f frame) {
	f.end = len(b.bytes)
	b.frames = append(b.frames, f)
}

// whole returns the span of all frames.
func (b *block) whole() span { return span{b, 0, int32(len(b.frames))} }

// span is frames of a block that follow each other: those from to to, without the last.
type span struct {
	*block
	from, to int32
}

func (s span) bytes() []byte { return s.block.bytes[s.start(int(s.from)):s.start(int(s.to))] }
func (s span) size() int     { return s.start(int(s.to)) - s.start(int(s.from)) }
func (s span) each() []frame { return s.frames[s.from:s.to] }

// messageFrame says of the frame of a message what is to be known of it.
func messageFrame(d protocol.Delivery, remote bool) frame {
	return frame{published: d.Time.UnixMicro(), remote: remote, keep: d.Kept || !d.At.IsZero()}
}

// appendMessage encodes d behind what the block has. Of what no version of ours can read the position counts; where that
// cannot be told it is nothing.
func (b *block) appendMessage(e encoding, d protocol.Delivery, remote bool) {
	switch {
	case d.Kind == 0 && e == plain:
		return
	case d.Kind == 0 && e == v1:
		b.appendAck(protocol.Ack{Room: d.Room, Scope: protocol.ScopeCluster, At: d.At})
		return
	case d.Kind == 0:
		b.bytes = protocol.AppendEventID(b.bytes, d.At)
		b.end(frame{})
		return
	}
	f := messageFrame(d, remote)
	switch e {
	case plain:
		opcode := ws.OpText
		if d.Kind == protocol.Binary {
			opcode = ws.OpBinary
		}
		b.bytes = appendFrame(b.bytes, opcode, d.Data) // the bytes as they were published
	case v1:
		from := len(b.bytes)
		b.bytes = endText(protocol.AppendMessage(beginText(b.bytes), d), from)
		f.room = d.Room
	case events:
		b.bytes = protocol.AppendEvent(b.bytes, d)
		f.room = d.Room
	}
	b.end(f)
}

// appendAck encodes an ack frame of hub.v1 behind what the block has.
func (b *block) appendAck(a protocol.Ack) {
	from := len(b.bytes)
	b.bytes = endText(protocol.AppendAck(beginText(b.bytes), a), from)
	b.end(frame{})
}

// appendText encodes a frame of hub.v1 behind what the block has.
func (b *block) appendText(payload []byte) {
	b.bytes = appendFrame(b.bytes, ws.OpText, payload)
	b.end(frame{})
}

// messageBlock returns a block of one message, or nil where there is nothing to tell.
func messageBlock(e encoding, d protocol.Delivery) *block {
	b := &block{bytes: make([]byte, 0, encodedSize(e, d.Message))}
	b.frames = b.one[:0]
	b.appendMessage(e, d, false)
	if len(b.frames) == 0 {
		return nil
	}
	return b
}

// encodedSize is about how many bytes a message takes.
func encodedSize(e encoding, m *protocol.Message) int {
	const overhead = 256 // of the JSON around the data, with names of usual length
	if e == plain {
		return ws.MaxHeaderSize + len(m.Data)
	}
	return overhead + len(m.Data)
}

func appendFrame(dst []byte, opcode ws.OpCode, payload []byte) []byte {
	return append(appendHeader(dst, opcode, len(payload)), payload...)
}

// appendHeader begins a frame as servers send it: a whole message, and not masked (RFC 6455 §5.2).
func appendHeader(dst []byte, opcode ws.OpCode, length int) []byte {
	const final = 1 << 7
	dst = append(dst, final|byte(opcode))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return append(dst, 126, byte(length>>8), byte(length))
	}
	dst = append(dst, 127)
	for shift := 56; shift >= 0; shift -= 8 {
		dst = append(dst, byte(uint64(length)>>shift))
	}
	return dst
}

// usualHeader is how long the header of a frame is whose payload has 126 to 65,535 bytes.
const usualHeader = 4

// beginText leaves room for the header of a frame of text, whose payload is appended next.
func beginText(dst []byte) []byte { return append(dst, make([]byte, usualHeader)...) }

// endText puts the header where beginText was called, at from, and moves the payload where the header is not as usual.
func endText(dst []byte, from int) []byte {
	n := len(dst) - from - usualHeader
	var most [ws.MaxHeaderSize]byte
	header := appendHeader(most[:0], ws.OpText, n)
	if len(header) != usualHeader {
		dst = append(dst, header...) // for where there has to be more room
		copy(dst[from+len(header):], dst[from+usualHeader:from+usualHeader+n])
		dst = dst[:from+len(header)+n]
	}
	copy(dst[from:], header)
	return dst
}

// closeBlock returns a close frame. The reason is cut to what fits (RFC 6455 §5.5).
func closeBlock(code protocol.Code, reason string) *block {
	if code == protocol.CodeNoStatus {
		return newBlock(ws.OpClose, nil)
	}
	for len(reason) > ws.MaxControlFramePayloadSize-2 {
		reason = reason[:len(reason)-1]
	}
	return newBlock(ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
}
