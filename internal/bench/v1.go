package bench

import (
	"bytes"
	"fmt"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// V1 is the dialect hub.v1, with each publication under a key of its own and acknowledged. A connection is ready when
// it is told who is in its room, and in a log room when it has subscribed.
type V1 struct {
	Token string // of the hello; empty: none
}

// Request implements Dialect.
func (d V1) Request(string) Request { return Request{Path: "/ws", Subprotocol: protocol.SubprotocolV1} }

// Acks implements Dialect: there are acknowledgements.
func (d V1) Acks() bool { return true }

// Peer implements Dialect.
func (d V1) Peer(room string) Peer { return &v1Peer{room: room, token: d.Token} }

// v1Peer looks at the frames that are many with its own eyes, in the form that hubs write them, and has all others
// decoded.
type v1Peer struct {
	room  string
	token string
	ready bool
	data  int // where the data of the last message began: that of the next is likely to begin there too
}

func (p *v1Peer) Start(t *Turn) {
	t.Send(Text, (&protocol.Frame{Type: protocol.TypeHello, Token: p.token}).Encode())
	t.Send(Text, (&protocol.Frame{Type: protocol.TypeJoin, Room: p.room}).Encode())
}

// How hubs write the frames that are many, and their members. In a JSON string a quote has a backslash before it, so
// none of the members' beginnings stands in one.
var (
	v1Type    = []byte(`{"type":"`)
	v1Message = []byte(`{"type":"message"`)
	v1Ack     = []byte(`{"type":"ack"`)
	v1Data    = []byte(`,"data":"`)
	v1Key     = []byte(`,"key":"`)
	v1Scope   = []byte(`,"scope":"`)
	v1Quote   = []byte(`"`)
)

func (p *v1Peer) Receive(t *Turn, _ Opcode, payload []byte) error {
	switch {
	case bytes.HasPrefix(payload, v1Message):
		if len(payload) < p.data+len(v1Data) || !bytes.Equal(payload[p.data:p.data+len(v1Data)], v1Data) {
			p.data = max(bytes.Index(payload, v1Data), 0)
		}
		if body, ok := v1String(payload[p.data:], v1Data); ok {
			t.Message(body)
			return nil
		}
	case bytes.HasPrefix(payload, v1Ack):
		if scope, ok := v1String(payload, v1Scope); ok {
			if key, own := v1String(payload, v1Key); own {
				t.Ack(key, scope)
			}
			return nil
		}
	case bytes.HasPrefix(payload, v1Type):
		// Much is told of who comes and goes, and none of it matters here.
		kind, _, _ := bytes.Cut(payload[len(v1Type):], v1Quote)
		switch string(kind) {
		case protocol.TypeJoined, protocol.TypeLeft, protocol.TypeUpdated, protocol.TypeWelcome, protocol.TypeStatus:
			return nil
		}
	}
	return p.receiveOther(t, payload)
}

// v1String returns the string of a member, whose name and first quote are given. It has no escapes, or is not one of
// ours.
func v1String(payload, member []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(payload, member)
	if !ok {
		return nil, false
	}
	text, _, ok := bytes.Cut(rest, v1Quote)
	return text, ok
}

func (p *v1Peer) receiveOther(t *Turn, payload []byte) error {
	f, err := protocol.DecodeFrame(payload)
	if err != nil {
		return fmt.Errorf("read a frame: %w", err)
	}
	switch f.Type {
	case protocol.TypeThere:
		if f.Room == p.room && (f.Log == nil || !*f.Log) {
			p.setReady(t)
		}
	case protocol.TypeSubscribed:
		if f.Room == p.room {
			p.setReady(t)
		}
	case protocol.TypeMessage:
		data, err := protocol.DecodeData(protocol.Text, f.Data)
		if err != nil {
			data = nil // of somebody else
		}
		t.Message(data)
	case protocol.TypeAck:
		if f.Key != "" {
			t.Ack([]byte(f.Key), []byte(f.Scope))
		}
	case protocol.TypeGap:
		if f.Count != nil {
			t.Gap(*f.Count)
		}
	case protocol.TypeReset, protocol.TypeOrphans:
		t.Reset()
	case protocol.TypeError:
		if !p.ready {
			return fmt.Errorf("%w: %s", ErrRefused, f.Message)
		}
		t.Refused([]byte(f.Key), []byte(f.Code))
	}
	return nil
}

func (p *v1Peer) setReady(t *Turn) {
	p.ready = true
	t.Ready()
}

func (p *v1Peer) Publish(t *Turn, body []byte) {
	t.Begin(Text)
	t.WriteString(`{"type":"publish","room":"`)
	t.WriteString(p.room) // a room's name has nothing that JSON escapes
	t.WriteString(`","key":"`)
	t.Write(body[:KeySize])
	t.WriteString(`","data":"`)
	t.Write(body)
	t.WriteString(`"}`)
	t.End()
}
