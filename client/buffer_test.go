package client

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestBufferMergesGaps fills a buffer over and over: what is dropped, gaps of lost connections included, is told before
// what is left, and the limit holds all the time.
func TestBufferMergesGaps(t *testing.T) {
	b := newBuffer(3 * (overhead + 4))
	message := item{message: &Message{Message: protocol.Message{Data: []byte("four")}}}
	for range 5 {
		b.put(message)
		if b.size > b.limit {
			t.Errorf("%d bytes wait, more than %d", b.size, b.limit)
		}
	}
	for _, gap := range []Gap{{Away: time.Second}, {Lost: 3}, {Reset: true}, {Lost: 4}} {
		b.put(item{gap: gap})
	}
	for range 3 {
		b.put(message)
	}
	i, ok := b.next()
	if !ok || i.message != nil || i.gap != (Gap{Dropped: 5, Away: time.Second, Lost: 7, Reset: true}) {
		t.Errorf("first %+v", i)
	}
	for range 3 {
		if i, ok := b.next(); !ok || i.message == nil {
			t.Errorf("then %+v, %v", i, ok)
		}
	}
	if i, ok := b.next(); ok {
		t.Errorf("at the end %+v", i)
	}
	if b.size != 0 {
		t.Errorf("%d bytes in an empty buffer", b.size)
	}
}

// TestBufferKeepsGaps has a gap dropped, and nothing else.
func TestBufferKeepsGaps(t *testing.T) {
	for _, gap := range []Gap{{Dropped: 1}, {Away: 1}, {Lost: 1}, {Reset: true}} {
		b := newBuffer(10)
		b.put(item{gap: gap})
		b.put(item{message: &Message{}})
		if i, ok := b.next(); !ok || i.gap != gap {
			t.Errorf("first %+v, %v, want %+v", i, ok, gap)
		}
	}
}

// TestBufferTakesOne has a message that is larger than the whole buffer.
func TestBufferTakesOne(t *testing.T) {
	b := newBuffer(10)
	for range 2 {
		b.put(item{message: &Message{Message: protocol.Message{Data: make([]byte, 100)}}})
	}
	if i, ok := b.next(); !ok || i.gap.Dropped != 1 {
		t.Errorf("first %+v, %v", i, ok)
	}
	if i, ok := b.next(); !ok || i.message == nil {
		t.Errorf("then %+v, %v", i, ok)
	}
}
