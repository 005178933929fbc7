package hub_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestOutboxLetsSessionsGo has a session publish while the log is away, and end: what waits to be stored keeps
// the message, and not the connection with its buffers, which the outbox does not count.
func TestOutboxLetsSessionsGo(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		w[0].log.cut(true)
		handle := &[1 << 20]byte{1}
		kept := weak.Make(handle)
		s := w[0].session(t, handle)
		w[0].shard.take()
		say(t, s, "1")
		s.Closed(false)
		s, handle = nil, nil
		for range 3 {
			runtime.GC()
		}
		if kept.Value() != nil {
			t.Error("the connection of a session that has gone is kept for as long as its message is")
		}
	})
}
