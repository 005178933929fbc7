package ws

import (
	"bytes"

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

// message encodes d. Of what no version of ours can read the position counts; where that cannot be told it is nothing.
func (e encoding) message(d protocol.Delivery, remote bool) *frame {
	var f *frame
	switch {
	case d.Kind == 0 && e == plain:
		return nil
	case d.Kind == 0 && e == v1:
		return newFrame(ws.OpText, protocol.AppendAck(nil, protocol.Ack{Room: d.Room, Scope: protocol.ScopeCluster, At: d.At}))
	case d.Kind == 0:
		return idFrame(d.At)
	case e == plain:
		f = plainFrame(d.Message)
	case e == v1:
		f = v1Frame(d)
	default:
		f = eventFrame(d)
	}
	f.published, f.remote, f.keep = d.Time.UnixMicro(), remote, d.Kept || !d.At.IsZero()
	return f
}

// encodedSize is about how many bytes a message takes in hub.v1 and in a stream.
func encodedSize(m *protocol.Message) int {
	const overhead = 256 // of the JSON around the data, with names of usual length
	return overhead + len(m.Data)
}

// frame is one encoded WebSocket frame, or one event of a stream. It is immutable, and shared by the queues of all connections that it goes to.
type frame struct {
	bytes []byte // of a WebSocket header and payload: a server's frames are not masked, so all connections send the same bytes

	// of messages; others have published 0
	published int64 // when the origin hub took it, in µs of the Unix epoch by its clock
	remote    bool  // it came from another hub
	keep      bool  // it is of a log room, and is not to be dropped

	snapshot bool // the next one takes its place while it waits

	// of what a session is told of messages that it did not get; see conn.drop
	room string // of a message: whose loss is told there; of the answer to a join, and of a gap: the room; otherwise ""
	lost int    // of a gap: how many messages were dropped

	// of the last of a replay, which goes to one connection: called when it was written; otherwise nil
	written func()
}

// droppable reports whether a slow connection may lose the frame: live rooms promise at most once.
func (f *frame) droppable() bool { return f.published != 0 && !f.keep }

// newFrame returns the frame with opcode and payload. It copies payload.
func newFrame(opcode ws.OpCode, payload []byte) *frame {
	return &frame{bytes: appendFrame(make([]byte, 0, ws.MaxHeaderSize+len(payload)), opcode, payload)}
}

func appendFrame(dst []byte, opcode ws.OpCode, payload []byte) []byte {
	return append(appendHeader(dst, opcode, len(payload)), payload...)
}

func appendHeader(dst []byte, opcode ws.OpCode, length int) []byte {
	w := bytes.NewBuffer(dst)
	if err := ws.WriteHeader(w, ws.Header{Fin: true, OpCode: opcode, Length: int64(length)}); err != nil {
		panic(err) // a buffer takes everything, and no length here is negative
	}
	return w.Bytes()
}

// plainFrame encodes m for hub.plain: the bytes as they were published.
func plainFrame(m *protocol.Message) *frame {
	if m.Kind == protocol.Binary {
		return newFrame(ws.OpBinary, m.Data)
	}
	return newFrame(ws.OpText, m.Data)
}

// v1Frame encodes d for hub.v1.
func v1Frame(d protocol.Delivery) *frame {
	f := newFrame(ws.OpText, protocol.AppendMessage(make([]byte, 0, encodedSize(d.Message)), d))
	f.room = d.Room
	return f
}

// closeFrame returns a close frame. The reason is cut to what fits (RFC 6455 §5.5).
func closeFrame(code protocol.Code, reason string) *frame {
	if code == protocol.CodeNoStatus {
		return newFrame(ws.OpClose, nil)
	}
	for len(reason) > ws.MaxControlFramePayloadSize-2 {
		reason = reason[:len(reason)-1]
	}
	return newFrame(ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
}
