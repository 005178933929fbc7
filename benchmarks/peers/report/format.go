// Package report turns results into what people read: lines and tables on a terminal, and the tables and charts of the
// documentation.
package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// column is how a metric is shown.
type column struct {
	title  string
	format func(float64) string
}

var columns = map[results.Metric]column{
	results.Deliveries:     {"deliveries/s", Short},
	results.Messages:       {"messages/s", Short},
	results.Acknowledged:   {"acknowledged/s", Short},
	results.P50:            {"p50, ms", digits},
	results.P99:            {"p99, ms", digits},
	results.P999:           {"p99.9, ms", digits},
	results.AckP99:         {"p99 to the ack, ms", digits},
	results.Lost:           {"lost", Short},
	results.Doubled:        {"doubled", Short},
	results.Disordered:     {"out of order", Short},
	results.ServerCPU:      {"CPU s per million deliveries", digits},
	results.GeneratorCPU:   {"generator, cores", digits},
	results.ServerShare:    {"server, cores", digits},
	results.FramesPerWrite: {"frames a write", digits},
	results.CPUPerWrite:    {"CPU µs a write", digits},
	results.MemoryFew:      {"KiB with 1,000", Short},
	results.MemoryMany:     {"KiB with 19,000", Short},
	results.PerConnection:  {"KiB a connection", digits},
}

// Short returns a number with three digits and k or M.
func Short(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 999_500:
		return digits(v/1e6) + " M"
	case abs >= 9_995:
		return digits(v/1e3) + " k"
	case abs >= 1000 || v == math.Trunc(v):
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	return digits(v)
}

// digits returns a number with three digits, and with no more than three behind the point.
func digits(v float64) string {
	abs := math.Abs(v)
	behind := 0
	switch {
	case v == 0:
	case abs < .9995:
		behind = 3
	case abs < 9.995:
		behind = 2
	case abs < 99.95:
		behind = 1
	}
	return strconv.FormatFloat(v, 'f', behind, 64)
}

// Line returns what a measurement says, for a terminal.
func Line(m results.Measurement, metrics []results.Metric) (line string) {
	if m.Error != "" {
		return "failed: " + m.Error
	}
	for _, metric := range metrics {
		if v, ok := m.Value(metric); ok {
			line += fmt.Sprintf("  %s %s", columns[metric].format(v), columns[metric].title)
		}
	}
	for _, metric := range []results.Metric{results.Lost, results.Doubled, results.Disordered} {
		if v := m.Values[metric]; v != 0 {
			line += fmt.Sprintf("  %s %s!", Short(v), columns[metric].title)
		}
	}
	for _, w := range m.Warnings {
		line += "\n       " + w
	}
	return line
}
