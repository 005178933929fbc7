//go:build linux

package epoll

import (
	"testing"
	"time"
)

// TestSleep waits as long as it is told, at least.
func TestSleep(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 2 * time.Millisecond} {
		began := time.Now()
		if Sleep(d); time.Since(began) < d {
			t.Errorf("%v lasted %v", d, time.Since(began))
		}
	}
}
