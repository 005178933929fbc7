package protocol

import (
	"encoding/json"
	"fmt"
	"time"
)

// The subprotocols that /ws speaks (RFC 6455 §1.9).
const (
	SubprotocolPlain = "hub.plain"
	SubprotocolV1    = "hub.v1"
)

// The types of frames.
const (
	TypeHello   = "hello"
	TypeJoin    = "join"
	TypeLeave   = "leave"
	TypePublish = "publish"
	TypePing    = "ping"

	TypeWelcome = "welcome"
	TypeStatus  = "status"
	TypeThere   = "there"
	TypeJoined  = "joined"
	TypeUpdated = "updated"
	TypeLeft    = "left"
	TypeMessage = "message"
	TypeAck     = "ack"
	TypePong    = "pong"
	TypeError   = "error"
	TypeBye     = "bye"
)

// The scopes of an acknowledgement: how far a message is sure to have come.
const (
	// ScopeLive says that the hub took a message of a live room: at most once, promised to nobody.
	ScopeLive = "live"
)

// Credentials is how a hub names a client, and what the client shows to be that client again.
type Credentials struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// Frame is any one frame of hub.v1; Type says which, and the package's comment which members that type has.
type Frame struct {
	Type string `json:"type"`

	Room   string   `json:"room,omitempty"`
	Key    string   `json:"key,omitempty"`
	ID     string   `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"`
	Person *Client  `json:"person,omitempty"`
	People []Client `json:"people,omitzero"`
	Count  *int     `json:"count,omitempty"`

	Kind  string          `json:"kind,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
	From  *Client         `json:"from,omitempty"`
	Scope string          `json:"scope,omitempty"`

	Client   *Credentials `json:"client,omitempty"`
	Session  string       `json:"session,omitempty"`
	Hub      string       `json:"hub,omitempty"`
	Time     string       `json:"time,omitempty"`
	Isolated *bool        `json:"isolated,omitempty"`

	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Fix     string `json:"fix,omitempty"`
	Retry   *int64 `json:"retry,omitempty"`
}

// Encode returns the frame as JSON. It panics only if Data is not JSON, which is a mistake of the caller.
func (f *Frame) Encode() []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("encode %s frame: %v", f.Type, err))
	}
	return b
}

// DecodeFrame reads one frame. It returns an error where text is not one JSON object with a type; it does not check
// what the members say. The frame does not alias text.
func DecodeFrame(text []byte) (*Frame, error) {
	f := new(Frame)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	if f.Type == "" {
		return nil, fmt.Errorf("decode frame: no type")
	}
	return f, nil
}

// DecodeMessage returns the message that a message frame carries.
func (f *Frame) DecodeMessage() (*Message, error) {
	if f.Type != TypeMessage {
		return nil, fmt.Errorf("decode message: the frame is of type %q", f.Type)
	}
	kind, err := ParseKind(f.Kind)
	if err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	data, err := DecodeData(kind, f.Data)
	if err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	at, err := time.Parse(time.RFC3339, f.Time)
	if err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	m := &Message{Room: f.Room, ID: f.ID, Hub: f.Hub, Time: at, Kind: kind, Data: data}
	if f.From != nil {
		m.From = *f.From
	}
	return m, nil
}
