package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// What one PUBLISH carries is an envelope: publications of one hub, in order. This is all of it, one field a line. A
// uvarint is that of encoding/binary, in its shortest form; other numbers are big-endian.
//
//	version    1 byte, 1. Of an envelope with another version nothing else may be assumed.
//	broker     8 bytes, random at each start: who sent it
//	life       uvarint: of which of its links, counted from 1; see fence
//	origin     uvarint n, n bytes: Publication.Origin
//
// then for each publication, until the end, its message:
//
//	kind       1 byte: protocol.Kind
//	time       8 bytes, signed: microseconds since 1970-01-01 in UTC
//	lengths    6 uvarints: of the fields that follow
//	room       a room's name (protocol.CheckRoom)
//	id         Message.ID
//	from id    Message.From.ID
//	from name  Message.From.Name
//	hub        Message.Hub
//	data       what the kind allows (Kind.Check)
const envelopeVersion = 1

// header is the beginning of an envelope.
type header struct {
	broker uint64
	life   uint64
	origin string
}

// appendHeader begins an envelope.
func appendHeader(dst []byte, h header) []byte {
	dst = append(dst, envelopeVersion)
	dst = binary.BigEndian.AppendUint64(dst, h.broker)
	dst = binary.AppendUvarint(dst, h.life)
	dst = binary.AppendUvarint(dst, uint64(len(h.origin)))
	return append(dst, h.origin...)
}

// appendPublication appends p to an envelope of its origin.
func appendPublication(dst []byte, p *hub.Publication) []byte { return appendMessage(dst, &p.Message) }

// appendMessage appends m, which says itself where it ends.
func appendMessage(dst []byte, m *protocol.Message) []byte {
	dst = append(dst, byte(m.Kind))
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Time.UnixMicro()))
	for _, n := range [...]int{len(m.Room), len(m.ID), len(m.From.ID), len(m.From.Name), len(m.Hub), len(m.Data)} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	dst = append(dst, m.Room...)
	dst = append(dst, m.ID...)
	dst = append(dst, m.From.ID...)
	dst = append(dst, m.From.Name...)
	dst = append(dst, m.Hub...)
	return append(dst, m.Data...)
}

// messageFields is how many fields of a message have a length.
const messageFields = 6

// errVersion says that an envelope is of a version that this one does not know.
var errVersion = errors.New("unknown version")

// errShort says that an envelope ends before its fields do, or that a number is not in its shortest form.
var errShort = errors.New("it is cut off or malformed")

// cutHeader reads the beginning of an envelope and returns what follows it. The header's origin is a copy.
func cutHeader(envelope string) (header, string, error) {
	r := reader{rest: envelope}
	if version := r.byte(); r.failed {
		return header{}, "", errShort
	} else if version != envelopeVersion {
		return header{}, "", fmt.Errorf("%w %d", errVersion, version)
	}
	h := header{broker: r.uint64(), life: r.uvarint()}
	h.origin = strings.Clone(r.bytes(r.uvarint()))
	if r.failed {
		return header{}, "", errShort
	}
	return h, r.rest, nil
}

// cutPublication reads the next publication of an envelope of origin, and returns what follows it.
//
// An error with a publication says that what it holds is not allowed, and that reading may go on behind it; an error
// without one that nothing more can be read.
func cutPublication(rest, origin string) (*hub.Publication, string, error) {
	p := &hub.Publication{Origin: origin}
	behind, err := cutMessage(&p.Message, rest)
	if errors.Is(err, errShort) {
		return nil, "", err
	}
	return p, behind, err
}

// cutMessage reads the message at the front of rest into m, and returns what follows it. The message does not alias
// rest, so that one that is kept for long does not keep all others.
//
// The error is errShort where there is no whole message, and another where there is one that is not allowed.
func cutMessage(m *protocol.Message, rest string) (behind string, err error) {
	r := reader{rest: rest}
	kind, micros := protocol.Kind(r.byte()), int64(r.uint64())
	var lengths [messageFields]uint64
	var labels uint64
	for i := range lengths {
		lengths[i] = r.uvarint()
		if lengths[i] > uint64(len(rest)) { // so that no sum overflows
			return "", errShort
		}
		labels += lengths[i]
	}
	labels -= lengths[len(lengths)-1]
	text := reader{rest: strings.Clone(r.bytes(labels))} // one allocation for all strings
	data := []byte(r.bytes(lengths[messageFields-1]))
	if r.failed {
		return "", errShort
	}
	m.Kind, m.Time, m.Data = kind, time.UnixMicro(micros).UTC(), data
	m.Room, m.ID = text.bytes(lengths[0]), text.bytes(lengths[1])
	m.From = protocol.Client{ID: text.bytes(lengths[2]), Name: text.bytes(lengths[3])}
	m.Hub = text.bytes(lengths[4])
	if err := protocol.CheckRoom(m.Room); err != nil {
		return r.rest, err
	}
	return r.rest, kind.Check(m.Data)
}

// reader reads fields from the front of rest. After it failed it returns zeros.
type reader struct {
	rest   string
	failed bool
}

// bytes returns the next n bytes, which alias rest.
func (r *reader) bytes(n uint64) string {
	if r.failed || n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	found := r.rest[:n]
	r.rest = r.rest[n:]
	return found
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	var n uint64
	b := r.bytes(8)
	for i := range len(b) {
		n = n<<8 | uint64(b[i])
	}
	return n
}

// uvarint accepts the shortest form alone, so that there is one encoding of everything.
func (r *reader) uvarint() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		b := r.byte()
		overflow := shift > 63 || shift == 63 && b > 1
		if r.failed || overflow || b == 0 && shift > 0 {
			r.failed = true
			return 0
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}
