package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/streamtest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// quantiles is a latency in stats.
type quantiles struct {
	Count         int
	P50, P95, P99 *float64
}

// stats is the answer of GET /v1/stats.
type stats struct {
	Hub, Version, Time string
	Uptime             float64 `json:"uptime_seconds"`
	Isolated           bool
	Connections        map[string]int
	Rooms              int
	Received           map[string]int
	Deliveries         int
	Dropped, Closed    map[string]int
	Slow               int `json:"slow_consumers"`
	Resumes            map[string]int
	Latency            struct{ Local, Remote quantiles }
	Broker             struct {
		Up         bool
		RTT        *float64 `json:"rtt_ms"`
		Reconnects int
	}
}

func readStats(tb testing.TB, text []byte) (s stats) {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return s
}

func (h *hub) Stats() stats {
	h.tb.Helper()
	status, body, err := get(h.URL() + "/v1/stats")
	if err != nil || status != http.StatusOK {
		h.tb.Fatalf("/v1/stats of %s: status %d, %v", h.addr, status, err)
	}
	return readStats(h.tb, body)
}

// metrics returns what /metrics has to say where the stats are right.
func (s *stats) metrics() map[string]float64 {
	all := map[string]float64{}
	set := func(name string, n float64) { all["realtime_hub_"+name] = n }
	labelled := func(name, label string, counts map[string]int) {
		for value, n := range counts {
			set(fmt.Sprintf("%s{%s=%q}", name, label, value), float64(n))
		}
	}
	connections := 0
	for _, n := range s.Connections {
		connections += n
	}
	set("connections", float64(connections))
	set("rooms", float64(s.Rooms))
	labelled("messages_received_total", "source", s.Received)
	set("deliveries_total", float64(s.Deliveries))
	labelled("messages_dropped_total", "reason", s.Dropped)
	labelled("connections_closed_total", "code", s.Closed)
	labelled("resume_total", "result", s.Resumes)
	labelled("delivery_latency_seconds_count", "path", map[string]int{
		"local": s.Latency.Local.Count, "remote": s.Latency.Remote.Count,
	})
	set("slow_consumers", float64(s.Slow))
	set("broker_up", 0)
	if s.Broker.Up {
		set("broker_up", 1)
	}
	set("broker_rtt_seconds", 0)
	if s.Broker.RTT != nil {
		set("broker_rtt_seconds", *s.Broker.RTT/1e3)
	}
	set("broker_reconnects_total", float64(s.Broker.Reconnects))
	return all
}

// agree compares stats with /metrics: each has what the other has, but for the histograms' buckets and sums.
func (h *hub) agree() error {
	h.tb.Helper()
	got, want := h.Stats(), map[string]float64{}
	for name, n := range h.Metrics() {
		if strings.HasPrefix(name, "realtime_hub_") && !strings.Contains(name, "_bucket{") && !strings.Contains(name, "_sum{") &&
			!strings.HasPrefix(name, "realtime_hub_build_info") {
			want[name] = n
		}
	}
	if !maps.Equal(got.metrics(), want) {
		return fmt.Errorf("stats have\n%v\nand metrics\n%v", got.metrics(), want)
	}
	return nil
}

