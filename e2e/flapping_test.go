//go:build unix && !short

package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestRedisFlaps kills, starts, stops and resumes Redis over and over while clients of three hubs publish. In a live room
// what goes to other hubs meanwhile may be lost; but clients of the same hub see all of it, nobody sees anything twice, out
// of order or of his own, and what is published when Redis is back arrives everywhere. In a log room, with a Redis that
// keeps all on disk, nothing at all is lost. It runs beside no other test: its clients publish whatever arrives, and one that
// is kept from reading is closed, as it is too slow.
func TestRedisFlaps(t *testing.T) { bothKinds(t, "storm", testRedisFlaps) }

func testRedisFlaps(t *testing.T, room string) {
	redis := redistest.New(t, redistest.Options{Config: onDisk})
	hubs := startCluster(t, redis, 3)
	s := newStorm(t, room, hubs, 2)
	// What a hub shows while it is cut off has no place in the order of a log room, and passes what waits to be stored.
	s.checker.oneOrder, s.checker.anyOrder = false, isLog(room)
	var unsure map[string]int // how much each published before Redis was back for good; set before it is read
	if !isLog(room) {
		s.checker.mayMiss = func(client string, m message) bool {
			sameHub := client[:len("h0.")] == m.publisher[:len("h0.")]
			return !sameHub && m.n <= unsure[m.publisher]
		}
	}
	stop := s.blowSteadily(2 * time.Millisecond)
	for range 3 {
		redis.Kill()
		waitAll(hubs, true)
		redis.Start()
		waitAll(hubs, false)
		redis.Pause()
		waitAll(hubs, true)
		redis.Resume()
		waitAll(hubs, false)
		redis.Pause() // too short to be noticed
		redis.Resume()
		redis.Do("CLIENT", "KILL", "TYPE", "pubsub")
		redis.Do("CLIENT", "KILL", "TYPE", "normal")
	}
	stop()
	s.waitHealed()
	unsure = s.checker.counts()
	s.blow(50, 8)
	t.Logf("%d messages while Redis came and went, %d afterwards", sum(unsure), s.checker.published()-sum(unsure))
	s.end(func() { stopAll(hubs) })
}

func waitAll(hubs []*hub, isolated bool) {
	for _, h := range hubs {
		h.waitIsolated(isolated)
	}
}

// blowSteadily has every client publish at an interval, whatever arrives, until the returned function is called.
func (s *storm) blowSteadily(interval time.Duration) (stop func()) {
	enough := make(chan struct{}) // closed by stop, received by the publishers
	var publishing sync.WaitGroup
	for name, c := range s.clients {
		publishing.Go(func() { // ends when stop is called, which waits
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					s.send(name, c, nil)
				case <-enough:
					return
				}
			}
		})
	}
	return func() {
		close(enough)
		publishing.Wait()
	}
}

// waitHealed waits until what every client sends reaches all others. What was killed last may not have been noticed yet.
func (s *storm) waitHealed() {
	s.t.Helper()
	timeout := time.After(patience)
	for name, c := range s.clients {
		healed := make(chan struct{}, 1) // one slot: full once a message of this client was seen by all; never closed
		for waiting := true; waiting; {
			s.send(name, c, func() {
				select {
				case healed <- struct{}{}:
				default:
				}
			})
			select {
			case <-healed:
				waiting = false
			case <-time.After(50 * time.Millisecond):
			case <-timeout:
				s.t.Fatalf("messages of %s do not reach all others, though Redis is back", name)
			}
		}
	}
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
