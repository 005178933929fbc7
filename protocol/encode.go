package protocol

import (
	"encoding/base64"
	"unicode/utf8"
)

// AppendMessage appends the message frame that carries m. This is the one frame that is made for each message rather
// than for each event of a session, so it is written by hand and allocates only where dst is too short.
func AppendMessage(dst []byte, m *Message) []byte {
	dst = append(dst, `{"type":"message","room":"`...)
	dst = append(dst, m.Room...) // CheckRoom lets nothing through that JSON would escape
	dst = append(dst, `","id":`...)
	dst = appendString(dst, m.ID)
	dst = append(dst, `,"from":{"id":`...)
	dst = appendString(dst, m.From.ID)
	if m.From.Name != "" {
		dst = append(dst, `,"name":`...)
		dst = appendString(dst, m.From.Name)
	}
	dst = append(dst, `},"hub":`...)
	dst = appendString(dst, m.Hub)
	dst = append(dst, `,"time":"`...)
	dst = m.Time.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, `","kind":"`...)
	dst = append(dst, m.Kind.String()...)
	dst = append(dst, `","data":`...)
	dst = appendData(dst, m.Kind, m.Data)
	return append(dst, '}')
}

// AppendPublish appends the frame that publishes data, which is of this kind, in a room under key. Unlike Frame.Encode
// it leaves JSON as it is.
func AppendPublish(dst []byte, room, key string, kind Kind, data []byte) []byte {
	dst = append(dst, `{"type":"publish","room":`...)
	dst = appendString(dst, room)
	dst = append(dst, `,"key":`...)
	dst = appendString(dst, key)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, kind.String()...)
	dst = append(dst, `","data":`...)
	dst = appendData(dst, kind, data)
	return append(dst, '}')
}

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

// AppendAck appends the frame that acknowledges the publication of key.
func AppendAck(dst []byte, key, id, scope string) []byte {
	dst = append(dst, `{"type":"ack","key":`...)
	dst = appendString(dst, key)
	dst = append(dst, `,"id":`...)
	dst = appendString(dst, id)
	dst = append(dst, `,"scope":"`...)
	dst = append(dst, scope...)
	return append(dst, `"}`...)
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
