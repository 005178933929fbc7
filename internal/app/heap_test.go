package app

import (
	"runtime/debug"
	"testing"
)

func TestGrowth(t *testing.T) {
	for name, c := range map[string]struct {
		live, allocated, messages uint64
		percent                   int
	}{
		"nothing is done":                {20 << 20, 0, 0, 50},
		"a little is done":               {20 << 20, 1 << 20, 500, 50},
		"a small heap, much is done":     {4 << 20, 12 << 20, 6000, 300},
		"there is a bound":               {4 << 20, 500 << 20, 250_000, 400},
		"a large heap has room as it is": {100 << 20, 500 << 20, 250_000, 50},
		"no heap":                        {0, 500 << 20, 250_000, 1600},
		"handshakes alone":               {20 << 20, 60 << 20, 0, 50},
		"handshakes and a few messages":  {2 << 20, 60 << 20, 512, 100},
	} {
		t.Run(name, func(t *testing.T) {
			if p := growth(c.live, c.allocated, c.messages); p != c.percent {
				t.Errorf("%d percent, expected %d", p, c.percent)
			}
		})
	}
}

func none() uint64 { return 0 }

// TestSaveMemory finds the process as it was once it is over.
func TestSaveMemory(t *testing.T) {
	before := debug.SetGCPercent(123)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "")
	saveMemory(none)()
	if p := debug.SetGCPercent(123); p != 123 {
		t.Errorf("%d percent behind it", p)
	}
	t.Setenv("GOGC", "200")
	stop := saveMemory(none)
	defer stop()
	if p := debug.SetGCPercent(123); p != 123 {
		t.Errorf("%d percent where the environment says otherwise", p)
	}
}
