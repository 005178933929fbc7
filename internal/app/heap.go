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

	// mostSpare is for how many bytes of garbage there is room where messages make much. A hub in use has a small heap and
	// makes tens of megabytes of garbage a second, so half of the heap would be collected fifty times a second.
	mostSpare = 16 << 20

	// messageGarbage is what a message is taken to leave at most: in a log room it is some 2 kB in all. Of what is allocated
	// more than that is left by handshakes, and for those there is no need of room.
	messageGarbage = 4 << 10

	// heapInterval is how often that is looked at.
	heapInterval = time.Second
)

// growth returns by how many percent the heap may grow that has live bytes in use, after an interval in which so many bytes
// were allocated and messages came: at least leastGrowth, and otherwise by what that interval took for messages, or
// mostSpare.
func growth(live, allocated, messages uint64) int {
	spare := min(allocated, messages*messageGarbage, mostSpare)
	return max(leastGrowth, int(100*spare/max(live, 1<<20)))
}

// saveMemory has the process's heap kept small while few messages come, until the function that it returns is called.
// Received returns how many came so far. It does nothing where the environment has a GOGC.
func saveMemory(received func() uint64) (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(leastGrowth)
	stopped := make(chan struct{}) // closed by stop
	var w sync.WaitGroup
	// Ends at stop, which waits for it.
	w.Go(func() { watchHeap(stopped, received) })
	return func() {
		close(stopped)
		w.Wait()
		debug.SetGCPercent(before)
	}
}

// watchHeap sets by how much the heap grows, until stopped is closed.
func watchHeap(stopped <-chan struct{}, received func() uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(heapInterval)
	defer tick.Stop()
	metrics.Read(samples)
	now, allBefore, messagesBefore := leastGrowth, samples[1].Value.Uint64(), received()
	for {
		select {
		case <-stopped:
			return
		case <-tick.C:
		}
		metrics.Read(samples)
		live, all, messages := samples[0].Value.Uint64(), samples[1].Value.Uint64(), received()
		next := growth(live, all-allBefore, messages-messagesBefore)
		allBefore, messagesBefore = all, messages
		if next < now/2 || next > now*2 || next == leastGrowth && now != next { // each change stops the world for a moment
			debug.SetGCPercent(next)
			now = next
		}
	}
}
