package hub_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// costs is not many times what the outbox counts.
func TestOutboxCountsRooms(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		const rooms = 5000
		w[0].log.cut(true)
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		for i := range rooms {
			if _, err := w[0].PublishHTTP(t.Context(), fmt.Sprint("r", i), "", protocol.Text, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		w[0].shard.take()
		each := (heap() - before) / rooms
		t.Logf("%d bytes a room", each)
		if each > 1000 {
			t.Errorf("a message of one byte in a room of its own costs %d bytes, and counts for about 350", each)
		}
		runtime.KeepAlive(w)
	})
}
