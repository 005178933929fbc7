package client

import "sync"

// overhead is what a waiting message counts for beside its data: its struct, its strings and its place in the buffer.
const overhead = 256

// buffer holds what waits in one room for its reader, up to a limit in bytes. The goroutine that reads the connection
// must never wait for the program, so where there is no room the oldest message goes, and the gap that it leaves is
// kept in its place.
type buffer struct {
	limit int           // immutable
	wake  chan struct{} // one slot: full while something may wait; sent by all, received by readers; never closed

	mu    sync.Mutex
	lost  Gap    // what is missing before the first item; guarded by mu
	items []item // guarded by mu
	size  int    // bytes of items; guarded by mu
}

// item is a message, or a gap where message is nil.
type item struct {
	message *Message
	gap     Gap
}

func (i item) size() int {
	if i.message == nil {
		return overhead
	}
	return overhead + len(i.message.Data)
}

func newBuffer(limit int) *buffer {
	return &buffer{limit: limit, wake: make(chan struct{}, 1)}
}

// put appends i, and drops the oldest items where it has no room beside them.
func (b *buffer) put(i item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, i)
	b.size += i.size()
	for b.size > b.limit && len(b.items) > 1 {
		oldest := b.pop()
		if oldest.message != nil {
			oldest.gap.Dropped = 1
		}
		b.lost.add(oldest.gap)
	}
	b.signal()
}

// next removes and returns the oldest item, or says that there is none.
func (b *buffer) next() (item, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.lost.isZero() {
		i := item{gap: b.lost}
		b.lost = Gap{}
		b.signal() // for another reader: put signals once for all that waits
		return i, true
	}
	if len(b.items) == 0 {
		return item{}, false
	}
	i := b.pop()
	if len(b.items) > 0 {
		b.signal()
	}
	return i, true
}

// pop removes and returns the first item. The caller holds mu.
func (b *buffer) pop() item {
	i := b.items[0]
	b.items[0] = item{} // so that the message can be collected while the slice lives on
	b.items = b.items[1:]
	b.size -= i.size()
	return i
}

// signal fills the slot of wake.
func (b *buffer) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}
