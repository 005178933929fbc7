package e2e

import (
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// bothKinds runs test once for a live room and once for a log room, whose names end alike. What holds for one kind
// alone, test asks isLog about.
func bothKinds(t *testing.T, name string, test func(t *testing.T, room string)) {
	t.Helper()
	for kind, room := range map[string]string{"live": "live." + name, "log": name} {
		t.Run(kind, func(t *testing.T) { test(t, room) })
	}
}

// isLog reports whether a room is a log room, where the hubs were told nothing else.
func isLog(room string) bool { return !strings.HasPrefix(room, "live.") }

// scopeOf returns how far a message in room is sure to have come when it is acknowledged, where all is well.
func scopeOf(room string) string {
	if isLog(room) {
		return protocol.ScopeCluster
	}
	return protocol.ScopeLive
}

// isolatedScopeOf is scopeOf where the hub cannot reach the others.
func isolatedScopeOf(room string) string {
	if isLog(room) {
		return protocol.ScopeHub
	}
	return protocol.ScopeLive
}
