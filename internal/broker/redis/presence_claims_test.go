package redis

import (
	"slices"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestPresenceMissedClaim has a hub miss some of its own claims, as where they were trimmed before it read them, and hear
// of one that an earlier connection told: each claim is answered once, by the next that comes at the latest.
func TestPresenceMissedClaim(t *testing.T) {
	own := hub.HubID{ID: "1", Name: "hub1"}
	p, err := NewPresence(PresenceOptions{Options: Options{URL: "redis://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	r := brokertest.NewPresenceReceiver(t, own)
	p.own, p.receiver, p.link = own, r, newPresenceLink(p)
	p.take(p.link, claimsSent{"ada", "bob"})
	p.take(p.link, claimsSent{"cyd"})
	p.take(p.link, claimsSent{"dan"})
	for _, step := range []struct {
		entry  said
		answer []string
	}{
		{said{serial: 1, data: `["earlier"]`}, nil},
		{said{serial: 3, data: `["cyd"]`}, []string{"ada", "bob", "cyd"}},
		{said{serial: 4, data: `["dan"]`}, []string{"ada", "bob", "cyd", "dan"}},
	} {
		step.entry.hub, step.entry.kind = own.ID, kindClaims
		p.hear(step.entry)
		if all, n := r.Claims(); !slices.Equal(all, step.answer) || n != len(all) {
			t.Errorf("after %s: %d claims of this hub's among %q, want %q", step.entry.data, n, all, step.answer)
		}
	}
}
