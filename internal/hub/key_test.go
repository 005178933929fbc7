package hub_test

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestKeyOfHubCannotBeTaken looks at the keys that the hub makes for messages over HTTP, which everybody sees in their
// ids: who knows one knows nothing of the next. Otherwise somebody could publish under it first, and what is then
// published without a key would count as stored before.
func TestKeyOfHubCannotBeTaken(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		var before string
		for range 100 {
			p, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, []byte("x"))
			if err != nil || p.Duplicate {
				t.Fatalf("got %+v, %v", p, err)
			}
			key := protocol.KeyOf(p.ID, "http:r")
			same := 0
			for same < min(len(key), len(before)) && key[same] == before[same] {
				same++
			}
			if len(key)-same < 16 { // of 32 letters and digits: 80 bits that nobody can guess
				t.Fatalf("%q follows %q", key, before)
			}
			before = key
		}
	})
}
