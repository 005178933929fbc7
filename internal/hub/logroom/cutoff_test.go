package logroom_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// TestCutOffAgain has a hub with much in its outbox cut off, back for a moment, and cut off again: that costs
// next to nothing the second time, as it happens under the lock of the room, on the goroutine that brings the log back.
func TestCutOffAgain(t *testing.T) {
	const sessions, messages = 2000, 2000
	room := logroom.New(logroom.Options{}, logroom.NewBudget(16<<20))
	var effects []logroom.Effect
	give := func(e logroom.Event) { effects = room.Step(0, e, effects[:0]) }
	give(logroom.Connected{})
	for i := range sessions {
		give(join(fmt.Sprint("c", i), ""))
	}
	give(logroom.Subscribed{Number: 1})
	give(page(1, "e1:1", 0, 0, ""))
	give(logroom.Isolated{})
	for i := range messages {
		give(publish(fmt.Sprint("X/", i), "e1:0", "r"))
	}
	give(logroom.Connected{})
	began := time.Now()
	give(logroom.Isolated{})
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("to be cut off again took %v with %d messages kept and %d sessions, and showed %d", took, messages, sessions,
			len(effects))
	}
}
