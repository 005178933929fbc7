package ws

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

const testLimit = 1 << 16

// masked returns one frame as a client sends it. Header bits are those of the first byte.
func masked(first byte, payload string) []byte {
	h := ws.Header{Fin: first&0x80 != 0, Rsv: first >> 4 & 7, OpCode: ws.OpCode(first & 15), Masked: true,
		Mask: [4]byte{1, 2, 3, 4}, Length: int64(len(payload))}
	var b bytes.Buffer
	if err := ws.WriteHeader(&b, h); err != nil {
		panic(err)
	}
	data := []byte(payload)
	ws.Cipher(data, h.Mask, 0)
	return append(b.Bytes(), data...)
}

const (
	fin    = 0x80
	cont   = byte(ws.OpContinuation)
	text   = byte(ws.OpText)
	binary = byte(ws.OpBinary)
	ping   = byte(ws.OpPing)
	pong   = byte(ws.OpPong)
)

func frames(fs ...[]byte) []byte { return bytes.Join(fs, nil) }

// decode feeds stream in pieces of at most so many bytes, one after the other and from the start again, and calls each
// with what comes out, up to a close frame or the error with which the connection is to be closed.
func decode(limit int, stream []byte, pieces []int, each func(event)) error {
	d := decoder{limit: limit}
	for i := 0; len(stream) > 0; i++ {
		n := copy(d.space(), stream[:min(pieces[i%len(pieces)], len(stream))])
		d.received(n)
		stream = stream[n:]
		for {
			e, ok, err := d.next(new(headers))
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if e.opcode != ws.OpContinuation {
				each(e)
			}
			if e.opcode == ws.OpClose {
				return nil
			}
		}
	}
	return nil
}

// decodeAll writes down the events of stream, and the code with which the connection is to be closed, if any.
func decodeAll(stream []byte, pieces ...int) string {
	var out strings.Builder
	err := decode(testLimit, stream, pieces, func(e event) { fmt.Fprintf(&out, "%x:%q ", byte(e.opcode), shorten(e.payload)) })
	if err == nil {
		return out.String()
	}
	ce, ok := errors.AsType[*hub.CloseError](err)
	if !ok || ce.Reason == "" {
		return out.String() + "an error without a code"
	}
	return out.String() + ce.Code.String()
}

func shorten(b []byte) []byte {
	if len(b) > 20 {
		return fmt.Appendf(nil, "%s…%d", b[:4], len(b))
	}
	return b
}

// TestDecoder has a case for each rule of RFC 6455 §5 to §8 that a server checks, each in one piece, in pieces of 7
// bytes, and byte by byte.
func TestDecoder(t *testing.T) {
	long := strings.Repeat("x", 126)
	longer := strings.Repeat("y", testLimit)
	unmasked := []byte{fin | text, 1, 'a'}
	closeWith := func(code int, reason string) []byte {
		return masked(fin|byte(ws.OpClose), string([]byte{byte(code >> 8), byte(code)})+reason)
	}
	for _, tt := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"text", masked(fin|text, "hé"), `1:"hé" `},
		{"empty text", masked(fin|text, ""), `1:"" `},
		{"binary", masked(fin|binary, "\xff\x00"), `2:"\xff\x00" `},
		{"two in one piece", frames(masked(fin|text, "a"), masked(fin|text, "b")), `1:"a" 1:"b" `},
		{"length of 16 bits", masked(fin|text, long), `1:"xxxx…126" `},
		{"length of 64 bits", masked(fin|text, longer), `1:"yyyy…65536" `},
		{"over the limit", masked(fin|text, longer+"y"), "1009"},
		{"over the limit, by its header alone", masked(fin|binary, longer+"y")[:14], "1009"},
		{"length of 16 bits, not shortest", []byte{fin | text, 0x80 | 126, 0, 5, 0, 0, 0, 0}, "1002"},
		{"length of 64 bits, not shortest", []byte{fin | text, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, "1002"},
		{"length with the top bit", []byte{fin | text, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "1002"},
		{"RSV1", masked(fin|0x40|text, "a"), "1002"},
		{"RSV2", masked(fin|0x20|text, "a"), "1002"},
		{"RSV3", masked(fin|0x10|text, "a"), "1002"},
		{"opcode 3", masked(fin|3, "a"), "1002"},
		{"opcode 7", masked(fin|7, "a"), "1002"},
		{"opcode 11", masked(fin|11, "a"), "1002"},
		{"opcode 15", masked(fin|15, "a"), "1002"},
		{"unmasked", unmasked, "1002"},
		{"fragments", frames(masked(text, "a"), masked(cont, "b"), masked(fin|cont, "c")), `1:"abc" `},
		{"empty fragments", frames(masked(binary, ""), masked(cont, ""), masked(fin|cont, "")), `2:"" `},
		{"fragments over the limit", frames(masked(text, longer), masked(fin|cont, "b")), "1009"},
		{"ping between fragments", frames(masked(text, "a"), masked(fin|ping, "p"), masked(fin|cont, "b")), `9:"p" 1:"ab" `},
		{"continuation without a start", masked(fin|cont, "a"), "1002"},
		{"continuation after the end", frames(masked(fin|text, "a"), masked(fin|cont, "b")), `1:"a" 1002`},
		{"a message inside a fragmented one", frames(masked(text, "a"), masked(fin|text, "b")), "1002"},
		{"ping of 125 bytes", masked(fin|ping, long[:125]), `9:"xxxx…125" `},
		{"ping of 126 bytes", masked(fin|ping, long), "1002"},
		{"fragmented ping", masked(ping, "a"), "1002"},
		{"pong", masked(fin|pong, ""), `a:"" `},
		{"text that is not UTF-8", masked(fin|text, "a\xff"), "1007"},
		{"a character split over fragments", frames(masked(text, "\xc3"), masked(fin|cont, "\xa9")), `1:"é" `},
		{"half a character", frames(masked(text, "a"), masked(fin|cont, "\xc3")), "1007"},
		{"surrogate in UTF-8", masked(fin|text, "\xed\xa0\x80"), "1007"},
		{"close without code", masked(fin|byte(ws.OpClose), ""), `8:"" `},
		{"close with half a code", masked(fin|byte(ws.OpClose), "\x03"), "1002"},
		{"close 1000", closeWith(1000, ""), `8:"\x03\xe8" `},
		{"close with a reason", closeWith(1001, "bye"), `8:"\x03\xe9bye" `},
		{"close with a reason that is not UTF-8", closeWith(1000, "\xff"), "1007"},
		{"close 999", closeWith(999, ""), "1002"},
		{"close 1004", closeWith(1004, ""), "1002"},
		{"close 1005", closeWith(1005, ""), "1002"},
		{"close 1006", closeWith(1006, ""), "1002"},
		{"close 1015", closeWith(1015, ""), "1002"},
		{"close 2999", closeWith(2999, ""), "1002"},
		{"close 3000", closeWith(3000, ""), `8:"\v\xb8" `},
		{"close 4999", closeWith(4999, ""), `8:"\x13\x87" `},
		{"close 5000", closeWith(5000, ""), "1002"},
		{"close of 126 bytes", closeWith(1000, long[:124]), "1002"},
		{"half a header", masked(fin|text, long)[:3], ""},
		{"half a message", masked(fin|text, "abc")[:8], ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{len(tt.stream), 7, 1} {
				if got := decodeAll(bytes.Clone(tt.stream), piece); got != tt.want {
					t.Errorf("in pieces of %d: got %s, want %s", piece, got, tt.want)
				}
			}
		})
	}
}

