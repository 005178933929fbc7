package brokertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// NewPublication returns number n of sender's publications, a text in room.
func NewPublication(origin, sender, room string, n int) *hub.Publication {
	return &hub.Publication{
		Message: protocol.Message{
			Room: room,
			ID:   protocol.MessageID(sender, fmt.Sprint(n)),
			From: protocol.Client{ID: sender, Name: "Ada"},
			Hub:  "hub1",
			Time: time.Now().UTC().Truncate(time.Millisecond),
			Kind: protocol.Text,
			Data: fmt.Appendf(nil, "%s says %d in %s", sender, n, room),
		},
		Origin: origin,
	}
}

// CheckSequence fails tb where what came of sender is not numbers first to last, each once and in order.
func CheckSequence(tb testing.TB, got []*hub.Publication, sender string, first, last int) {
	tb.Helper()
	next := first
	for _, p := range got {
		if p.From.ID != sender {
			continue
		}
		if want := protocol.MessageID(sender, fmt.Sprint(next)); p.ID != want {
			tb.Fatalf("of %s came %s, want %s", sender, p.ID, want)
		}
		next++
	}
	if next != last+1 {
		tb.Fatalf("of %s came %d to %d, want up to %d", sender, first, next-1, last)
	}
}

// checkIncreasing fails t where what came of sender is doubled or out of order; numbers may be missing. It returns how
// many came.
func checkIncreasing(t *testing.T, got []*hub.Publication, sender string) int {
	t.Helper()
	came, last := 0, -1
	for _, p := range got {
		if p.From.ID != sender {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(p.ID, sender+"/%d", &n); err != nil {
			t.Fatalf("read the number of %s: %v", p.ID, err)
		}
		if n <= last {
			t.Fatalf("of %s came %d after %d", sender, n, last)
		}
		last = n
		came++
	}
	return came
}
