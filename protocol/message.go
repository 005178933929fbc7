package protocol

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Client names who sent a message. The id is given by a hub; the name is a label that the client
// chose, not unique, and may be empty.
type Client struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Person is a client that is in a room, and the name of the hub that it is on.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Hub  string `json:"hub,omitempty"`
}

// Message is what a room carries. It is immutable once published: hubs share one value among all sessions.
type Message struct {
	Room string
	ID   string // made of sender and key: the same on every hub, copy and retry; opaque
	From Client
	Hub  string    // the configured name of the hub that took it; a label
	Time time.Time // when that hub took it, by its clock
	Kind Kind
	Data []byte // as published: UTF-8 for Text, one JSON value for JSON, anything for Binary
}

// MessageID returns the id of the message that sender published under key.
func MessageID(sender, key string) string { return sender + "/" + key }

// KeyOf returns the key under which sender published the message with this id; "" where another did.
func KeyOf(id, sender string) string {
	if key, ok := strings.CutPrefix(id, sender+"/"); ok {
		return key
	}
	return ""
}

// Kind says what the bytes of a message are.
type Kind uint8

// The kinds of a message. Their numbers stand in what hubs send to each other: only add.
const (
	Text   Kind = 1
	JSON   Kind = 2
	Binary Kind = 3
)

// String returns the name that stands in frames: text, json or binary.
func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case JSON:
		return "json"
	case Binary:
		return "binary"
	}
	return "unknown"
}

// ParseKind returns the kind called name; an empty name is text.
func ParseKind(name string) (Kind, error) {
	switch name {
	case "", "text":
		return Text, nil
	case "json":
		return JSON, nil
	case "binary":
		return Binary, nil
	}
	return 0, fmt.Errorf("unknown kind %q", name)
}

// Check returns nil if data can be the data of a message of this kind.
func (k Kind) Check(data []byte) error {
	switch k {
	case Text:
		if !utf8.Valid(data) {
			return fmt.Errorf("the text is not UTF-8")
		}
	case JSON:
		// json.Valid lets through bytes in strings that are not UTF-8.
		if !utf8.Valid(data) || !json.Valid(data) {
			return fmt.Errorf("the data is not one JSON value in UTF-8")
		}
		if depth := depthOf(data); depth > maxDepth {
			return fmt.Errorf("the data is nested %d deep, more than %d", depth, maxDepth)
		}
	case Binary:
	default:
		return fmt.Errorf("unknown kind %d", k)
	}
	return nil
}

// DecodeData returns the bytes that the member "data" of a publish or message frame stands for. The result does not
// alias raw.
func DecodeData(k Kind, raw json.RawMessage) ([]byte, error) {
	if k == JSON {
		if len(raw) == 0 {
			return nil, fmt.Errorf("data is missing")
		}
		return append([]byte(nil), raw...), nil
	}
	if inner, bare := unescaped(raw); bare && k == Text {
		return append([]byte{}, inner...), nil
	}
	var s string
	if err := decodeString(&s, raw); err != nil {
		return nil, fmt.Errorf("data of kind %s is not a JSON string", k)
	}
	if k == Binary {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("data of kind binary is not base64: %w", err)
		}
		return b, nil
	}
	return []byte(s), nil
}

// timeLayout is RFC 3339 in UTC with exactly three decimals.
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime returns t as it stands in frames: RFC 3339 in UTC with milliseconds.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }
