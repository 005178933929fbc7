package hub_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestKeyOfHubCannotBeTaken publishes over HTTP under keys that follow the one that the hub made for a message, and
// that everybody saw: what is then published without a key is stored all the same.
func TestKeyOfHubCannotBeTaken(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		seen, err := w[0].PublishHTTP(t.Context(), "r", "", protocol.Text, []byte("seen"))
		if err != nil {
			t.Fatal(err)
		}
		key := protocol.KeyOf(seen.ID, "http:r")
		made, number, _ := strings.Cut(key, ".")
		n, err := strconv.ParseUint(number, 36, 64)
		if err != nil {
			t.Skip("the key is not counted up any more:", key)
		}
		for i := range uint64(10) {
			next := made + "." + strconv.FormatUint(n+1+i, 36)
			if _, err := w[0].PublishHTTP(t.Context(), "r", next, protocol.Text, []byte("taken")); err != nil {
				return // refused: fine
			}
		}
		p, err := w[0].PublishHTTP(t.Context(), "r", "", protocol.Text, []byte("lost"))
		if err != nil || p.Duplicate {
			t.Errorf("a message without a key was not stored, and its sender is told that it is: %+v, %v", p, err)
		}
	})
}
