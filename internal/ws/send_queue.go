package ws

import (
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// sendQueue is what waits to be written to a connection, in order. It is guarded by the connection's mu.
//
// Whoever writes takes the front of it by take, writes it holding no lock, and says by wrote how far that came. What is
// being written, and a frame of which a part was, stay in the queue until then, and are not dropped.
type sendQueue struct {
	spans []span
	bytes int   // of all spans, without what was written of the first frame
	begun int   // bytes of the first frame that were written
	taken int32 // spans that are being written
	slow  bool  // it was more than half full, and is not empty again

	one [1]span // where spans begin: most of the time there is one at most, which needs no memory of its own
}

// spansKept is for how many spans a connection keeps memory while it has none to write.
const spansKept = 16

func (q *sendQueue) append(s span) {
	if q.spans == nil {
		q.spans = q.one[:0]
	}
	if last := len(q.spans) - 1; last >= int(q.taken) && q.spans[last].block == s.block && q.spans[last].to == s.from {
		q.spans[last].to = s.to
	} else {
		q.spans = append(q.spans, s)
	}
	q.bytes += s.size()
}

// pongsMost is how many pongs wait, one behind the other, before the last is given the payload of the next.
const pongsMost = 128

// repong answers a ping with the pong that waits last, where many wait that nothing else follows: "the endpoint MAY elect
// to send a Pong frame for only the most recently processed Ping frame" (RFC 6455 §5.5.3). It reports whether that is so.
func (q *sendQueue) repong(payload []byte) bool {
	from := len(q.spans) - pongsMost
	if from < int(q.taken) {
		return false
	}
	for _, s := range q.spans[from:] {
		if !s.frames[s.from].pong {
			return false
		}
	}
	last := q.spans[len(q.spans)-1].block
	q.bytes -= len(last.bytes)
	last.bytes = appendFrame(last.bytes[:0], ws.OpPong, payload)
	last.frames[0].end = len(last.bytes)
	q.bytes += len(last.bytes)
	return true
}

// take returns spans from the front, of at most most bytes and pieces, but one frame at least, and how many bytes of the
// first were written. They are valid until wrote or discard is called.
func (q *sendQueue) take(most, pieces int) (spans []span, begun int) {
	size := 0
	for i := range q.spans {
		s := &q.spans[i]
		n := s.size()
		if i == pieces {
			break
		}
		if size+n > most {
			if q.cut(i, most-size) {
				i++
			}
			return q.taking(i)
		}
		size += n
	}
	return q.taking(min(len(q.spans), pieces))
}

func (q *sendQueue) taking(n int) ([]span, int) {
	q.taken = int32(n)
	return q.spans[:n], q.begun
}

// cut splits span i, so that it has as many frames as fit into most bytes. Of the first span it is one frame at least. It
// reports whether that is any.
func (q *sendQueue) cut(i, most int) bool {
	s := q.spans[i]
	from := s.start(int(s.from))
	to := s.from
	for to < s.to && (s.frames[to].end-from <= most || i == 0 && to == s.from) {
		to++
	}
	if to == s.from {
		return false
	}
	if to < s.to {
		q.spans = append(q.spans, span{})
		copy(q.spans[i+1:], q.spans[i:])
		q.spans[i].to, q.spans[i+1].from = to, to
	}
	return true
}

// wrote says that n bytes of what was taken were written. It has done called for each span of frames that were written
// as a whole.
func (q *sendQueue) wrote(n int, done func(span)) {
	if q.taken == 0 {
		return // it was discarded meanwhile
	}
	q.taken = 0
	q.bytes -= n
	n += q.begun
	q.begun = 0
	whole := 0
	for ; whole < len(q.spans); whole++ {
		s := q.spans[whole]
		size := s.size()
		if n < size {
			break
		}
		n -= size
		done(s)
	}
	q.remove(whole)
	if n == 0 || len(q.spans) == 0 {
		return
	}
	first := &q.spans[0]
	from, to := first.start(int(first.from)), first.from
	for first.frames[to].end-from <= n {
		to++
	}
	if to > first.from {
		done(span{first.block, first.from, to})
		n -= first.start(int(to)) - from
		first.from = to
	}
	q.begun = n
}

// remove takes out the first n spans.
func (q *sendQueue) remove(n int) {
	rest := copy(q.spans, q.spans[n:])
	clear(q.spans[rest:])
	q.spans = q.spans[:rest]
	if rest == 0 && cap(q.spans) > spansKept {
		q.spans = nil // give back what a burst needed
	}
}

// idle gives back the memory of a queue that is empty.
func (q *sendQueue) idle() {
	if len(q.spans) == 0 {
		q.spans = nil
	}
}

// trim empties the queue, but for what is being written or was begun.
func (q *sendQueue) trim() {
	n := int(q.taken)
	if n == 0 && q.begun > 0 {
		q.cut(0, 0) // to one frame
		n = 1
	}
	clear(q.spans[n:])
	q.spans = q.spans[:n]
	q.bytes = -q.begun
	for _, s := range q.spans {
		q.bytes += s.size()
	}
}

// discard empties the queue, and with it what is being written.
func (q *sendQueue) discard() {
	clear(q.spans)
	q.spans, q.bytes, q.begun, q.taken = nil, 0, 0, 0
}

// drop drops the oldest messages that may be dropped until the queue holds at most so many bytes, and returns how many
// they were. In the place of the first of a room comes a gap, which counts them, and is encoded as e. As the oldest go
// first, no message of the room is before its gap; so there is one a room, however often this happens while it waits.
func (q *sendQueue) drop(most int, e encoding) (dropped int) {
	kept := sendQueue{taken: q.taken}
	holes := holes{at: make(map[string]int)}
	for i, s := range q.spans {
		if i < int(q.taken) {
			kept.spans = append(kept.spans, s)
			continue
		}
		for at := s.from; at < s.to; at++ {
			f := &s.frames[at]
			one := span{s.block, at, at + 1}
			begun := i == 0 && at == s.from && q.begun > 0
			switch {
			case begun:
			case f.droppable() && q.bytes > most:
				q.bytes -= one.size()
				dropped++
				if f.room != "" { // otherwise nobody can be told
					kept.hole(&holes, f.room).lost++
				}
				continue
			case f.lost > 0:
				holes.at[f.room] = len(holes.found)
				holes.found = append(holes.found, hole{room: f.room, index: len(kept.spans), told: s.block, lost: f.lost})
			case f.room != "" && !f.droppable():
				delete(holes.at, f.room) // joined anew: what is lost behind this is told behind it
			}
			kept.keep(one)
		}
	}
	q.spans = kept.spans
	for _, h := range holes.found {
		if h.told != nil && h.told.frames[0].lost == h.lost {
			continue
		}
		gap := gapBlock(e, h.room, h.lost)
		q.bytes += len(gap.bytes)
		if h.told != nil {
			q.bytes -= len(h.told.bytes)
		}
		q.spans[h.index] = gap.whole()
	}
	return dropped
}

// keep appends one frame to what is kept.
func (q *sendQueue) keep(one span) {
	last := len(q.spans) - 1
	if last >= int(q.taken) && q.spans[last].block == one.block && q.spans[last].to == one.from {
		q.spans[last].to = one.to
		return
	}
	q.spans = append(q.spans, one)
}

// hole returns the hole that messages of room which are dropped now belong to.
func (q *sendQueue) hole(holes *holes, room string) *hole {
	i, ok := holes.at[room]
	if !ok {
		i = len(holes.found)
		holes.at[room] = i
		holes.found = append(holes.found, hole{room: room, index: len(q.spans)})
		q.spans = append(q.spans, span{}) // where the gap will be
	}
	return &holes.found[i]
}

// holes are where messages are missing in a queue.
type holes struct {
	found []hole
	at    map[string]int // by room: the one in found that messages which are dropped now belong to
}

type hole struct {
	room  string
	index int    // in the queue
	told  *block // the gap that stood there before; nil for none
	lost  int
}

// gapBlock tells of messages that were dropped.
func gapBlock(e encoding, room string, lost int) *block {
	var b *block
	if e == events {
		b = gapEvent(lost)
	} else {
		b = newBlock(ws.OpText, (&protocol.Frame{Type: protocol.TypeGap, Room: room, Count: &lost}).Encode())
	}
	b.one[0].room, b.one[0].lost = room, lost
	return b
}
