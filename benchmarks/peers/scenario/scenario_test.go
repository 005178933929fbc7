package scenario

import (
	"slices"
	"testing"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// TestNames sees that scenarios and targets name only what there is.
func TestNames(t *testing.T) {
	var seen []string
	for _, s := range Scenarios {
		if slices.Contains(seen, s.Name) {
			t.Errorf("two scenarios are named %s", s.Name)
		}
		seen = append(seen, s.Name)
		for _, name := range s.Servers {
			if _, ok := ServerOf(name); !ok {
				t.Errorf("%s names the server %s, which there is not", s.Name, name)
			}
		}
		if i := slices.Index(s.Servers, FloorSame); i >= 0 && !slices.Contains(s.Servers[:i], Ours) {
			t.Errorf("%s runs %s before ours", s.Name, FloorSame)
		}
	}
	for _, target := range Targets {
		i := slices.IndexFunc(Scenarios, func(s Scenario) bool { return s.Name == target.Scenario })
		if i < 0 {
			t.Errorf("%s: there is no scenario %s", target.What, target.Scenario)
			continue
		}
		for _, name := range []string{target.Server, target.Against} {
			if name != "" && !slices.Contains(Scenarios[i].Servers, name) {
				t.Errorf("%s: %s does not run %s", target.What, target.Scenario, name)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	file := func(ours, floor []float64) (f results.File) {
		for server, values := range map[string][]float64{Ours: ours, Floor: floor} {
			for pair, v := range values {
				f.Measurements = append(f.Measurements, results.Measurement{
					Scenario: "s", Server: server, Pair: pair, Values: map[results.Metric]float64{results.P99: v},
				})
			}
		}
		return f
	}
	base := Target{Scenario: "s", Server: Ours, Metric: results.P99}
	with := func(change func(*Target)) Target { t := base; change(&t); return t }
	for _, test := range []struct {
		name        string
		target      Target
		ours, floor []float64
		want        Outcome
	}{
		{name: "nothing", target: with(func(t *Target) { t.AtMost = 1 })},
		{name: "at most", target: with(func(t *Target) { t.AtMost = 2 }), ours: []float64{1, 2, 9}, want: Outcome{Known: true, Value: 2, Met: true}},
		{name: "more", target: with(func(t *Target) { t.AtMost = 1 }), ours: []float64{1, 2, 9}, want: Outcome{Known: true, Value: 2}},
		{name: "every", target: with(func(t *Target) { t.AtMost, t.Every = 2, true }), ours: []float64{1, 2, 9}, want: Outcome{Known: true, Value: 9}},
		{name: "at least", target: with(func(t *Target) { t.AtLeast = 2 }), ours: []float64{2}, want: Outcome{Known: true, Value: 2, Met: true}},
		{
			name: "ratio of pairs", target: with(func(t *Target) { t.AtMost, t.Against = 2, Floor }),
			ours: []float64{10, 40, 30}, floor: []float64{10, 10, 10}, want: Outcome{Known: true, Value: 3},
		},
		{
			name: "or at most", target: with(func(t *Target) { t.AtMost, t.Against, t.OrAtMost = 2, Floor, 30 }),
			ours: []float64{10, 40, 30}, floor: []float64{10, 10, 10}, want: Outcome{Known: true, Value: 3, Met: true},
		},
	} {
		test.want.Target = test.target
		if got := test.target.Check(file(test.ours, test.floor)); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
