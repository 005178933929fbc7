package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// Print prints medians and targets of scenarios for a terminal.
func Print(w io.Writer, f results.File, chosen []scenario.Scenario) {
	for _, key := range keys(chosen) {
		rows := table(f, key)
		if len(rows) < 2 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", title(key))
		aligned := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range rows {
			fmt.Fprintf(aligned, "  %s\n", strings.Join(row, "\t"))
		}
		aligned.Flush()
	}
	fmt.Fprintln(w, "\ntargets")
	aligned := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range targets(f, chosen) {
		fmt.Fprintf(aligned, "  %s\n", strings.Join(row, "\t"))
	}
	aligned.Flush()
}

// keys returns what scenarios are chosen by, each once, in order.
func keys(list []scenario.Scenario) (keys []string) {
	for _, s := range list {
		if !slices.Contains(keys, s.Key()) {
			keys = append(keys, s.Key())
		}
	}
	return keys
}

// under returns the scenarios of a key.
func under(key string) (list []scenario.Scenario) {
	for _, s := range scenario.Scenarios {
		if s.Key() == key {
			list = append(list, s)
		}
	}
	return list
}

func title(key string) string {
	for _, s := range under(key) {
		return s.Title
	}
	return key
}

// table returns the medians of a scenario or a group of them, the heads of the columns first. Behind the first median
// stand least and most.
func table(f results.File, key string) (rows [][]string) {
	list := under(key)
	if len(list) == 0 {
		return nil
	}
	grouped := list[0].Group != ""
	head := []string{""}
	if grouped {
		head[0] = cmp.Or(list[0].Head, key)
	}
	for _, metric := range list[0].Columns {
		head = append(head, columns[metric].title)
	}
	rows = append(rows, head)
	for _, s := range list {
		for _, name := range s.Servers {
			if len(f.Pairs(s.Name, name)) == 0 {
				if why := f.Failures(s.Name, name); len(why) > 0 {
					rows = append(rows, append([]string{label(s, name, grouped), "failed"}, make([]string, len(s.Columns)-1)...))
				}
				continue
			}
			row := []string{label(s, name, grouped)}
			for i, metric := range s.Columns {
				row = append(row, cell(f.Values(s.Name, name, metric), columns[metric].format, i == 0))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func label(s scenario.Scenario, server string, grouped bool) string {
	if grouped {
		return thousands(int(s.X))
	}
	known, _ := scenario.ServerOf(server)
	return cmp.Or(known.Title, server)
}

// thousands returns a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func cell(values []float64, format func(float64) string, spread bool) string {
	m, ok := results.Median(values)
	if !ok {
		return "–"
	}
	text := format(m)
	if spread && len(values) > 1 {
		text += fmt.Sprintf(" (%s–%s)", format(slices.Min(values)), format(slices.Max(values)))
	}
	return text
}

// targets returns what came of the targets of scenarios, the heads of the columns first.
func targets(f results.File, chosen []scenario.Scenario) (rows [][]string) {
	rows = append(rows, []string{"", "target", "measured", ""})
	for _, t := range scenario.Targets {
		if !slices.ContainsFunc(chosen, func(s scenario.Scenario) bool { return s.Name == t.Scenario }) {
			continue
		}
		o := t.Check(f)
		measured, met := "–", "not measured"
		if o.Known {
			measured, met = Short(o.Value), "missed"
			if t.Against != "" {
				measured = digits(o.Value) + " ×"
			}
			if o.Met {
				met = "met"
			}
		}
		rows = append(rows, []string{t.What, t.Goal(), measured, met})
	}
	return rows
}

// markdown returns rows as a table, the first row as its head.
func markdown(rows [][]string) string {
	if len(rows) < 2 {
		return "Not measured yet.\n"
	}
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return b.String()
}
