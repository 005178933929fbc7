package ws

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestInboxCountsWhomItIsFor hands over messages with long lists of sessions: the lists count too, as
// publishers are held back by that count.
func TestInboxCountsWhomItIsFor(t *testing.T) {
	s, sessions := crowd(t, 10_000)
	m := &protocol.Message{Room: "r", ID: "X/1", From: protocol.Client{ID: "X"}, Kind: protocol.Text}
	for what, tell := range map[string]func(){
		"show":    func() { s.Show(m, append([]*hub.Session(nil), sessions...)) },
		"deliver": func() { s.Deliver(hub.Entry{Message: m}, append([]*hub.Session(nil), sessions...), false) },
	} {
		before := s.inbox.Size()
		tell()
		if counted, held := s.inbox.Size()-before, 8*len(sessions); counted < held {
			t.Errorf("%s: %d bytes are counted, and %d are held: %s of memory at the %d bytes where publishers wait", what, counted,
				held, fmt.Sprint(held/counted*(s.pace>>20), " MiB"), s.pace)
		}
	}
}
