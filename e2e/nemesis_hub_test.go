//go:build unix && !short

package e2e

import "testing"

// TestLogHubKilled kills one of three hubs under load. Its clients go on at another; nothing that was acknowledged is lost,
// and what was not comes from their outboxes.
func TestLogHubKilled(t *testing.T) {
	parallelWithRace(t)
	tr := startTrial(t, startLogRedis(t), 3)
	tr.load()
	tr.waitStored(500)
	tr.kill(tr.hubs[1])
	tr.waitLive()
	tr.waitStored(500)
	entries := tr.finishLossless()
	tr.expectOneEach(entries)
}

// TestHubKilledWhileIsolated kills a hub that cannot reach Redis, with all that it keeps for others. Its clients have it
// in their outboxes, and bring it to the other hub, which is isolated too at first.
func TestHubKilledWhileIsolated(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 2)
	tr.load()
	tr.waitStored(300)
	redis.Kill()
	tr.isolated(true)
	tr.waitProvisional(200)
	tr.kill(tr.hubs[0])
	tr.waitProvisional(400)
	since := tr.back()
	tr.healed(since)
	tr.waitStored(300)
	f := tr.finish()
	tr.expectLossless(f)
	if f.provisional == 0 {
		t.Error("nothing was shown while the hubs were isolated")
	}
}
