package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// measured returns results in which each server of each scenario has the same values in two pairs, but Socket.IO a
// twentieth of the deliveries and the goroutine engine nothing.
func measured() (f results.File) {
	f.Machines = []results.Machine{{Kind: "machine", Run: "r", CPU: "a CPU", Cores: 2, Versions: map[string]string{"Go": "1.26.8"}}}
	for _, s := range scenario.Scenarios {
		for _, name := range s.Servers {
			for pair := 1; pair <= 2; pair++ {
				m := results.Measurement{Run: "r", Scenario: s.Name, Server: name, Pair: pair}
				if name == "ours-goroutine" {
					m.Error = "it broke"
				} else {
					m.Values = make(map[results.Metric]float64)
					for metric := range columns {
						m.Values[metric] = 1000 * float64(pair)
					}
					if name == "socketio" {
						m.Values[results.Deliveries] /= 20
					}
				}
				f.Measurements = append(f.Measurements, m)
			}
		}
	}
	return f
}

// TestDocs writes the real page from results, and looks for its figures and charts; written twice it is the same.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "performance.md")
	if err := os.WriteFile(name, page, 0o644); err != nil {
		t.Fatal(err)
	}
	var written [2]string
	for i := range written {
		if err := Docs(measured(), name); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		written[i] = string(b)
	}
	if written[0] != written[1] {
		t.Error("written again, the page is another")
	}
	for _, want := range []string{
		"a CPU, 2 cores", "Go 1.26.8",
		"| deliveries/s against Socket.IO, 32 in flight | ≥ 10 × | 20.0 × | met |",
		"| deliveries/s against NATS, 32 in flight | ≥ 2 × | 1.00 × | missed |",
		"| Realtime Hub, goroutine engine | failed |",
		"| NATS over WebSocket | 1500 (1000–2000) |",
	} {
		if !strings.Contains(written[0], want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(written[0], "Not measured yet") {
		t.Error("the page leaves out what was measured")
	}
	for _, s := range scenario.Scenarios {
		if !strings.Contains(written[0], "<!-- results: "+s.Key()+" -->") {
			t.Errorf("the page does not show %s", s.Key())
		}
	}
	for key := range charts {
		checkXML(t, filepath.Join(dir, "images", "performance-"+key+".svg"))
	}
}

func checkXML(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for dec := xml.NewDecoder(f); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			return
		}
	}
}

// TestMachines has three runs: two on equal machines, the third with another version, which has one scenario again.
func TestMachines(t *testing.T) {
	var f results.File
	run := func(name, version string, pairs int, scenarios ...string) {
		f.Machines = append(f.Machines, results.Machine{Run: name, CPU: "a CPU", Versions: map[string]string{"Go": version}})
		for _, s := range scenarios {
			for pair := 1; pair <= pairs; pair++ {
				f.Measurements = append(f.Measurements, results.Measurement{Run: name, Scenario: s, Pair: pair})
			}
		}
	}
	run("a", "1", 5, "window32", "window128", "tls")
	run("b", "1", 3, "idle", "size-16", "size-64")
	run("c", "2", 1, "tls")
	want := "- 0001-01-01: a CPU, 0 cores, 0 GiB, Linux , Go 1. 5 turns: window32, window128. 3 turns: idle, size.\n" +
		"- 0001-01-01: a CPU, 0 cores, 0 GiB, Linux , Go 2. One turn: tls.\n"
	if got := machines(f); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := machines(results.File{}), "Not measured yet.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDocsUnknown(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.md")
	text := "<!-- results: nothing -->\n<!-- end of results -->"
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Docs(measured(), name); err == nil {
		t.Error("a page with results that there are not was written")
	}
}

func TestShort(t *testing.T) {
	for _, test := range []struct {
		give float64
		want string
	}{
		{0, "0"}, {.1234, "0.123"}, {1, "1"}, {7.26, "7.26"}, {12.34, "12.3"}, {998.7, "999"}, {1234.5, "1235"}, {9994, "9994"},
		{9996, "10.0 k"}, {123_456, "123 k"}, {999_600, "1.00 M"}, {1_910_000, "1.91 M"},
	} {
		if got := Short(test.give); got != test.want {
			t.Errorf("%v is %q, want %q", test.give, got, test.want)
		}
	}
}
