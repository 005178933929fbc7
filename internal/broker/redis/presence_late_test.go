//go:build !short

package redis

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestPresenceLateClaim has a claim wait for so long that the client may have come to another hub since: it is answered,
// and nobody is told, as that would send away for good a client that has no other session.
func TestPresenceLateClaim(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	h := startPresent(t, time.Minute, server.URL(), server.URL())
	h[1].p.mu.Lock()
	h[1].p.claims = append(h[1].p.claims, claim{"late", time.Now().Add(-2 * claimAge)})
	h[1].p.mu.Unlock()
	h[1].p.Claim("another")
	h[0].Await("another claim to come", func() bool {
		claims, _ := h[0].Claims()
		return slices.Contains(claims, "another")
	})
	h[1].Await("both to be answered", func() bool {
		_, own := h[1].Claims()
		return own == 2
	})
	if claims, _ := h[0].Claims(); slices.Contains(claims, "late") {
		t.Errorf("told of %q", claims)
	}
}

// TestPresenceLateAtRedis has a claim be on its way for too long, as where Redis hung: nobody is told.
func TestPresenceLateAtRedis(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	p := newPresence(t, server.URL(), time.Minute)
	l, err := p.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	entries := func() string { return server.Do("XLEN", changesKey) }
	if err := l.change(kindClaims, `["ada"]`, l.redisTime(-claimAge), nil, nil); !errors.Is(err, errTooLate) || entries() != "0" {
		t.Errorf("too late: %v, and %s entries", err, entries())
	}
	if err := l.change(kindClaims, `["ada"]`, l.redisTime(time.Minute), nil, nil); err != nil || entries() != "1" {
		t.Errorf("in time: %v, and %s entries", err, entries())
	}
}
