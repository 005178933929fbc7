package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A frame of a server (RFC 6455 §5.2), which is not masked:
//
//	1 byte   FIN RSV1 RSV2 RSV3, opcode
//	1 byte   MASK = 0, length; 126: 2 bytes of length follow; 127: 8 bytes
//	         payload
//
// One of a client has MASK = 1 and 4 bytes of key behind the length.
const (
	finBit    = 0x80
	rsvBits   = 0x70
	maskBit   = 0x80
	maxHeader = 14
	// maxControl is the longest payload of a control frame (§5.5).
	maxControl = 125
	// maxPayload is the longest payload that is taken from a server.
	maxPayload = 64 << 20
)

// frame is the beginning of a frame, read.
type frame struct {
	op     Opcode
	fin    bool
	header int // bytes
	length int // bytes of payload
}

// readFrame reads the header at the beginning of b. ok is false where it is not all there.
func readFrame(b []byte) (f frame, ok bool, err error) {
	if len(b) < 2 {
		return f, false, nil
	}
	f = frame{op: Opcode(b[0] & 0x0f), fin: b[0]&finBit != 0, header: 2, length: int(b[1] &^ maskBit)}
	switch {
	case b[0]&rsvBits != 0:
		return f, false, errors.New("a reserved bit is set, and no extension was agreed on")
	case b[1]&maskBit != 0:
		return f, false, errors.New("a frame of the server is masked")
	case f.op > Binary && f.op < opClose || f.op > opPong:
		return f, false, fmt.Errorf("reserved opcode %d", f.op)
	case f.op >= opClose && (!f.fin || f.length > maxControl):
		return f, false, errors.New("a control frame is fragmented or too long")
	}
	switch f.length {
	case 126:
		if f.header = 4; len(b) < f.header {
			return f, false, nil
		}
		f.length = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if f.header = 10; len(b) < f.header {
			return f, false, nil
		}
		n := binary.BigEndian.Uint64(b[2:])
		if n > maxPayload {
			return f, false, fmt.Errorf("a frame of %d bytes", n)
		}
		f.length = int(n)
	}
	return f, true, nil
}

// appendFrame appends a frame of a client.
func appendFrame(dst []byte, op Opcode, payload []byte, mask uint32) []byte {
	dst = appendHeader(dst, op, len(payload), mask)
	start := len(dst)
	dst = append(dst, payload...)
	applyMask(dst[start:], mask)
	return dst
}

// appendHeader appends the header of a frame of a client.
func appendHeader(dst []byte, op Opcode, length int, mask uint32) []byte {
	dst = append(dst, finBit|byte(op))
	switch {
	case length <= maxControl:
		dst = append(dst, maskBit|byte(length))
	case length < 1<<16:
		dst = append(dst, maskBit|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(length))
	default:
		dst = append(dst, maskBit|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(length))
	}
	return binary.LittleEndian.AppendUint32(dst, mask)
}

// begun is a frame that is being made: where it begins, and what it is.
type begun struct {
	at int
	op Opcode
}

// beginFrame leaves room for the longest header.
func beginFrame(dst []byte, op Opcode) ([]byte, begun) {
	b := begun{len(dst), op}
	var room [maxHeader]byte
	return append(dst, room[:]...), b
}

// endFrame puts the header in front of the payload, which moves up to it, and masks it.
func endFrame(dst []byte, b begun, mask uint32) []byte {
	payload := dst[b.at+maxHeader:]
	dst = appendHeader(dst[:b.at], b.op, len(payload), mask)
	start := len(dst)
	dst = append(dst, payload...)
	applyMask(dst[start:], mask)
	return dst
}

// applyMask masks b with the 4 bytes of mask, the lowest first (RFC 6455 §5.3).
func applyMask(b []byte, mask uint32) {
	wide := uint64(mask)<<32 | uint64(mask)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}
