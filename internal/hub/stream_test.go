package hub_test

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestStreamPositionsCountUp has a stream and a session of hub.v1 be shown a message without a position, which was stored
// before they had a cursor. The session is told where it stands; a stream, whose positions are cursors, is not.
func TestStreamPositionsCountUp(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		a := w[0].session(t, "a")
		w[0].told()
		w[0].log.hold(true) // the answer is late
		say(t, a, "1")
		w[0].want()
		w[0].log.cut(true)
		w[0].wantInAnyOrder("send a error unknown key=1", "broadcast status isolated=true")
		w[0].log.hold(false)
		s := w[0].NewStream(w[0].shard, "stream")
		s.EnterStream(t.Context(), "r", hub.Position{}, true)
		b := w[0].session(t, "b")
		receive(t, b, `{"type":"join","room":"r"}`)
		w[0].want("join r stream behind: nothing", "announce r joined*", "send b welcome", "send b status*", "join r b behind:*",
			"announce r joined*")
		receive(t, a, `{"type":"publish","room":"r","key":"1","data":"1","birth":""}`)
		w[0].want(`show r "1" to [*]`, "send a ack key=1 hub")
		w[0].log.cut(false)
		time.Sleep(time.Second) // virtual
		w[0].wantInAnyOrder("broadcast status isolated=false", "attach r stream: subscribed at=1", "attach r b: subscribed at=1",
			"send a ack key=1 cluster at=1 duplicate", "send b ack cluster at=1")
		s.Closed(false)
		w[0].want("leave r stream", "announce r left*")
	})
}
