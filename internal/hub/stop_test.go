package hub_test

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestStopStoresTheOutbox stops a hub just when the log is back: what it kept, and answered as kept,
// is stored.
func TestStopStoresTheOutbox(t *testing.T) {
	inLogWorld(t, hub.Options{}, 2, func(t *testing.T, w []*logWorld) {
		const kept = 5
		w[0].log.cut(true)
		for i := range kept {
			if p, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, fmt.Append(nil, i)); err != nil || p.Scope != "hub" {
				t.Fatalf("got %+v, %v", p, err)
			}
		}
		w[0].log.cut(false)
		if err := w[0].Close(); err != nil {
			t.Fatal(err)
		}
		page, err := w[1].History(t.Context(), "r", hub.Position{}, 10)
		if err != nil || len(page.Entries) != kept {
			t.Errorf("%d of %d messages that the hub kept are stored, %v", len(page.Entries), kept, err)
		}
	})
}
