// Package queue has the bounded queue between those who must not wait and the one goroutine that does the work.
//
// Its consumer takes everything that waits at once, so that under load the batch grows by itself, and nothing is
// delayed to make one. A queue starts no goroutine; it does not close, as its consumer ends by other means.
package queue

import "sync"

// Queue holds items up to a limit in bytes, as the producers count them. All methods may be called by several
// goroutines at once; Take by one.
type Queue[T any] struct {
	limit int           // immutable
	first func()        // called, holding no lock, by a producer whose item is the first that waits; immutable
	ready chan struct{} // one slot: full while something may wait; sent by producers, received by the consumer; never closed. nil with NewFunc

	mu    sync.Mutex
	items []T       // guarded by mu
	size  int       // bytes of items; guarded by mu
	ended bool      // guarded by mu
	taken sync.Cond // signalled by Take and End, waited for by Pace; its lock is mu
}

// New returns a queue that holds at most limit bytes.
func New[T any](limit int) *Queue[T] {
	ready := make(chan struct{}, 1)
	q := NewFunc[T](limit, func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	})
	q.ready = ready
	return q
}

// NewFunc returns a queue whose consumer waits in its own way: instead of Ready, first is called, by whoever puts an item
// into the empty queue, holding no lock.
func NewFunc[T any](limit int, first func()) *Queue[T] {
	q := &Queue[T]{limit: limit, first: first}
	q.taken.L = &q.mu
	return q
}

// Put appends item, which counts for size bytes, and reports whether there was room. An empty queue has room for any
// one item.
func (q *Queue[T]) Put(item T, size int) bool { return q.put(item, size, false) }

// Force appends item even where there is no room for it.
func (q *Queue[T]) Force(item T, size int) { q.put(item, size, true) }

func (q *Queue[T]) put(item T, size int, force bool) bool {
	q.mu.Lock()
	if !force && q.size > 0 && q.size+size > q.limit {
		q.mu.Unlock()
		return false
	}
	first := len(q.items) == 0
	q.items = append(q.items, item)
	q.size += size
	q.mu.Unlock()
	if first {
		q.first()
	}
	return true
}

// Ready returns the channel that the consumer waits on before it calls Take. A value in it may be stale: Take then
// returns nothing.
func (q *Queue[T]) Ready() <-chan struct{} { return q.ready }

// Take removes and returns all that waits, in order. The queue goes on in the memory of spent, the slice that the
// consumer took before and is done with; it is cleared here, so that the items can be collected.
func (q *Queue[T]) Take(spent []T) []T {
	clear(spent)
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.size = spent[:0], 0
	q.taken.Broadcast()
	return items
}

// Pace waits until at most limit bytes wait, or the consumer has ended. A producer that may wait calls it before it puts,
// holding no lock, so that what it forces in stays bounded.
func (q *Queue[T]) Pace(limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.size > limit && !q.ended {
		q.taken.Wait()
	}
}

// End says that nothing more is taken: nobody is to wait for that.
func (q *Queue[T]) End() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.taken.Broadcast()
}

// Size returns how many bytes wait.
func (q *Queue[T]) Size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}
