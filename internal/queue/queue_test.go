package queue_test

import (
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/queue"
)

func TestBound(t *testing.T) {
	q := queue.New[string](10)
	if !q.Put("larger than the limit", 11) {
		t.Error("an empty queue refused one item")
	}
	if q.Put("b", 1) {
		t.Error("a full queue took an item")
	}
	q.Force("c", 5)
	if q.Size() != 16 {
		t.Errorf("size %d, want 16", q.Size())
	}
	got := q.Take(nil)
	if len(got) != 2 || got[1] != "c" || q.Size() != 0 {
		t.Errorf("took %q, and %d bytes are left", got, q.Size())
	}
	if !q.Put("d", 10) || q.Put("e", 1) {
		t.Error("the limit is not that of the bytes which wait")
	}
}

func TestTakeClearsWhatIsSpent(t *testing.T) {
	q := queue.New[*int](100)
	q.Put(new(int), 1)
	spent := q.Take(nil)
	q.Take(spent)
	if spent[0] != nil {
		t.Error("an item that was worked on is still held")
	}
}

// TestOrder has producers that put while the consumer takes: all arrives once, in the order of each producer.
func TestOrder(t *testing.T) {
	const producers, each = 4, 10_000
	type item struct{ producer, n int }
	q := queue.New[item](producers * each)
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for n := range each {
				if !q.Put(item{p, n}, 1) {
					t.Errorf("producer %d was refused", p)
				}
			}
		})
	}
	var next [producers]int
	var batch []item
	for got := 0; got < producers*each; {
		<-q.Ready()
		batch = q.Take(batch)
		for _, i := range batch {
			if i.n != next[i.producer] {
				t.Fatalf("producer %d: got %d, want %d", i.producer, i.n, next[i.producer])
			}
			next[i.producer]++
		}
		got += len(batch)
	}
	all.Wait()
}
