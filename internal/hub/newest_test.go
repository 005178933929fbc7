package hub_test

import (
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestNewestAreTheNewest asks for the newest messages of a room whose messages are large: those that come are the newest.
func TestNewestAreTheNewest(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		for range 10 {
			if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, []byte(strings.Repeat("x", 60<<10))); err != nil {
				t.Fatal(err)
			}
		}
		page, err := w[0].History(t.Context(), "r", hub.Position{}, 10)
		if n := len(page.Entries); err != nil || n == 0 || page.Entries[n-1].At.Offset != 10 {
			t.Errorf("the newest 10 end at %v of 10, %v", page.Next, err)
		}
	})
}
