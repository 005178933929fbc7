package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// back opens another session of s's client.
func (w *logWorld) back(handle string, s *hub.Session) *hub.Session {
	w.t.Helper()
	again := w.NewSession(w.shard, handle, false)
	receive(w.t, again, fmt.Sprintf(`{"type":"hello","name":"x","client":{"id":%q,"secret":%q}}`, s.ID(), w.SecretOf(s.ID())))
	return again
}

// TestDisplacedSessionTakesNothing has a session that another of its client displaced, and that is not closed yet, join a
// room that the other is in: the other, which lives, goes on getting its messages.
func TestDisplacedSessionTakesNothing(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		old := w[0].session(t, "old")
		now := w[0].back("now", old)
		receive(t, now, `{"type":"join","room":"r"}`)
		w[0].told()
		// The frame was on its way.
		_ = old.Receive([]byte(`{"type":"join","room":"r"}`), false)
		for _, line := range w[0].told() {
			if line == "detach r now" || line == "leave r now" {
				t.Errorf("the session that lives was taken out of its room: %s", line)
			}
		}
	})
}

// TestDisplacedTwice has a client come three times while its first session is not closed yet: it counts once, and has
// left when the last is gone.
func TestDisplacedTwice(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		w[0].enter("watcher")
		first := w[0].enter("first")
		second := w[0].back("second", first)
		second.Closed(false)
		third := w[0].back("third", first)
		receive(t, third, `{"type":"join","room":"r"}`)
		if told := strings.Join(w[0].told(), "\n"); !strings.Contains(told, "there count=2 people=2") {
			t.Errorf("two people are in the room, and the shard was told\n%s", told)
		}
		first.Closed(false)
		if told := strings.Join(w[0].told(), "\n"); strings.Contains(told, "left") {
			t.Errorf("a client that is there was said to have left:\n%s", told)
		}
	})
}
