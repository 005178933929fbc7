package ws

import (
	"fmt"
	"runtime"
	"time"
)

const (
	// yieldEvery is after how long the network is looked at for others, at the end of a round, which takes some 4 µs;
	// yieldLate, after how long at the latest. Where runtime.Gosched takes no longer than nobodyRan, nobody else could run.
	yieldEvery = 100 * time.Microsecond
	yieldLate  = 5 * time.Millisecond
	nobodyRan  = 2 * time.Microsecond
)

// yield lets others go on. Where loops may have all processors the runtime looks at the network every 10 ms alone, so there
// the loop has it look: at what brings the hub work, and at all else on the same port. That waits for all who can run, as
// the sweeper does after a collection, so it is put off while there is such.
func (l *loop) yield() {
	began := l.now()
	runtime.Gosched()
	if began-l.yielded < yieldEvery {
		return
	}
	now := l.now()
	if runtime.GOMAXPROCS(0) > len(l.server.shards) { // somebody else looks
		l.yielded = now
		return
	}
	if now-began > nobodyRan && now-l.yielded < yieldLate {
		return
	}
	l.yielded = now
	mustWork(l.yielder.Yield())
}

// mustWork panics where a descriptor that a loop waits on is broken.
func mustWork(err error) {
	if err != nil {
		panic(fmt.Sprintf("ws: a loop cannot wait: %v", err))
	}
}
