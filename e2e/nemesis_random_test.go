//go:build unix && !short

package e2e

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestFaultsAtRandom mixes what the other tests do one at a time: clients that are cut, go elsewhere and go back to what
// they were, and a Redis with its file that is killed, stopped or cuts its connections, with hubs that notice and hubs
// that do not. Nothing is lost.
func TestFaultsAtRandom(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 3)
	tr.load()
	for range 10 {
		tr.disturb(10)
		switch rand.N(4) {
		case 0:
			redis.Kill()
			tr.isolated(true)
			tr.disturb(10)
			redis.Start()
		case 1: // too short for some to notice
			redis.Kill()
			redis.Start()
		case 2:
			redis.Pause()
			tr.hubs[rand.N(len(tr.hubs))].waitIsolated(true)
			tr.disturb(10)
			redis.Resume()
		case 3:
			redis.Do("CLIENT", "KILL", "TYPE", "pubsub")
			redis.Do("CLIENT", "KILL", "TYPE", "normal")
		}
		tr.disturb(5)
		tr.waitStored(30)
	}
	tr.finishLossless()
}

// TestLossesAtRandom is the same with a Redis that comes back as it was some time ago, or empty.
func TestLossesAtRandom(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	for range 8 {
		tr.disturb(10)
		tr.waitStored(50)
		if rand.N(2) == 0 {
			redis.Do("SAVE")
			tr.waitStored(50)
		}
		tr.disturb(5)
		if rand.N(4) == 0 {
			redis.Do("FLUSHALL")
		} else {
			redis.Kill()
			if rand.N(2) == 0 {
				tr.isolated(true)
				tr.disturb(5)
			}
			redis.Start()
		}
		tr.gone()
		tr.disturb(5)
	}
	tr.healed(time.Now())
	tr.waitStored(100)
	if f := tr.finish(); f.orphans+f.resets == 0 {
		t.Error("nobody was told of a loss")
	}
}

// disturb cuts n clients at random, sends them elsewhere, or back to what they were.
func (tr *trial) disturb(n int) {
	for range n {
		switch c := tr.any(); rand.N(6) {
		case 0:
			c.cut(false)
		case 1, 2:
			c.cut(true)
		case 3:
			c.goTo(tr.hubs[rand.N(len(tr.hubs))])
		case 4:
			c.save()
		case 5:
			c.rewind()
		}
	}
}
