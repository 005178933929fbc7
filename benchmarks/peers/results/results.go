// Package results holds what was measured: one JSON object a line, the machine first. Figures in the documentation come
// from such files and from nowhere else.
//
// Its types are [Machine] and [Measurement]. It keeps no host names and no paths.
package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Metric names a value of a measurement; its name ends with its unit.
type Metric string

// The metrics. A measurement has those that its scenario asks for.
const (
	Deliveries     Metric = "deliveries_per_s" // messages that reached a subscriber
	Messages       Metric = "messages_per_s"   // messages that reached all subscribers
	Acknowledged   Metric = "acknowledged_per_s"
	P50            Metric = "p50_ms" // from the planned time in open loop, from sending in closed loop, to a subscriber
	P99            Metric = "p99_ms"
	P999           Metric = "p999_ms"
	AckP99         Metric = "ack_p99_ms"
	Lost           Metric = "lost"
	Doubled        Metric = "doubled"
	Disordered     Metric = "disordered"
	ServerCPU      Metric = "server_cpu_s_per_million" // of all servers, for a million deliveries
	GeneratorCPU   Metric = "generator_cpu_share"      // of one core
	ServerShare    Metric = "server_cpu_share"         // of one core, all servers
	FramesPerWrite Metric = "frames_per_write"         // deliveries for each call that writes, of all servers
	CPUPerWrite    Metric = "cpu_us_per_write"         // of all servers; not measured, but made of the two
	MemoryFew      Metric = "rss_few_kib"              // of the server with the fewer connections
	MemoryMany     Metric = "rss_many_kib"             // and with all
	PerConnection  Metric = "kib_per_connection"       // the slope between the two
)

// Load is what the generator did.
type Load struct {
	Connections int     `json:"connections"` // subscribers
	Publishers  int     `json:"publishers"`
	Window      int     `json:"window,omitempty"` // messages in flight; 0 for open loop
	Rate        float64 `json:"rate,omitempty"`   // messages a second in all, in open loop
	Size        int     `json:"size"`             // bytes a message
	Rooms       int     `json:"rooms"`
	Hubs        int     `json:"hubs"`
	Seconds     float64 `json:"seconds"` // measured, after the warm-up
}

// Machine is where and with what something was measured.
type Machine struct {
	Kind     string            `json:"kind"` // "machine"
	Run      string            `json:"run"`  // the same for all lines of a run
	Time     time.Time         `json:"time"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Memory   int               `json:"memory_gib"`
	Kernel   string            `json:"kernel"`
	Versions map[string]string `json:"versions"`
	Pairs    int               `json:"pairs"`
}

// Measurement is one server under one load, once.
type Measurement struct {
	Kind     string             `json:"kind"` // "measurement"
	Run      string             `json:"run"`
	Time     time.Time          `json:"time"`
	Scenario string             `json:"scenario"`
	Server   string             `json:"server"`
	Pair     int                `json:"pair"` // 1, 2, …: what has the same number was measured side by side
	Load     Load               `json:"load"`
	Values   map[Metric]float64 `json:"values,omitempty"`
	Warnings []string           `json:"warnings,omitempty"`
	Error    string             `json:"error,omitempty"` // why there are no values
}

// Value returns a metric, and whether the measurement has it.
func (m Measurement) Value(metric Metric) (float64, bool) {
	if metric == CPUPerWrite {
		cpu, known := m.Values[ServerCPU]
		frames, counted := m.Values[FramesPerWrite]
		return cpu * frames, known && counted // seconds for a million are microseconds for one
	}
	v, ok := m.Values[metric]
	return v, ok
}

// File is what a file of results holds. Several runs may have been appended to it.
type File struct {
	Machines     []Machine
	Measurements []Measurement
}

// Append writes a value as one line to w.
func Append(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a result: %w", err)
	}
	if _, err = w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write a result: %w", err)
	}
	return nil
}

// ReadFile reads a file of results.
func ReadFile(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	return Read(f)
}

// Read reads results.
func Read(r io.Reader) (f File, err error) {
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var raw json.RawMessage
		if err := dec.Decode(&raw); errors.Is(err, io.EOF) {
			return f, nil
		} else if err != nil {
			return f, fmt.Errorf("decode results: %w", err)
		}
		var kind struct{ Kind string }
		if err := json.Unmarshal(raw, &kind); err != nil {
			return f, fmt.Errorf("decode a result: %w", err)
		}
		switch kind.Kind {
		case "machine":
			var m Machine
			if err := json.Unmarshal(raw, &m); err != nil {
				return f, fmt.Errorf("decode a machine: %w", err)
			}
			f.Machines = append(f.Machines, m)
		case "measurement":
			var m Measurement
			if err := json.Unmarshal(raw, &m); err != nil {
				return f, fmt.Errorf("decode a measurement: %w", err)
			}
			f.Measurements = append(f.Measurements, m)
		default:
			return f, fmt.Errorf("a result of kind %q is unknown", kind.Kind)
		}
	}
}

// Median returns the median of values, and whether there is one.
func Median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2, true
	}
	return s[len(s)/2], true
}

// last returns the last run that has a scenario: what was measured again replaces all that there was of it, as only what
// was measured side by side is compared.
func (f File) last(scenario string) string {
	for _, m := range slices.Backward(f.Measurements) {
		if m.Scenario == scenario {
			return m.Run
		}
	}
	return ""
}

// Pairs returns the good measurements of a server in the last run of a scenario, by pair.
func (f File) Pairs(scenario, server string) map[int]Measurement {
	found, run := make(map[int]Measurement), f.last(scenario)
	for _, m := range f.Measurements {
		if m.Run == run && m.Scenario == scenario && m.Server == server && m.Error == "" {
			found[m.Pair] = m
		}
	}
	return found
}

// Failures returns why measurements of a server in the last run of a scenario have no values.
func (f File) Failures(scenario, server string) (why []string) {
	run := f.last(scenario)
	for _, m := range f.Measurements {
		if m.Run == run && m.Scenario == scenario && m.Server == server && m.Error != "" {
			why = append(why, m.Error)
		}
	}
	return why
}

// Machine returns the machine on which the last run of a scenario was made, and whether there is one.
func (f File) Machine(scenario string) (Machine, bool) {
	run := f.last(scenario)
	i := slices.IndexFunc(f.Machines, func(m Machine) bool { return m.Run == run })
	if run == "" || i < 0 {
		return Machine{}, false
	}
	return f.Machines[i], true
}

// Turns returns how often servers were measured in the last run of a scenario.
func (f File) Turns(scenario string) (turns int) {
	run := f.last(scenario)
	for _, m := range f.Measurements {
		if m.Run == run && m.Scenario == scenario {
			turns = max(turns, m.Pair)
		}
	}
	return turns
}

// Values returns a metric of a server in each pair of a scenario, in no order.
func (f File) Values(scenario, server string, metric Metric) (values []float64) {
	for _, m := range f.Pairs(scenario, server) {
		if v, ok := m.Value(metric); ok {
			values = append(values, v)
		}
	}
	return values
}

// Ratios returns what a server has of another's metric, in each pair where both were measured.
func (f File) Ratios(scenario, server, against string, metric Metric) (ratios []float64) {
	others := f.Pairs(scenario, against)
	for pair, m := range f.Pairs(scenario, server) {
		v, ok := m.Value(metric)
		other, there := others[pair].Value(metric)
		if ok && there && other != 0 {
			ratios = append(ratios, v/other)
		}
	}
	return ratios
}
