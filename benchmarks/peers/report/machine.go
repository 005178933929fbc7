package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// machines returns on what and with what was measured, as a list: what is equal once, with how often which scenarios were
// measured on it.
func machines(f results.File) string {
	var lines []string // in the order of the scenarios
	measured := make(map[string]map[int][]string)
	for _, s := range scenario.Scenarios {
		m, ok := f.Machine(s.Name)
		if !ok {
			continue
		}
		line := described(m)
		if measured[line] == nil {
			measured[line] = make(map[int][]string)
			lines = append(lines, line)
		}
		turns := f.Turns(s.Name)
		if names := measured[line][turns]; !slices.Contains(names, s.Key()) {
			measured[line][turns] = append(names, s.Key())
		}
	}
	if len(lines) == 0 {
		return "Not measured yet.\n"
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "- %s.", line)
		turns := slices.Sorted(maps.Keys(measured[line]))
		for _, n := range slices.Backward(turns) {
			fmt.Fprintf(&b, " %s: %s.", often(n), strings.Join(measured[line][n], ", "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// described returns what a machine and the versions on it are.
func described(m results.Machine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d cores, %d GiB, Linux %s", m.Time.Format("2006-01-02"), m.CPU, m.Cores, m.Memory, m.Kernel)
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		fmt.Fprintf(&b, ", %s %s", name, m.Versions[name])
	}
	return b.String()
}

func often(turns int) string {
	if turns == 1 {
		return "One turn"
	}
	return fmt.Sprintf("%d turns", turns)
}
