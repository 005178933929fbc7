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
	got := q.Take(nil)
	if len(got) != 2 || got[1] != "c" || len(q.Take(nil)) > 0 {
		t.Errorf("took %q, and more was left", got)
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

// TestPace has producers that force items in and pace themselves: what waits stays bounded.
func TestPace(t *testing.T) {
	const producers, each, limit = 4, 5_000, 10
	q := queue.New[int](1)
	var all sync.WaitGroup
	for range producers {
		all.Go(func() {
			for range each {
				q.Pace(limit)
				q.Force(1, 1)
			}
		})
	}
	for got := 0; got < producers*each; {
		<-q.Ready()
		n := len(q.Take(nil))
		if n > limit+producers {
			t.Fatalf("%d items waited, with a limit of %d and %d producers", n, limit, producers)
		}
		got += n
	}
	all.Wait()
}
