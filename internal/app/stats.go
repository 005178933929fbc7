package app

import (
	"math"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// snapshotInterval is how often those are told of a hub's numbers who listen.
const snapshotInterval = time.Second

// snapshot reads what hub and transports counted, as collector does: the numbers are those of /metrics.
func snapshot(of *hub.Hub, transport *ws.Server, version string, started time.Time) *api.Stats {
	h, w, now := of.Stats(), transport.Stats(), time.Now()
	s := &api.Stats{
		Hub: of.Name(), Version: version, Time: protocol.FormatTime(now), UptimeSeconds: rounded(now.Sub(started).Seconds()),
		Isolated: of.Isolated(),
		Connections: api.StatsConnections{
			V1: w.Connections.V1, Plain: w.Connections.Plain, Events: w.Connections.Events, Stats: w.Connections.Snapshots,
		},
		Rooms: h.Rooms, Received: h.Received, Deliveries: w.Deliveries,
		Dropped: make(map[string]uint64), Closed: make(map[string]uint64),
		SlowConsumers: w.SlowConsumers, Resumes: h.Resumes,
		Latency: api.StatsLatency{Local: quantiles(w.Local), Remote: quantiles(w.Remote)},
		Broker:  api.StatsBroker{Reconnects: h.Broker.Reconnects},
	}
	s.Broker.Up = !s.Isolated
	if rtt := h.Broker.RTT; rtt > 0 {
		s.Broker.RTT = new(milliseconds(float64(rtt.Nanoseconds()) / 1e3))
	}
	for _, dropped := range []map[hub.DropReason]uint64{h.Broker.Dropped, w.Dropped} {
		for why, n := range dropped {
			s.Dropped[string(why)] += n
		}
	}
	for code, n := range w.Closed {
		s.Closed[code.String()] = n
	}
	return s
}

func quantiles(l ws.Latency) api.StatsQuantiles {
	at := func(q float64) *float64 {
		µs, ok := l.Quantile(q)
		if !ok {
			return nil
		}
		return new(milliseconds(µs))
	}
	return api.StatsQuantiles{Count: l.Count(), P50: at(0.50), P95: at(0.95), P99: at(0.99)}
}

func milliseconds(µs float64) float64 { return rounded(µs / 1e3) }

// rounded returns n with three places: more would say that there is something to know in them.
func rounded(n float64) float64 { return math.Round(n*1e3) / 1e3 }
