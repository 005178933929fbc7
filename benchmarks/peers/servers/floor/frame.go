//go:build linux

package main

import "encoding/binary"

// Opcodes (RFC 6455 §5.2).
const (
	opText   = 1
	opBinary = 2
	opPing   = 9
	opPong   = 10
)

// header is that of a frame from a client.
type header struct {
	opcode byte
	mask   [4]byte
	size   int // of the header
	length int // of the payload
}

// parse reads the header of the frame at the beginning of b, and reports whether the whole frame is there. Frames are
// taken to be whole messages, and masked.
func parse(b []byte) (h header, whole bool) {
	if len(b) < 2 {
		return h, false
	}
	h.opcode, h.size = b[0]&0x0f, 2
	switch h.length = int(b[1] & 0x7f); h.length {
	case 126:
		if h.size = 4; len(b) < 4 {
			return h, false
		}
		h.length = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if h.size = 10; len(b) < 10 {
			return h, false
		}
		h.length = int(binary.BigEndian.Uint64(b[2:]))
	}
	if len(b) < h.size+4 {
		return h, false
	}
	copy(h.mask[:], b[h.size:])
	h.size += 4
	return h, len(b) >= h.size+h.length
}

// appendHeader appends the header of a frame to clients.
func appendHeader(b []byte, opcode byte, length int) []byte {
	b = append(b, 0x80|opcode)
	switch {
	case length < 126:
		return append(b, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(length))
}

func unmask(b []byte, mask [4]byte) {
	for i := range b {
		b[i] ^= mask[i&3]
	}
}