// FuzzDecoder shows that the way in which a stream is split makes no difference.
func FuzzDecoder(f *testing.F) {
	f.Add(frames(masked(text, "a"), masked(fin|ping, "p"), masked(fin|cont, "b")), []byte{3})
	f.Add(masked(fin|text, "hello"), []byte{1, 2})
	f.Add(masked(fin|binary, strings.Repeat("x", 5000)), []byte{255, 1, 0, 80})
	f.Add([]byte{fin | text, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, []byte{2})
	f.Add(masked(fin|byte(ws.OpClose), "\x03\xe8"), []byte{5})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole, cut := decodeAll(bytes.Clone(stream), len(stream)), decodeAll(bytes.Clone(stream), lengths(cuts)...)
		if whole != cut {
			t.Errorf("in one piece %s, in pieces of %d %s", whole, lengths(cuts), cut)
		}
	})
}

// lengths returns the lengths of pieces that a fuzzer chose: 1 to 256 bytes.
func lengths(cuts []byte) []int {
	pieces := []int{1}
	for i, cut := range cuts {
		pieces = append(pieces[:i], int(cut)+1)
	}
	return pieces
}

func TestDecoderMemory(t *testing.T) {
	d := decoder{limit: testLimit}
	d.received(copy(d.space(), masked(fin|text, strings.Repeat("x", testLimit))[:100]))
	if _, ok, err := d.next(new(headers)); ok || err != nil {
		t.Fatal(ok, err)
	}
	if n := len(d.space()) + 100; n > smallBuffer {
		t.Errorf("%d bytes are held for 100 that came", n)
	}
}

// TestDecoderReleases shows that a connection does not keep what one large message needed.
func TestDecoderReleases(t *testing.T) {
	d := decoder{limit: testLimit}
	for stream := masked(fin|text, strings.Repeat("x", testLimit)); len(stream) > 0; {
		n := copy(d.space(), stream)
		d.received(n)
		stream = stream[n:]
	}
	if _, ok, err := d.next(new(headers)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if n := len(d.space()); n != smallBuffer {
		t.Errorf("%d bytes are held for reading, want %d", n, smallBuffer)
	}
}

func TestDecoderDoesNotAllocate(t *testing.T) {
	d := decoder{limit: testLimit}
	stream := masked(fin|text, "a message of usual length, perhaps")
	h := new(headers)
	n := testing.AllocsPerRun(100, func() {
		d.received(copy(d.space(), stream))
		if _, ok, err := d.next(h); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// TestCloseFrame shows that a reason of any length fits (RFC 6455 §5.5).
func TestCloseFrame(t *testing.T) {
	f := closeBlock(protocol.CodeTooBig, strings.Repeat("x", 200))
	if len(f.bytes) != 2+125 {
		t.Errorf("a close frame of %d bytes", len(f.bytes))
	}
}
