package app

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// leastGrowth is by how many percent the heap grows at least before it is collected. Go's own 100 would have a hub of
	// many idle connections take twice what they need: handshakes leave 20 kB of garbage each.
	leastGrowth = 50

	// mostSpare is for how many bytes of garbage there is room where much is made. A hub in use has a small heap and makes
	// tens of megabytes of garbage a second, so half of the heap would be collected fifty times a second.
	mostSpare = 16 << 20

	// heapInterval is how often that is looked at.
	heapInterval = time.Second
)

// growth returns by how many percent the heap may grow that has live bytes in use, after an interval in which allocated
// bytes were: at least leastGrowth, and otherwise as far as allocated bytes go, or mostSpare.
func growth(live, allocated uint64) int {
	spare := min(allocated, mostSpare)
	return max(leastGrowth, int(100*spare/max(live, 1<<20)))
}

// saveMemory has the process's heap kept small while little is allocated, until the function that it returns is called.
// It does nothing where the environment has a GOGC.
func saveMemory() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(leastGrowth)
	stopped := make(chan struct{}) // closed by stop
	var w sync.WaitGroup
	// Ends at stop, which waits for it.
	w.Go(func() { watchHeap(stopped) })
	return func() {
		close(stopped)
		w.Wait()
		debug.SetGCPercent(before)
	}
}

// watchHeap sets by how much the heap grows, until stopped is closed.
func watchHeap(stopped <-chan struct{}) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(heapInterval)
	defer tick.Stop()
	metrics.Read(samples)
	now, before := leastGrowth, samples[1].Value.Uint64()
	for {
		select {
		case <-stopped:
			return
		case <-tick.C:
		}
		metrics.Read(samples)
		live, all := samples[0].Value.Uint64(), samples[1].Value.Uint64()
		next := growth(live, all-before)
		before = all
		if next < now*3/4 || next > now*5/4 { // each change stops the world for a moment
			debug.SetGCPercent(next)
			now = next
		}
	}
}
