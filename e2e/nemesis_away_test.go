//go:build unix && !short

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// away is how long Redis is away in TestWithoutRedis. It is the fault itself: what is waited for is not.
const away = 5 * time.Second

// TestWithoutRedis has people of both hubs go on while Redis is away for 5 s. What they publish is shown on their own hub
// at once; when Redis is back it reaches the other hub, once, and is acknowledged as stored.
func TestWithoutRedis(t *testing.T) {
	parallelWithRace(t)
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 2)
	room := tr.rooms[0]
	tr.load()
	tr.waitStored(200)
	tr.calm()
	eventually(t, "all has come to rest", tr.rest)
	redis.Kill()
	gone := time.After(away)
	tr.isolated(true)

	texts := map[string]string{} // by the address of the hub where it was published
	for _, h := range tr.hubs {
		author, since := tr.of(h), time.Now()
		texts[h.Addr()] = author.publish(room)
		eventually(t, "the message is shown on its own hub", func() error { return tr.shownAt(h, room, texts[h.Addr()], author) })
		t.Logf("shown to all of its own hub after %v", time.Since(since).Round(10*time.Microsecond))
	}
	for _, c := range tr.clients {
		for addr, text := range texts {
			if _, ok := c.has(room, text); ok && addr != c.hub() {
				t.Errorf("%s of %s has %q of %s, which cannot reach it", c.name, c.hub(), text, addr)
			}
		}
	}
	tr.load()
	tr.waitProvisional(500)
	<-gone
	tr.healed(tr.back())
	eventually(t, "what was published meanwhile is everywhere", func() error {
		for _, text := range texts {
			if !tr.everybodyHas(room, text) {
				return fmt.Errorf("%q is not", text)
			}
		}
		return nil
	})
	tr.waitStored(200)
	f := tr.finish()
	tr.expectLossless(f)
	if f.provisional == 0 || f.settled == 0 {
		t.Errorf("%d shown without a position, %d settled", f.provisional, f.settled)
	}
}

// shownAt returns an error as long as somebody at h was not shown a message without a position, or its author was not told
// that the hub keeps it.
func (tr *trial) shownAt(h *hub, room, text string, author *logClient) error {
	at := 0
	for _, c := range tr.clients {
		if c.hub() != h.Addr() || !c.role.subscribes || c == author {
			continue
		}
		at++
		if position, ok := c.has(room, text); !ok || !position.IsZero() {
			return fmt.Errorf("%s: has %v, position %v", c.name, ok, position)
		}
	}
	if at == 0 {
		return errors.New("nobody is there")
	}
	author.mu.Lock()
	defer author.mu.Unlock()
	if !slices.ContainsFunc(author.rooms[room].outbox, func(m *outMessage) bool { return m.kept }) {
		return errors.New("its author was not told")
	}
	return nil
}
