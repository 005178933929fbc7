//go:build !short

package redis

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name string
		opts redistest.Options
	}{
		{name: "plain"},
		{name: "TLS", opts: redistest.Options{TLS: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			brokertest.Run(t, func(t *testing.T, n, queueBytes int) brokertest.Cluster {
				server := redistest.New(t, c.opts)
				cluster := brokertest.Cluster{Cut: server.Kill, Heal: server.Start}
				for range n {
					opts := Options{URL: server.URL(), Timeout: unhurried, QueueBytes: queueBytes, Log: newTextLog(t.Output()),
						Keep: time.Millisecond}
					if c.opts.TLS {
						opts.CAFile = server.CAFile()
					}
					b, err := New(opts)
					if err != nil {
						t.Fatal(err)
					}
					cluster.Brokers = append(cluster.Brokers, b)
				}
				return cluster
			})
		})
	}
}
