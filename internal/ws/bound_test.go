package ws

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestGapsAreExact puts messages of live rooms into the queue of a connection at random, with frames that may not be
// dropped between them, and takes some out now and then. What came out and what was told as lost is all, in order; and
// each room has one gap at most in the queue, but for those it was left and joined again between.
func TestGapsAreExact(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newTestServer(t, Options{SendQueue: 8 << 10})
		c := s.newConn(v1)
		sent, next := map[string]int{}, map[string]int{}
		take := func(part int) {
			spans, begun := c.queue.take(s.options.writeMost(), vectorsMost)
			waits := -begun
			for _, sp := range spans {
				waits += sp.size()
			}
			c.written(waits/part, func(sp span) {
				for i := sp.from; i < sp.to; i++ {
					checkTaken(t, seed, span{sp.block, i, i + 1}, next)
				}
			})
		}
		for range 600 {
			room := fmt.Sprint("live.", r.IntN(4))
			switch n := r.IntN(40); {
			case n == 0:
				c.push(newBlock(ws.OpText, []byte(`{"type":"pong"}`)))
			case n == 1:
				there := newBlock(ws.OpText, fmt.Appendf(nil, `{"type":"there","room":%q}`, room))
				there.one[0].room = room
				c.push(there)
			case n < 4:
				take(1 + r.IntN(3)) // all of it, or a part, which may end within a frame
			default:
				data := fmt.Sprintf(`%d%s`, sent[room], strings.Repeat(" ", r.IntN(900)))
				m := &protocol.Message{Room: room, Kind: protocol.JSON, Data: []byte(data), Time: time.UnixMilli(1)}
				sent[room]++
				c.push(messageBlock(v1, protocol.Delivery{Message: m}))
			}
			gaps := map[string]int{}
			for _, f := range c.queue.frames() {
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
		if how := c.howClosed(); how != nil {
			t.Fatalf("seed %d: closed with %d", seed, how.code)
		}
		for len(c.queue.spans) > 0 {
			take(1)
		}
		for room, n := range sent {
			if next[room] != n {
				t.Errorf("seed %d: %s: %d of %d are accounted for", seed, room, next[room], n)
			}
		}
		if s.metrics.slow.Load() != 0 || c.queue.bytes != 0 {
			t.Errorf("seed %d: %d bytes wait, %d slow", seed, c.queue.bytes, s.metrics.slow.Load())
		}
	}
}

// frames returns what waits, without a frame that was begun.
func (q *sendQueue) frames() (all []frame) {
	for i, s := range q.spans {
		if i == 0 && q.begun > 0 {
			s.from++
		}
		all = append(all, s.each()...)
	}
	return all
}

// checkTaken looks at a frame that is to be written, and counts on in next.
func checkTaken(t *testing.T, seed uint64, s span, next map[string]int) {
	t.Helper()
	f := s.each()[0]
	text := s.bytes()[strings.Index(string(s.bytes()), `{"`):]
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
