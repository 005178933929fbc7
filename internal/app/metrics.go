package app

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// metricsHandler returns the handler of /metrics. Each hub has a registry of its own, as a process may run several.
func metricsHandler(h *hub.Hub, w *ws.Server, version string) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{hub: h, ws: w, version: version},
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// collector reads what hub and transports counted, at each scrape.
type collector struct {
	hub     *hub.Hub
	ws      *ws.Server
	version string
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("realtime_hub_"+name, help, labels, nil)
}

var (
	connections = desc("connections", "Connections open now.")
	rooms       = desc("rooms", "Rooms with at least one session on this hub.")
	received    = desc("messages_received_total", "Messages taken, by where they came from.", "source")
	deliveries  = desc("deliveries_total", "Messages written to a connection, each counted once for each connection.")
	dropped     = desc("messages_dropped_total", "Messages not delivered, by why.", "reason")
	closed      = desc("connections_closed_total", "Connections that ended, by close code.", "code")
	latency     = desc("delivery_latency_seconds", "From the moment in which the origin hub took a message to the "+
		"write at the socket; remote ones by two clocks.", "path")
	brokerUp   = desc("broker_up", "1 while the other hubs can be reached, 0 while this hub is isolated.")
	brokerRTT  = desc("broker_rtt_seconds", "Round trip of the last answered probe of the broker.")
	resumes    = desc("resume_total", "Times that a client resumed in a log room, by how it went.", "result")
	reconnects = desc("broker_reconnects_total", "Times that the broker came back after it was lost.")
	slow       = desc("slow_consumers",
		"Connections whose queue became more than half full and has not been empty since.")
	buildInfo = desc("build_info", "1, with what was built.", "version", "go")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connections, rooms, received, deliveries, dropped, closed, latency, brokerUp,
		brokerRTT, reconnects, resumes, slow, buildInfo} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	h, w := c.hub.Stats(), c.ws.Stats()
	gauge(connections, float64(w.Connections.All()))
	gauge(rooms, float64(h.Rooms))
	for source, n := range h.Received {
		count(received, n, source)
	}
	for result, n := range h.Resumes {
		count(resumes, n, result)
	}
	count(deliveries, w.Deliveries)
	for why, n := range h.Broker.Dropped {
		count(dropped, n, string(why))
	}
	for why, n := range w.Dropped {
		count(dropped, n, string(why))
	}
	for code, n := range w.Closed {
		count(closed, n, code.String())
	}
	ch <- histogram(w.Local, "local")
	ch <- histogram(w.Remote, "remote")
	up := 1.0
	if c.hub.Isolated() {
		up = 0
	}
	gauge(brokerUp, up)
	gauge(brokerRTT, h.Broker.RTT.Seconds())
	count(reconnects, h.Broker.Reconnects)
	gauge(slow, float64(w.SlowConsumers))
	gauge(buildInfo, 1, c.version, runtime.Version())
}

// histogram turns the transport's counts into a metric.
func histogram(l ws.Latency, path string) prometheus.Metric {
	const second = 1e6 // in µs
	buckets := make(map[float64]uint64, len(ws.LatencyBounds))
	var n uint64
	for i, bound := range ws.LatencyBounds {
		n += l.Buckets[i]
		buckets[float64(bound)/second] = n
	}
	n += l.Buckets[len(ws.LatencyBounds)]
	return prometheus.MustNewConstHistogram(latency, n, float64(l.Sum)/second, buckets, path)
}
