package logroom_test

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// outside are the rules that the scripts and the clients keep: the models know them by these names.
var outside = []string{
	"script: no reign", "script: reign without run", "script: reign without replica", "script: nonce used again",
	"script: no keys", "script: keys of lost logs", "script: keys by fork list", "script: unknown epoch",
	"script: no orphans", "script: trimmed",
	"client: birth of the retry",
}

// TestMutants switches off each rule and sees that it is noticed: by one of the directed schedules or, with the rule
// off, by one of the first seeds.
func TestMutants(t *testing.T) {
	const seeds = 600
	mutants := make([]mutant, 0, len(logroom.Rules)+len(outside))
	for _, r := range logroom.Rules {
		mutants = append(mutants, mutant{r.Rule, r.Name})
	}
	for _, name := range outside {
		mutants = append(mutants, mutant{name: name})
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			noticed := false
			for _, d := range directed {
				if d.rule == m.name {
					if d.run(m) == nil {
						t.Errorf("the schedule %q does not show it", d.name)
					}
					noticed = true
					t.Logf("shown by %q", d.name)
				}
			}
			for seed := uint64(1); seed <= seeds && !noticed; seed++ {
				if _, err := simulate(seed, m); err != nil {
					noticed = true
					t.Logf("seed %d: %v", seed, err)
				}
			}
			if !noticed {
				t.Errorf("nobody notices")
			}
		})
	}
}
