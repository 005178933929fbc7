package logroom

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestMarksLetSessionsGo has sessions come, be shown a message, and go, at a hub that is cut off: of a session that has
// gone, nothing is kept, as it holds its connection with all its buffers.
func TestMarksLetSessionsGo(t *testing.T) {
	r := New(Options{}, NewBudget(1<<20))
	r.join(Join{Session: "takes nothing", Publisher: "n"}) // so that no message is shown to all
	for i := range 100 {
		session := fmt.Sprint("s", i)
		r.Step(0, Join{Session: session, Publisher: session, Provisional: true}, nil)
		m := &protocol.Message{ID: fmt.Sprint("X/", i), From: protocol.Client{ID: "X"}}
		r.Step(0, Publish{Message: m, Own: true}, nil)
		r.Step(0, Leave{Session: session}, nil)
	}
	gone := 0
	for _, k := range r.marks.of {
		for _, s := range k.some {
			if s.index < 0 {
				gone++
			}
		}
	}
	if gone > 0 {
		t.Errorf("%d sessions that have gone are kept", gone)
	}
}
