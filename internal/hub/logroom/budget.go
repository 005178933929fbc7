package logroom

import "sync/atomic"

// Budget bounds in bytes what the rooms of one hub hold of messages that are not stored yet. Its methods may be
// called by several goroutines at once.
type Budget struct {
	limit int64 // immutable
	used  atomic.Int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int) *Budget { return &Budget{limit: int64(limit)} }

// Used returns how many bytes are taken.
func (b *Budget) Used() int { return int(b.used.Load()) }

// take takes n bytes, and reports whether they were there.
func (b *Budget) take(n int) bool {
	if b.used.Add(int64(n)) <= b.limit {
		return true
	}
	b.used.Add(-int64(n))
	return false
}

func (b *Budget) give(n int) { b.used.Add(-int64(n)) }
