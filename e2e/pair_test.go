package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// startPair connects two clients that behave to h, in a room of their own, which send each other a message every few
// milliseconds from now on. What it returns ends that, and fails the test where anything but these messages came, where
// none were exchanged, or where one was cut off.
func startPair(t *testing.T, h *hub) (stop func()) {
	t.Helper()
	a, b := dialPlain(t, h, "pair"), dialPlain(t, h, "pair")
	enough := make(chan struct{}) // closed by stop
	type outcome struct {
		messages int
		slowest  time.Duration
		err      error
	}
	ended := make(chan outcome, 1) // sent once by the goroutine; received by stop
	go func() {                    // ends when stop is called, or where something is wrong; stop waits for it
		var o outcome
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-enough:
				ended <- o
				return
			case <-tick.C:
			}
			for _, way := range [][2]*conn{{a, b}, {b, a}} {
				since := time.Now()
				o.messages++
				if o.err = pass(way[0], way[1], fmt.Sprint("message ", o.messages)); o.err != nil {
					ended <- o
					return
				}
				o.slowest = max(o.slowest, time.Since(since))
			}
		}
	}()
	return func() {
		t.Helper()
		close(enough)
		o := <-ended
		t.Logf("meanwhile a pair exchanged %d messages, the slowest in %v", o.messages, o.slowest.Round(time.Microsecond))
		if o.err != nil {
			t.Errorf("the pair was disturbed: %v", o.err)
		}
		if o.messages < 2 {
			t.Error("the pair exchanged nothing")
		}
	}
}

// pass sends text from one to the other, and returns an error where it is not the next that arrives.
func pass(from, to *conn, text string) error {
	from.send(text)
	select {
	case got, ok := <-to.in:
		if !ok {
			return fmt.Errorf("the connection ended: %w", to.err)
		}
		if got.kind != websocket.MessageText || got.data != text {
			return fmt.Errorf("got %v %.100q instead of %q", got.kind, got.data, text)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%q did not arrive", text)
	}
}
