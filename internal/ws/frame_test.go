package ws

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gobwas/ws"
)

// TestFrames compares the frames that the hub writes with those of the library that reads them, at every length where
// the header changes.
func TestFrames(t *testing.T) {
	for _, n := range []int{0, 1, 3, 125, 126, 127, 65535, 65536, 70000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			payload := bytes.Repeat([]byte("a1"), n)[:n]
			for _, opcode := range []ws.OpCode{ws.OpText, ws.OpBinary} {
				expected := library(t, opcode, payload)
				if got := appendFrame([]byte("before"), opcode, payload); !bytes.Equal(got, append([]byte("before"), expected...)) {
					t.Errorf("a frame of opcode %d begins %x, expected %x", opcode, got[6:min(len(got), 20)], expected[:min(len(expected), 14)])
				}
			}
			got := append(beginText([]byte("before")), payload...)
			expected := append([]byte("before"), library(t, ws.OpText, payload)...)
			if got = endText(got, len("before")); !bytes.Equal(got, expected) {
				t.Errorf("a frame of which the header comes last begins %x, expected %x", got[:min(len(got), 20)], expected[:min(len(expected), 20)])
			}
		})
	}
}

// library returns a frame as the library writes it.
func library(t *testing.T, opcode ws.OpCode, payload []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, ws.NewFrame(opcode, true, payload)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
