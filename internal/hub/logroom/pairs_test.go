package logroom

import (
	"fmt"
	"testing"
)

// TestMarksAreCounted shows a message again to some who knew its position: what
// the marks count is what they hold, or in time they would forget all but one message for ever.
func TestMarksAreCounted(t *testing.T) {
	r := New(Options{}, NewBudget(1<<20))
	var all []*subscriber
	for i := range 4 {
		r.join(Join{Session: i, Publisher: fmt.Sprint(i), Provisional: true})
		all = append(all, r.bySession[i])
	}
	r.mark("X/1", "X", all)
	for _, s := range all[:3] {
		r.marks.settle("X/1", s)
	}
	r.mark("X/1", "X", all[:3])
	held := 0
	for _, k := range r.marks.of {
		held += k.pairs()
	}
	if r.marks.pairs != held {
		t.Errorf("%d pairs are counted, %d are there", r.marks.pairs, held)
	}
}
