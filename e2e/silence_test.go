package e2e

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestSilence has connections that say nothing: each is closed when its time is over, and not before. It runs beside no
// other test: a pong of the pair that is not disturbed must not come late.
func TestSilence(t *testing.T) {
	const handshake, ping, pong = 700 * time.Millisecond, 400 * time.Millisecond, 600 * time.Millisecond
	h := startHub(t, "--handshake-timeout", handshake.String(), "--ping-interval", ping.String(), "--pong-timeout", pong.String())
	undisturbed := startPair(t, h)
	hello := (&protocol.Frame{Type: protocol.TypeHello}).Encode()
	for _, test := range []struct {
		name  string
		open  func(t *testing.T) *raw
		after time.Duration // from opening to closing, at the earliest
	}{
		{"half open, plain", func(t *testing.T) *raw { return dialRawWS(t, h, "lobby", "") }, ping + pong},
		{"half open, v1", func(t *testing.T) *raw {
			c := dialRawWS(t, h, "", protocol.SubprotocolV1)
			c.writeFrame(final|opText, hello)
			return c
		}, ping + pong},
		{"no hello", func(t *testing.T) *raw { return dialRawWS(t, h, "", protocol.SubprotocolV1) }, handshake},
		{"hello in small parts", func(t *testing.T) *raw {
			c := dialRawWS(t, h, "", protocol.SubprotocolV1)
			c.write([]byte{final | opText})
			return c
		}, handshake},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			since := time.Now()
			c := test.open(t)
			c.expectClosed(4012)
			took := time.Since(since)
			t.Logf("closed after %v", took.Round(time.Millisecond))
			if took < test.after {
				t.Errorf("closed after %v, before %v were over", took, test.after)
			}
			if took > test.after+10*time.Second { // the rest is for a slow machine
				t.Errorf("closed after %v, long after %v", took, test.after)
			}
		})
	}
	t.Run("who answers pings stays", func(t *testing.T) {
		t.Parallel()
		c := dialRawWS(t, h, "lobby", "")
		for range 5 {
			opcode, payload, err := c.readFrame()
			if err != nil || opcode != opPing {
				t.Fatalf("opcode %d, %v; want a ping", opcode, err)
			}
			c.writeFrame(final|opPong, payload)
		}
	})
	t.Cleanup(undisturbed)
}
