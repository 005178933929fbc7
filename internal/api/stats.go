package api

import "net/http"

// Stats is a snapshot of a hub: the numbers of /metrics, for people and pages. Counters are totals since the start.
type Stats struct {
	Hub           string            `json:"hub"`
	Version       string            `json:"version"`
	Time          string            `json:"time"` // when the snapshot was taken
	UptimeSeconds float64           `json:"uptime_seconds"`
	Isolated      bool              `json:"isolated"`
	Connections   StatsConnections  `json:"connections"`
	Rooms         int               `json:"rooms"`    // with a session on this hub
	Received      map[string]uint64 `json:"received"` // by source
	Deliveries    uint64            `json:"deliveries"`
	Dropped       map[string]uint64 `json:"dropped"` // by reason
	Closed        map[string]uint64 `json:"closed"`  // by close code
	SlowConsumers int               `json:"slow_consumers"`
	Resumes       map[string]uint64 `json:"resumes"` // by result
	Latency       StatsLatency      `json:"latency"`
	Broker        StatsBroker       `json:"broker"`
}

// StatsConnections is how many connections are open, by what they speak.
type StatsConnections struct {
	V1     int `json:"v1"`
	Plain  int `json:"plain"`
	Events int `json:"events"` // streams of a room
	Stats  int `json:"stats"`  // streams of snapshots
}

// StatsLatency is how long deliveries took, of messages that this hub took, and of those of others.
type StatsLatency struct {
	Local  StatsQuantiles `json:"local"`
	Remote StatsQuantiles `json:"remote"`
}

// StatsQuantiles are estimates in milliseconds; nil where nothing was delivered.
type StatsQuantiles struct {
	Count uint64   `json:"count"`
	P50   *float64 `json:"p50"`
	P95   *float64 `json:"p95"`
	P99   *float64 `json:"p99"`
}

// StatsBroker is the way to the other hubs.
type StatsBroker struct {
	Up         bool     `json:"up"`
	RTT        *float64 `json:"rtt_ms"` // nil where there is none
	Reconnects uint64   `json:"reconnects"`
}

// Encode returns the snapshot as JSON in one line, without a line's end.
func (s *Stats) Encode() []byte { return encode(s) }

func (a *Handler) stats(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, a.takeStats())
}
