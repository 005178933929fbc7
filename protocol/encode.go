package protocol

import (
	"encoding/base64"
	"unicode/utf8"
)

// Delivery is a message on its way to a client, with what the client is told of it.
type Delivery struct {
	*Message
	At   Position // in the room's log; zero in a live room, and where it is not stored yet
	Past bool     // it is history that was asked for, and not what comes next
	Kept bool     // it is not stored yet: the hub keeps it until it can be
}

// AppendMessage appends the message frame that carries d. This is the one frame that is made for each message rather
// than for each event of a session, so it is written by hand and allocates only where dst is too short.
func AppendMessage(dst []byte, d Delivery) []byte {
	dst = append(dst, `{"type":"message","room":"`...)
	dst = append(dst, d.Room...) // CheckRoom lets nothing through that JSON would escape
	dst = append(dst, `","id":`...)
	dst = appendString(dst, d.ID)
	if !d.At.IsZero() {
		dst = append(dst, `,"position":"`...)
		dst = d.At.appendText(dst)
		dst = append(dst, '"')
	}
	if d.Kept {
		dst = append(dst, `,"scope":"`+ScopeHub+`"`...)
	}
	if d.Past {
		dst = append(dst, `,"past":true`...)
	}
	dst = append(dst, `,"from":{"id":`...)
	dst = appendString(dst, d.From.ID)
	if d.From.Name != "" {
		dst = append(dst, `,"name":`...)
		dst = appendString(dst, d.From.Name)
	}
	dst = append(dst, `},"hub":`...)
	dst = appendString(dst, d.Hub)
	dst = append(dst, `,"time":"`...)
	dst = d.Time.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, `","kind":"`...)
	dst = append(dst, d.Kind.String()...)
	dst = append(dst, `","data":`...)
	dst = appendData(dst, d.Kind, d.Data)
	return append(dst, '}')
}

// AppendPublish appends the frame that publishes data, which is of this kind, in a room under key. Unlike Frame.Encode
// it leaves JSON as it is. Of birth, which is nil for a message that was never sent before, docs/protocol.md tells.
func AppendPublish(dst []byte, room, key string, birth *Position, kind Kind, data []byte) []byte {
	dst = append(dst, `{"type":"publish","room":`...)
	dst = appendString(dst, room)
	dst = append(dst, `,"key":`...)
	dst = appendString(dst, key)
	if birth != nil {
		dst = append(dst, `,"birth":"`...)
		if !birth.IsZero() {
			dst = birth.appendText(dst)
		}
		dst = append(dst, '"')
	}
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, kind.String()...)
	dst = append(dst, `","data":`...)
	dst = appendData(dst, kind, data)
	return append(dst, '}')
}

// EncodeData returns data as it stands in frames and in answers over HTTP: the counterpart of DecodeData.
func EncodeData(kind Kind, data []byte) []byte { return appendData(nil, kind, data) }

// appendData appends data as it stands in frames: the counterpart of DecodeData.
func appendData(dst []byte, kind Kind, data []byte) []byte {
	switch kind {
	case JSON:
		return append(dst, data...)
	case Binary:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, data)
		return append(dst, '"')
	}
	return appendString(dst, data)
}

// Ack is what an ack frame says of a message: of one that the client published, or that it has already.
type Ack struct {
	Room      string
	Key       string // under which the client published it; "" where another did
	ID        string
	Scope     string
	At        Position // zero but in scope ScopeCluster
	Duplicate bool     // it was stored before
}

// AppendAck appends the ack frame that says a.
func AppendAck(dst []byte, a Ack) []byte {
	dst = append(dst, `{"type":"ack","room":`...)
	dst = appendString(dst, a.Room)
	if a.Key != "" {
		dst = append(dst, `,"key":`...)
		dst = appendString(dst, a.Key)
	}
	dst = append(dst, `,"id":`...)
	dst = appendString(dst, a.ID)
	dst = append(dst, `,"scope":"`...)
	dst = append(dst, a.Scope...)
	dst = append(dst, '"')
	if !a.At.IsZero() {
		dst = append(dst, `,"position":"`...)
		dst = a.At.appendText(dst)
		dst = append(dst, '"')
	}
	if a.Duplicate {
		dst = append(dst, `,"duplicate":true`...)
	}
	return append(dst, '}')
}

// appendString appends s as a JSON string (RFC 8259 §7). Bytes that are not UTF-8 become U+FFFD, so the result is
// always valid, whatever another hub sent.
func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))])) // at most 4 bytes: stays on the stack
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
			start = i + 1
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
