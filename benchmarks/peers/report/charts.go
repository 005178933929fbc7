package report

import (
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/chart"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// drawing is one chart: bars of servers where it has scenarios, and otherwise a line over a group.
type drawing struct {
	title     string
	unit      string
	metric    results.Metric
	scenarios []series // a bar for each, at each server
	group     string
	x         string // what the group grows by
}

type series struct{ scenario, title string }

var charts = map[string]drawing{
	"throughput": {
		title: "Deliveries a second: 1000 subscribers, 8 publishers, 64 bytes", unit: "deliveries/s", metric: results.Deliveries,
		scenarios: []series{{"window32", "32 messages in flight"}, {"window128", "128 in flight"}},
	},
	"cpu": {
		title: "CPU seconds for a million deliveries: 50 messages a second to 1000", unit: "CPU seconds", metric: results.ServerCPU,
		scenarios: []series{{"steady", ""}},
	},
	"latency": {
		title: "Latency: 50 messages a second to 1000, p99", unit: "ms", metric: results.P99,
		scenarios: []series{{"steady", ""}},
	},
	"memory": {
		title: "Memory of an idle connection", unit: "KiB", metric: results.PerConnection, scenarios: []series{{"idle", ""}},
	},
	"goroutine": {
		title: "The goroutine engine and Go libraries as usually used: deliveries a second, 32 in flight", unit: "deliveries/s",
		metric: results.Deliveries, scenarios: []series{{"goroutine", ""}},
	},
	"connections": {title: "Deliveries a second by number of connections", unit: "deliveries/s", metric: results.Deliveries, group: "connections", x: "connections"},
	"size":        {title: "Deliveries a second by size of a message", unit: "deliveries/s", metric: results.Deliveries, group: "size", x: "bytes"},
	"rooms":       {title: "Deliveries a second by number of rooms, 19,000 connections", unit: "deliveries/s", metric: results.Deliveries, group: "rooms", x: "rooms"},
	"hubs":        {title: "Deliveries a second by number of hubs on the same cores", unit: "deliveries/s", metric: results.Deliveries, group: "hubs", x: "hubs"},
}

// draw returns the chart, nil where nothing was measured.
func (d drawing) draw(f results.File) []byte {
	if d.group != "" {
		return d.line(f)
	}
	c := chart.Bars{Title: d.title, Unit: d.unit, Format: columns[d.metric].format}
	rows := make(map[string]int)
	for i, s := range d.scenarios {
		c.Series = append(c.Series, s.title)
		for _, known := range under(s.scenario) {
			for _, name := range known.Servers {
				v, ok := results.Median(f.Values(s.scenario, name, d.metric))
				if !ok {
					continue
				}
				at, ok := rows[name]
				if !ok {
					at = len(c.Rows)
					rows[name] = at
					c.Rows = append(c.Rows, chart.Row{
						Name: label(known, name, false), Values: make([]*float64, len(d.scenarios)), Kind: kind(name),
					})
				}
				c.Rows[at].Values[i] = &v
			}
		}
	}
	if len(c.Rows) == 0 {
		return nil
	}
	return c.SVG()
}

func kind(server string) chart.Kind {
	switch {
	case server == scenario.Floor || server == scenario.FloorSame:
		return chart.Yardstick
	case len(server) >= len(scenario.Ours) && server[:len(scenario.Ours)] == scenario.Ours:
		return chart.Own
	}
	return chart.Other
}

func (d drawing) line(f results.File) []byte {
	c := chart.Line{Title: d.title, X: d.x, Y: d.unit, Format: columns[d.metric].format}
	for _, s := range under(d.group) {
		if v, ok := results.Median(f.Values(s.Name, s.Servers[0], d.metric)); ok {
			c.Points = append(c.Points, chart.Point{X: thousands(int(s.X)), Y: v})
		}
	}
	if len(c.Points) == 0 {
		return nil
	}
	return c.SVG()
}
