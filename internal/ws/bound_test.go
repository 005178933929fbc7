package ws

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestGapsAreExact puts messages of live rooms into the queue of a connection at random, with frames that may not be
// dropped between them, and takes some out now and then. What came out and what was told as lost is all, in order; and
// each room has one gap at most in the queue, but for those it was left and joined again between.
func TestGapsAreExact(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := &Server{metrics: new(metrics), options: Options{SendQueue: 8 << 10}}
		s.options.setDefaults()
		c := &conn{server: s, wake: make(chan struct{}, 1), session: new(hub.Session)}
		sent, next := map[string]int{}, map[string]int{}
		var frames []*frame
		take := func() {
			var how *closing
			if frames, how = c.take(frames); how != nil {
				t.Fatalf("seed %d: closed with %d", seed, how.code)
			}
			for _, f := range frames {
				checkTaken(t, seed, f, next)
			}
			c.delivered(frames)
		}
		for range 600 {
			room := fmt.Sprint("live.", r.IntN(4))
			switch n := r.IntN(40); {
			case n == 0:
				c.push(newFrame(ws.OpText, []byte(`{"type":"pong"}`)))
			case n == 1:
				there := newFrame(ws.OpText, fmt.Appendf(nil, `{"type":"there","room":%q}`, room))
				there.room = room
				c.push(there)
			case n < 4:
				take()
			default:
				data := fmt.Sprintf(`%d%s`, sent[room], strings.Repeat(" ", r.IntN(900)))
				m := &protocol.Message{Room: room, Kind: protocol.JSON, Data: []byte(data), Time: time.UnixMilli(1)}
				sent[room]++
				c.push(v1.message(protocol.Delivery{Message: m}, false))
			}
			gaps := map[string]int{}
			for _, f := range c.queue {
				switch {
				case f.lost > 0:
					if gaps[f.room]++; gaps[f.room] > 1 {
						t.Fatalf("seed %d: two gaps of %s wait", seed, f.room)
					}
				case f.room != "" && !f.droppable():
					gaps[f.room] = 0
				}
			}
		}
		for len(c.queue) > 0 {
			take()
		}
		for room, n := range sent {
			if next[room] != n {
				t.Errorf("seed %d: %s: %d of %d are accounted for", seed, room, next[room], n)
			}
		}
		if s.metrics.slow.Load() != 0 || c.bytes != 0 {
			t.Errorf("seed %d: %d bytes wait, %d slow", seed, c.bytes, s.metrics.slow.Load())
		}
	}
}

// checkTaken looks at a frame that is to be written, and counts on in next.
func checkTaken(t *testing.T, seed uint64, f *frame, next map[string]int) {
	t.Helper()
	text := f.bytes[strings.Index(string(f.bytes), `{"`):]
	got, err := protocol.DecodeFrame(text)
	if err != nil {
		t.Fatalf("seed %d: %q: %v", seed, text, err)
	}
	switch got.Type {
	case protocol.TypeGap:
		if got.Count == nil || *got.Count < 1 || *got.Count != f.lost {
			t.Fatalf("seed %d: %s, and %d are lost", seed, text, f.lost)
		}
		next[got.Room] += *got.Count
	case protocol.TypeMessage:
		var n int
		if err := json.Unmarshal(got.Data, &n); err != nil || n != next[got.Room] {
			t.Fatalf("seed %d: got %s, where %d was to come", seed, text, next[got.Room])
		}
		next[got.Room]++
	}
}
