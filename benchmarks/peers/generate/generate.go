//go:build linux

// Package generate puts a load on servers with package bench, in a process of its own that the runner pins to a core, and
// says what came of it as values of package results.
//
// The runner gives it a [Spec] and gets an [Outcome], both as JSON.
package generate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/dialect"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/process"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/internal/bench"
)

// Spec says what to do.
type Spec struct {
	Servers []string      `json:"servers"` // URLs
	PIDs    []int         `json:"pids"`    // of the servers
	Dialect string        `json:"dialect"`
	Room    string        `json:"room"` // how the names of the rooms begin
	CA      string        `json:"ca"`   // file of the certificates that servers with TLS show
	Load    results.Load  `json:"load"`
	Warmup  time.Duration `json:"warmup"`
	Idle    bool          `json:"idle"` // hold the connections for Load.Seconds, and publish nothing
}

// Outcome is what came of it.
type Outcome struct {
	Values   map[results.Metric]float64 `json:"values"`
	Warnings []string                   `json:"warnings"`
	Result   *bench.Result              `json:"-"`
}

// Dialects by name.
var dialects = map[string]bench.Dialect{
	"": bench.Plain{}, "plain": bench.Plain{}, "v1": bench.V1{}, "nats": dialect.NATS{}, "socketio": dialect.SocketIO{},
}

// Run puts the load on the servers.
func Run(ctx context.Context, s Spec) (o Outcome, err error) {
	d, ok := dialects[s.Dialect]
	if !ok {
		return o, fmt.Errorf("there is no dialect %q", s.Dialect)
	}
	options := bench.Options{
		Dialect: d, Hubs: s.Servers, HubPIDs: s.PIDs, Room: s.Room,
		Conns: s.Load.Connections, Publishers: s.Load.Publishers, Rooms: s.Load.Rooms, Size: s.Load.Size,
		Rate: s.Load.Rate, Window: s.Load.Window,
		Warmup: s.Warmup, Duration: time.Duration(s.Load.Seconds * float64(time.Second)), Idle: s.Idle,
		// Slow servers take seconds for 128 messages to 1000 clients: that is no loss.
		GiveUp: 15 * time.Second, Drain: 15 * time.Second,
	}
	if s.CA != "" {
		if options.TLS, err = trust(s.CA); err != nil {
			return o, err
		}
	}
	w := &writes{pids: s.PIDs}
	options.Progress = w.look
	if o.Result, err = bench.Run(ctx, options); err != nil {
		return o, err
	}
	o.Warnings = o.Result.Warnings
	if l := o.Result.Load; l != nil {
		o.Values = values(o.Result)
		if n, ok := w.frames(); ok {
			o.Values[results.FramesPerWrite] = n
		}
		if l.Expected == 0 && l.PublishedTotal == 0 {
			return o, errors.New("nothing was published")
		}
	}
	return o, nil
}

func trust(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// values returns the metrics of a load.
func values(r *bench.Result) map[results.Metric]float64 {
	l := r.Load
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
	v := map[results.Metric]float64{
		results.Deliveries: l.DeliveriesPerSecond, results.Messages: l.PublishedPerSecond,
		results.Lost: float64(l.Lost), results.Doubled: float64(l.Duplicates), results.Disordered: float64(l.OutOfOrder),
	}
	if l.Latency.Count > 0 { // there is none where no message of the time that is measured came to anybody
		v[results.P50], v[results.P99], v[results.P999] = ms(l.Latency.P50), ms(l.Latency.P99), ms(l.Latency.P999)
	}
	if r.Own.Known {
		v[results.GeneratorCPU] = r.Own.Cores
	}
	if r.Hubs.Known {
		v[results.ServerShare] = r.Hubs.Cores
		if l.Deliveries > 0 {
			v[results.ServerCPU] = r.Hubs.CPUSeconds / float64(l.Deliveries) * 1e6
		}
	}
	if l.AckLatency != nil && l.Seconds > 0 {
		v[results.Acknowledged] = float64(l.AckLatency.Count) / l.Seconds
		v[results.AckP99] = ms(l.AckLatency.P99)
	}
	return v
}

// writes counts the servers' calls that write, as the kernel does, while the load runs. So a server need not be asked,
// and all are counted alike.
type writes struct {
	pids        []int
	first, last *look
}

type look struct {
	writes     int64
	deliveries uint64
}

func (w *writes) look(p bench.Progress) {
	if p.Phase != "warming up" && p.Phase != "running" { // from one to the other nothing changes
		return
	}
	u, err := process.Measure(w.pids...)
	if err != nil {
		return // then there is no such figure
	}
	w.last = &look{writes: u.Writes, deliveries: p.Deliveries}
	if w.first == nil {
		w.first = w.last
	}
}

// frames returns how many deliveries there were for each call.
func (w *writes) frames() (float64, bool) {
	if w.first == nil || w.last.writes == w.first.writes {
		return 0, false
	}
	return float64(w.last.deliveries-w.first.deliveries) / float64(w.last.writes-w.first.writes), true
}
