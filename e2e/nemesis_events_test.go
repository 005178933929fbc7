//go:build unix && !short

package e2e

import (
	"math/rand/v2"
	"testing"
)

// TestStreamsHubKilled kills one of three hubs under load. Its streams go on at another with their last id: nothing is lost,
// doubled or out of order.
func TestStreamsHubKilled(t *testing.T) {
	parallelWithRace(t)
	tr := startTrial(t, startLogRedis(t), 3)
	tr.stream()
	tr.load()
	tr.waitStored(200)
	for range 3 { // and some are cut
		tr.streams[rand.N(len(tr.streams))].cut()
		tr.waitStored(50)
	}
	tr.kill(tr.hubs[1])
	tr.waitLive()
	tr.waitStreams()
	tr.waitStored(300)
	tr.finishLossless()
	tr.expectStreamsCut(5)
}

// TestStreamsRedisKilled kills Redis under load and starts it again with its file. Meanwhile what clients of a hub publish
// is shown in its streams without a position, and a hub is killed whose streams have yet to be told where that stands.
func TestStreamsRedisKilled(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 2)
	tr.stream()
	tr.load()
	tr.waitStored(200)
	redis.Kill()
	tr.isolated(true)
	tr.waitProvisional(200)
	tr.streams[0].cut() // it comes back to a hub that is cut off
	tr.healed(tr.back())
	tr.waitStored(200)
	redis.Kill()
	tr.isolated(true)
	tr.waitProvisional(100)
	tr.kill(tr.hubs[0])
	tr.waitProvisional(100)
	tr.healed(tr.back())
	tr.waitStreams()
	tr.waitStored(200)
	f := tr.finish()
	tr.expectLossless(f)
	tr.expectStreamsCut(4)
	shown := 0
	for _, s := range tr.streams {
		var f figures
		f.count(&s.rec)
		shown += f.provisional
	}
	if shown == 0 {
		t.Error("no stream showed anything while the hubs were cut off")
	}
	t.Logf("%d messages came without a position in %d streams", shown, len(tr.streams))
}

// expectStreamsCut fails the test where the streams were connected fewer times than they lost their connection.
func (tr *trial) expectStreamsCut(cuts int) {
	tr.t.Helper()
	times := 0
	for _, s := range tr.streams {
		times += s.times()
	}
	if times < len(tr.streams)+cuts {
		tr.t.Errorf("%d streams were opened %d times, though at least %d were cut", len(tr.streams), times, cuts)
	}
}
