package ws

import (
	"bytes"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// frame is one encoded WebSocket frame. It is immutable, and shared by the queues of all connections that it goes to.
type frame struct {
	bytes []byte // header and payload: a server's frames are not masked, so all connections send the same bytes

	// of messages; others have published 0
	published int64 // when the origin hub took it, in µs of the Unix epoch by its clock
	remote    bool  // it came from another hub
	keep      bool  // it is of a log room, and is not to be dropped

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

// plainFrame encodes m for hub.plain: the bytes as they were published. What no version of ours can read is nothing.
func plainFrame(m *protocol.Message, remote, keep bool) *frame {
	opcode := ws.OpText
	switch m.Kind {
	case 0:
		return nil
	case protocol.Binary:
		opcode = ws.OpBinary
	}
	f := newFrame(opcode, m.Data)
	f.published, f.remote, f.keep = m.Time.UnixMicro(), remote, keep
	return f
}

// v1Frame encodes d for hub.v1. Of what cannot be read the position counts.
func v1Frame(d protocol.Delivery, remote bool) *frame {
	if d.Kind == 0 {
		return newFrame(ws.OpText, protocol.AppendAck(nil, protocol.Ack{Room: d.Room, Scope: protocol.ScopeCluster, At: d.At}))
	}
	const overhead = 256 // of the JSON around the data, with names of usual length
	payload := protocol.AppendMessage(make([]byte, 0, overhead+len(d.Data)), d)
	f := newFrame(ws.OpText, payload)
	f.published, f.remote, f.keep, f.room = d.Time.UnixMicro(), remote, !d.At.IsZero(), d.Room
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
