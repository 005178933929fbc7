package ws

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// crowd returns a shard with n sessions attached to a room.
func crowd(t *testing.T, n int) (*shard, []*hub.Session) {
	server := newTestServer(t, Options{SendQueue: 1 << 30})
	s := server.shards[0]
	sessions := make([]*hub.Session, n)
	for i := range sessions {
		c := server.newSocket(v1)
		sessions[i] = c.session
		s.join(c, "r", true)
	}
	return s, sessions
}

// TestHoldersCostLinear tells small rooms and large ones the positions of messages that all there hold, the same
// number of positions in all: the larger room must not cost many times as much, as the shard serves all rooms.
func TestHoldersCostLinear(t *testing.T) {
	const positions = 320_000
	cost := func(n int) time.Duration {
		s, sessions := crowd(t, n)
		m := &protocol.Message{Room: "r", ID: "X/1", From: protocol.Client{ID: "X"}, Kind: protocol.Text}
		took := time.Duration(0)
		for range positions / n {
			s.Deliver(hub.Entry{At: protocol.Position{Epoch: "e", Offset: 1}, Message: m}, sessions, false)
			began := time.Now()
			s.work(s.inbox.Take(nil))
			took += time.Since(began)
			for _, session := range sessions { // as its writer does
				c := session.Handle.(*conn)
				c.queue.discard()
			}
		}
		return took
	}
	ratio := 100.0
	for range 5 { // whatever else the machine does
		small, large := cost(500), cost(16_000)
		t.Logf("%d positions: 500 sessions %v, 16,000 sessions %v", positions, small, large)
		if ratio = min(ratio, float64(large)/float64(small)); ratio <= 3 {
			return
		}
	}
	t.Errorf("a room of 16,000 costs %.1f times one of 500", ratio)
}
