//go:build unix && !short

package e2e

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestEventsIsolated has two hubs lose Redis: what is published on a hub comes in its streams without an id, and when Redis
// is back the id alone; who connects again in between gets it once more, with its id.
func TestEventsIsolated(t *testing.T) {
	t.Parallel()
	redis := startLogRedis(t, durable...)
	hubs := startLogHubs(t, redis, 2)
	here, away, there := openEvents(t, hubs[0], "r", "", ""), openEvents(t, hubs[0], "r", "", ""), openEvents(t, hubs[1], "r", "", "")
	here.id()
	away.id()
	there.id()
	accepted(t, post(t, hubs[0], "r", "", "first"), protocol.ScopeCluster)
	for _, s := range []*events{here, away, there} {
		s.text("first")
	}
	redis.Kill()
	for _, h := range hubs {
		h.waitIsolated(true)
	}
	p := accepted(t, post(t, hubs[0], "r", "", "alone"), protocol.ScopeHub)
	for _, s := range []*events{here, away} {
		if m := s.text("alone"); m.Position != "" || m.Scope != "hub" || m.ID != p.ID {
			t.Errorf("got %+v", m)
		}
	}
	away.Close()
	late := openEvents(t, hubs[1], "r", "history=5", "") // which cannot be read now
	again := openEvents(t, hubs[1], "r", "", away.LastID)
	redis.Start()
	for _, h := range hubs {
		h.waitIsolated(false)
	}
	if at := here.id(); !strings.HasSuffix(at, ":2") { // of a new epoch
		t.Errorf("the message is at %s", at)
	}
	for name, s := range map[string]*events{"there": there, "again": again} {
		e := s.next()
		for e.Data == "" { // where it goes on
			e = s.next()
		}
		if m, err := e.Message(); err != nil || m.ID != p.ID || !strings.HasSuffix(m.Position, ":2") || m.Scope != "" {
			t.Errorf("%s got %+v, %v", name, m, err)
		}
	}
	late.id()
	accepted(t, post(t, hubs[1], "r", "", "last"), protocol.ScopeCluster)
	for e := late.next(); ; e = late.next() {
		if strings.Contains(e.Data, `"data":"last"`) {
			break
		}
	}
	here.text("last")
}

// TestEventsDrain stops one of two hubs: its streams end in order, each is told another time to come back, and go on at the
// other hub where they were.
func TestEventsDrain(t *testing.T) {
	t.Parallel()
	hubs := startLogHubs(t, startLogRedis(t), 2)
	const streams = 10
	var all []*events
	for range streams {
		s := openEvents(t, hubs[0], "r", "", "")
		s.id()
		all = append(all, s)
	}
	accepted(t, post(t, hubs[1], "r", "", "before"), protocol.ScopeCluster)
	for _, s := range all {
		s.text("before")
	}
	hubs[0].Interrupt()
	retries := map[int]bool{}
	for _, s := range all {
		last := -1
		for {
			e, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			last = max(last, e.Retry)
		}
		retries[last] = true
		s.Close()
	}
	if len(retries) < streams/2 || retries[-1] {
		t.Errorf("%d streams were told to come back after (ms) %v", streams, retries)
	}
	if code := hubs[0].Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	accepted(t, post(t, hubs[1], "r", "", "after"), protocol.ScopeCluster)
	for _, s := range all {
		openEvents(t, hubs[1], "r", "", s.LastID).text("after")
	}
}
