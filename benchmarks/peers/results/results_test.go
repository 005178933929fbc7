package results

import (
	"bytes"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		give []float64
		want float64
		ok   bool
	}{
		{},
		{give: []float64{3}, want: 3, ok: true},
		{give: []float64{9, 1, 4}, want: 4, ok: true},
		{give: []float64{9, 1, 4, 2}, want: 3, ok: true},
	} {
		if got, ok := Median(test.give); got != test.want || ok != test.ok {
			t.Errorf("median of %v is %v, %v; want %v, %v", test.give, got, ok, test.want, test.ok)
		}
	}
}

func TestCPUPerWrite(t *testing.T) {
	m := Measurement{Values: map[Metric]float64{ServerCPU: .5, FramesPerWrite: 20}}
	if v, ok := m.Value(CPUPerWrite); v != 10 || !ok {
		t.Errorf("%v, %v; want 10", v, ok)
	}
	delete(m.Values, FramesPerWrite)
	if v, ok := m.Value(CPUPerWrite); ok {
		t.Errorf("without frames a write it is %v", v)
	}
}

// TestRatios has two pairs, a third that failed, and an older run of the same.
func TestRatios(t *testing.T) {
	var b bytes.Buffer
	run := "older"
	add := func(server string, pair int, v float64, failed string) {
		t.Helper()
		m := Measurement{Kind: "measurement", Run: run, Scenario: "s", Server: server, Pair: pair, Error: failed}
		if failed == "" {
			m.Values = map[Metric]float64{Deliveries: v}
		}
		if err := Append(&b, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := Append(&b, Machine{Kind: "machine", Cores: 2}); err != nil {
		t.Fatal(err)
	}
	for pair := range 4 {
		add("a", pair, 100, "")
		add("b", pair, 1, "")
	}
	run = "newer"
	add("a", 1, 10, "")
	add("b", 1, 5, "")
	add("a", 2, 12, "")
	add("b", 2, 2, "")
	add("a", 3, 0, "it broke")
	add("b", 3, 7, "")
	f, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Ratios("s", "a", "b", Deliveries)
	slices.Sort(got)
	if !slices.Equal(got, []float64{2, 6}) || len(f.Machines) != 1 {
		t.Errorf("ratios %v of %d machines", got, len(f.Machines))
	}
	if why := f.Failures("s", "a"); !slices.Equal(why, []string{"it broke"}) {
		t.Errorf("failures %q", why)
	}
	if _, err := Read(bytes.NewBufferString(`{"kind":"other"}`)); err == nil {
		t.Error("a line of another kind was read")
	}
}