// TestStats has known traffic between two hubs, and compares what each says of it, as an answer, in a stream, and at
// /metrics.
func TestStats(t *testing.T) {
	t.Parallel()
	hubs := startUp(t, 2).hubs
	before := hubs[0].Stats()
	if before.Rooms != 0 || before.Deliveries != 0 || before.Latency.Local.P50 != nil || before.Broker.RTT != nil {
		t.Errorf("a hub that did nothing says %+v", before)
	}
	ada, bob := dialV1(t, hubs[0], "Ada", "news"), dialPlain(t, hubs[1], "live.score")
	stream, cyd := openEvents(t, hubs[0], "live.score", "", ""), dialPlain(t, hubs[1], "news")
	gone := dialPlain(t, hubs[0], "live.other")
	gone.ws.Close(1000, "")

	accepted(t, post(t, hubs[0], "news", "", "one"), protocol.ScopeCluster) // to Ada here, and to Cyd there
	accepted(t, post(t, hubs[0], "live.score", "", "1:0"), protocol.ScopeLive)
	ada.publish("news", "two") // to Cyd
	bob.send("2:0")            // to the stream
	ada.expect(protocol.TypeMessage)
	stream.text("1:0")
	stream.text("2:0")
	for _, want := range []struct {
		c    *conn
		text string
	}{{cyd, "one"}, {cyd, "two"}, {bob, "1:0"}} {
		if got := want.c.next(); got.data != want.text {
			t.Errorf("got %q, want %q", got.data, want.text)
		}
	}
	for i, want := range []string{
		"map[events:1 plain:0 stats:0 v1:1] 2 map[broker:1 http:2 websocket:1] 3 map[1000:1] 2 1",
		"map[events:0 plain:2 stats:0 v1:0] 2 map[broker:3 http:0 websocket:1] 3 map[] 0 3",
	} {
		says := func(s stats) string {
			return fmt.Sprint(s.Connections, s.Rooms, s.Received, s.Deliveries, s.Closed, s.Latency.Local.Count, s.Latency.Remote.Count)
		}
		eventually(t, "the last delivery is counted", func() error { // that is after it was read
			if got := says(hubs[i].Stats()); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
				return fmt.Errorf("hub %d says %s, want %s", i+1, got, want)
			}
			return nil
		})
		if err := hubs[i].agree(); err != nil {
			t.Errorf("hub %d: %v", i+1, err)
		}
		now := hubs[i].Stats()
		if now.Hub != fmt.Sprint("hub", i+1) || now.Version == "" || now.Isolated || !now.Broker.Up || now.Uptime <= 0 {
			t.Errorf("hub %d says %+v", i+1, now)
		}
		if at, err := time.Parse(time.RFC3339, now.Time); err != nil || time.Since(at) > time.Minute {
			t.Errorf("it is %s: %v", now.Time, err)
		}
		for name, q := range map[string]quantiles{"local": now.Latency.Local, "remote": now.Latency.Remote} {
			if q.Count == 0 && (q.P50 != nil || q.P99 != nil) || q.Count > 0 && (*q.P50 <= 0 || *q.P50 > *q.P95 || *q.P95 > *q.P99) {
				t.Errorf("hub %d: %s %+v", i+1, name, q)
			}
		}
	}
	statsStream(t, hubs[0])
	if err := hubs[1].agree(); err != nil {
		t.Error(err)
	}
}

// statsStream reads a hub's numbers as a stream: the same, and its own connection with them.
func statsStream(t *testing.T, h *hub) {
	t.Helper()
	want := h.Stats()
	s, err := streamtest.Open(t.Context(), h.Addr(), "/v1/stats/events", "", patience)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e := &events{s, t}
	first, second := readStats(t, []byte(e.next().Data)), readStats(t, []byte(e.next().Data))
	want.Connections["stats"] = 1
	for _, got := range []*stats{&first, &second} {
		if !maps.Equal(got.metrics(), want.metrics()) || got.Connections["stats"] != 1 {
			t.Errorf("the stream says\n%+v\nand the answer was\n%+v", *got, want)
		}
	}
	if passed := second.Uptime - first.Uptime; passed < 0.5 {
		t.Errorf("the next snapshot came after %v s", passed)
	}
}

// TestStatsIsolated has a hub that cannot reach Redis.
func TestStatsIsolated(t *testing.T) {
	t.Parallel()
	h := startHub(t, "--broker", "redis://"+freeAddr(t))
	if s := h.Stats(); !s.Isolated || s.Broker.Up || s.Broker.RTT != nil {
		t.Errorf("it says %+v", s)
	}
	accepted(t, post(t, h, "live.score", "", "1:0"), protocol.ScopeLive)
	if s := h.Stats(); s.Dropped["isolated"] != 1 || s.Received["http"] != 1 {
		t.Errorf("it says %+v", s)
	}
	if err := h.agree(); err != nil {
		t.Error(err)
	}
}

// TestStatsAsOthers has what is refused as at other addresses, and a page of an allowed origin.
func TestStatsAsOthers(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	for _, path := range []string{"/v1/stats", "/v1/stats/events"} {
		for method, status := range map[string]int{"POST": 405, "DELETE": 405, "OPTIONS": 405, "HEAD": 200, "GET": 200} {
			r, err := http.NewRequestWithContext(t.Context(), method, h.URL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			const page = "http://127.0.0.1:9081"
			r.Header.Set("Origin", page)
			answer, err := requests.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != status || status == 405 && answer.Header.Get("Allow") != "GET" ||
				answer.Header.Get("Access-Control-Allow-Origin") != page || answer.Header.Get("Cache-Control") != "no-store" && status == 200 {
				t.Errorf("%s %s: %d %v", method, path, answer.StatusCode, answer.Header)
			}
		}
	}
}
