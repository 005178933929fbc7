//go:build unix && !short

package e2e

import (
	"testing"
	"time"
)

// back starts Redis again, and returns when that was.
func (tr *trial) back() time.Time {
	tr.t.Helper()
	tr.redis.Start()
	return time.Now()
}

// gone notes that Redis has now lost what it was made to lose: what is made from here on must not be lost.
func (tr *trial) gone() { tr.lost = time.Now() }

// TestLogRedisKilled kills Redis under load and starts it again with its file, three times: nothing that was acknowledged
// is lost, and nobody is told of a loss.
func TestLogRedisKilled(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 2)
	tr.load()
	for range 3 {
		tr.waitStored(200)
		redis.Kill()
		tr.isolated(true)
		tr.healed(tr.back())
	}
	tr.waitStored(200)
	tr.finishLossless()
}

// TestRedisWithoutItsTail starts Redis again from an older copy of its data, under load: clients are told what is lost,
// new messages arrive, and positions that are given out again are no trap.
func TestRedisWithoutItsTail(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	for range 2 {
		tr.waitStored(200)
		redis.Do("SAVE")
		tr.waitStored(200)
		redis.Kill()
		tr.isolated(true)
		since := tr.back()
		tr.gone()
		tr.healed(since)
	}
	tr.waitStored(200)
	if f := tr.finish(); f.orphans == 0 {
		t.Error("nobody was told of orphans")
	}
}

// TestRedisEmpty starts Redis again without its data.
func TestRedisEmpty(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	tr.waitStored(300)
	redis.Kill()
	tr.isolated(true)
	since := tr.back()
	tr.gone()
	tr.healed(since)
	tr.waitStored(300)
	if f := tr.finish(); f.resets == 0 {
		t.Error("nobody was reset")
	}
}

// TestRedisFlushed empties Redis under load: hubs lose no connection, and find out by what comes next.
func TestRedisFlushed(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	for range 3 {
		tr.waitStored(200)
		redis.Do("FLUSHALL")
		tr.gone()
		tr.healed(tr.lost)
	}
	tr.waitStored(200)
	if f := tr.finish(); f.resets == 0 {
		t.Error("nobody was reset")
	}
}

// hung is how long Redis hangs in TestLogRedisHangs. It is the fault itself: what is waited for is not.
const hung = 3 * time.Second

// TestLogRedisHangs stops Redis where it is for a few seconds, under load. Hubs notice in time, what was under way may be
// stored or not, and in the end everything is there once.
func TestLogRedisHangs(t *testing.T) {
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	for range 2 {
		tr.waitStored(200)
		redis.Pause()
		over := time.After(hung)
		took := tr.isolated(true)
		t.Logf("isolated %v after Redis stopped", took.Round(time.Millisecond))
		if took > 2*promptly {
			t.Errorf("isolated only %v after Redis stopped", took)
		}
		tr.waitProvisional(200)
		<-over
		redis.Resume()
		tr.healed(time.Now())
	}
	tr.waitStored(200)
	entries := tr.finishLossless()
	tr.expectOneEach(entries)
}
