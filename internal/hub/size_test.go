//go:build !race

package hub_test

import (
	"runtime"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestSessionSize counts the bytes that the hub keeps for a plain session that does nothing, in a crowd, those of a
// presence in memory included. They were 378 and 635; without a forced collection a process takes about twice as much.
func TestSessionSize(t *testing.T) {
	const sessions = 20_000
	for _, c := range []struct {
		name string
		room string
		most int
	}{
		{name: "live room", room: "live.r", most: 455},
		{name: "log room", room: "r", most: 765},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hub.New(hub.Options{
				Name: "hub", Broker: memory.NewBus(memory.Options{}).Broker(),
				Logs: memory.NewLogs(memory.LogOptions{}).Log(), Presence: memory.NewEverybody().Presence(),
			})
			h.AddShard(idle{})
			if err := h.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = h.Close() })
			all := make([]*hub.Session, sessions)
			before := live()
			for i := range all {
				all[i] = h.NewSession(idle{}, nil, true)
				all[i].EnterPlain(t.Context(), c.room)
			}
			each := (live() - before) / sessions
			runtime.KeepAlive(all)
			t.Logf("%d bytes a session", each)
			if each > c.most {
				t.Errorf("%d bytes a session, want at most %d", each, c.most)
			}
		})
	}
}

// live returns how many bytes of the heap are alive.
func live() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
