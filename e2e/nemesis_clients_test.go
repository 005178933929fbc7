//go:build unix && !short

package e2e

import "testing"

// TestClientsCut has clients that are cut at random, in order and by a reset, go to the other hub, and go on from an
// older state. Nothing is lost, doubled or shown twice, and nobody is told of a loss.
func TestClientsCut(t *testing.T) {
	parallelWithRace(t)
	tr := startTrial(t, startLogRedis(t), 2)
	tr.load()
	for range 40 {
		tr.disturb(4)
		tr.waitStored(20)
	}
	tr.waitLive()
	entries := tr.finishLossless()
	tr.expectOneEach(entries)
}

// TestSubscriptionsKilled has Redis close the hubs' connections, those that are subscribed and the others, over and
// over. Clients see nothing of it.
func TestSubscriptionsKilled(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t)
	tr := startTrial(t, redis, 2)
	tr.load()
	for i := range 20 {
		redis.Do("CLIENT", "KILL", "TYPE", []string{"pubsub", "normal"}[i%2])
		tr.waitStored(50)
	}
	tr.isolated(false)
	entries := tr.finishLossless()
	tr.expectOneEach(entries)
}
