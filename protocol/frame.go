package protocol

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	TypePeople  = "people" // and the hub's answer

	TypeWelcome    = "welcome"
	TypeStatus     = "status"
	TypeThere      = "there"
	TypeJoined     = "joined"
	TypeUpdated    = "updated"
	TypeLeft       = "left"
	TypeSubscribed = "subscribed"
	TypeMessage    = "message"
	TypeHistory    = "history"
	TypeAck        = "ack"
	TypeOrphans    = "orphans"
	TypeReset      = "reset"
	TypeGap        = "gap"
	TypePong       = "pong"
	TypeError      = "error"
	TypeBye        = "bye"
)

// membersOf has the members that frames of each type have beside the type. What is not here is not looked at.
var membersOf = map[string][]string{
	TypeHello:   {"name", "client", "token"},
	TypeJoin:    {"room", "position", "history", "provisional"},
	TypeLeave:   {"room"},
	TypePublish: {"room", "key", "kind", "data", "birth"},
	TypePing:    {},

	TypeWelcome:    {"client", "session", "hub", "time", "expires"},
	TypeStatus:     {"isolated"},
	TypeThere:      {"room", "people", "count", "log"},
	TypePeople:     {"room", "after", "limit", "people", "count", "next"},
	TypeJoined:     {"room", "person", "count"},
	TypeUpdated:    {"room", "person", "count"},
	TypeLeft:       {"room", "person", "count"},
	TypeSubscribed: {"room", "position"},
	TypeMessage:    {"room", "id", "position", "scope", "past", "from", "hub", "time", "kind", "data"},
	TypeHistory:    {"room", "count"},
	TypeAck:        {"room", "key", "id", "scope", "position", "duplicate"},
	TypeOrphans:    {"room", "position", "count"},
	TypeReset:      {"room", "position"},
	TypeGap:        {"room", "count"},
	TypePong:       {"time"},
	TypeError:      {"code", "message", "fix", "room", "key"},
	TypeBye:        {"retry"},
}

// typeNames and kindNames have what frames say mostly, by how that stands in JSON.
var (
	typeNames = quoted(slices.Collect(maps.Keys(membersOf)))
	kindNames = quoted([]string{Text.String(), JSON.String(), Binary.String()})
)

func quoted(names []string) map[string]string {
	m := make(map[string]string, len(names))
	for _, name := range names {
		m[`"`+name+`"`] = name
	}
	return m
}

// The scopes of a message: how far it is sure to have come.
const (
	// ScopeCluster says that a message is in the log of its room.
	ScopeCluster = "cluster"
	// ScopeHub says that a message was shown on this hub, which cannot reach the log, keeps it, and stores it later.
	ScopeHub = "hub"
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
	Person *Person  `json:"person,omitempty"`
	People []Person `json:"people,omitzero"`
	Count  *int     `json:"count,omitempty"`
	Log    *bool    `json:"log,omitempty"`
	After  string   `json:"after,omitempty"`
	Limit  *int     `json:"limit,omitempty"`
	Next   string   `json:"next,omitempty"`

	Kind  string          `json:"kind,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
	From  *Client         `json:"from,omitempty"`
	Scope string          `json:"scope,omitempty"`

	Position    string  `json:"position,omitempty"`
	Birth       *string `json:"birth,omitempty"`
	History     int     `json:"history,omitempty"`
	Past        bool    `json:"past,omitempty"`
	Provisional *bool   `json:"provisional,omitempty"`
	Duplicate   bool    `json:"duplicate,omitempty"`

	Client   *Credentials `json:"client,omitempty"`
	Token    string       `json:"token,omitempty"`
	Session  string       `json:"session,omitempty"`
	Hub      string       `json:"hub,omitempty"`
	Time     string       `json:"time,omitempty"`
	Expires  string       `json:"expires,omitempty"`
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

// DecodeFrame reads one frame. It looks at the members that the frame's type has and at no others, so that a frame of
// an unknown type comes back with its type alone; names are matched exactly, and of two members of one name the last
// counts. It does not check what the members say.
//
// The error wraps ErrNotFrame where text is not one JSON object with a type. Where a member is of the wrong JSON type,
// it does not, and the frame comes back with what could be read. The frame does not alias text.
func DecodeFrame(text []byte) (*Frame, error) {
	i := skipSpace(text, 0)
	if i == len(text) || text[i] != '{' || !json.Valid(text) {
		return nil, fmt.Errorf("%w: it is not one JSON object", ErrNotFrame)
	}
	f := new(Frame)
	for name, raw := range members(text) {
		if name != "type" {
			continue
		}
		if known, found := typeNames[string(raw)]; found { // without a copy
			f.Type = known
		} else if decodeString(&f.Type, raw) != nil {
			return nil, fmt.Errorf("%w: its type is not a string", ErrNotFrame)
		}
	}
	if f.Type == "" {
		return nil, fmt.Errorf("%w: it has no type", ErrNotFrame)
	}
	var wrong error
	for name, raw := range members(text) {
		if err := f.decode(name, raw); err != nil && wrong == nil {
			wrong = fmt.Errorf("%q of a frame of type %q %w", name, f.Type, err)
		}
	}
	return f, wrong
}

// decode sets the member called name, if frames of this type have one.
func (f *Frame) decode(name string, raw json.RawMessage) error {
	if !slices.Contains(membersOf[f.Type], name) {
		return nil
	}
	switch name {
	case "room":
		return decodeString(&f.Room, raw)
	case "key":
		return decodeString(&f.Key, raw)
	case "id":
		return decodeString(&f.ID, raw)
	case "name":
		return decodeString(&f.Name, raw)
	case "kind":
		if known, found := kindNames[string(raw)]; found {
			f.Kind = known
			return nil
		}
		return decodeString(&f.Kind, raw)
	case "scope":
		return decodeString(&f.Scope, raw)
	case "position":
		return decodeString(&f.Position, raw)
	case "birth":
		f.Birth = new(string)
		return decodeString(f.Birth, raw)
	case "token":
		return decodeString(&f.Token, raw)
	case "expires":
		return decodeString(&f.Expires, raw)
	case "session":
		return decodeString(&f.Session, raw)
	case "hub":
		return decodeString(&f.Hub, raw)
	case "time":
		return decodeString(&f.Time, raw)
	case "code":
		return decodeString(&f.Code, raw)
	case "message":
		return decodeString(&f.Message, raw)
	case "fix":
		return decodeString(&f.Fix, raw)
	case "data":
		f.Data = slices.Clone(raw)
		return nil
	case "person":
		return decodeInto(&f.Person, raw)
	case "people":
		return decodeInto(&f.People, raw)
	case "count":
		return decodeInto(&f.Count, raw)
	case "after":
		return decodeString(&f.After, raw)
	case "limit":
		return decodeInto(&f.Limit, raw)
	case "next":
		return decodeString(&f.Next, raw)
	case "log":
		return decodeInto(&f.Log, raw)
	case "history":
		return decodeInto(&f.History, raw)
	case "past":
		return decodeInto(&f.Past, raw)
	case "provisional":
		return decodeInto(&f.Provisional, raw)
	case "duplicate":
		return decodeInto(&f.Duplicate, raw)
	case "from":
		return decodeInto(&f.From, raw)
	case "client":
		return decodeInto(&f.Client, raw)
	case "isolated":
		return decodeInto(&f.Isolated, raw)
	case "retry":
		return decodeInto(&f.Retry, raw)
	}
	panic("no member " + name)
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
