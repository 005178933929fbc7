//go:build linux

package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/generate"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// TestServers puts a small load on each server that some scenario names: everything comes once, in order, and to nobody
// who sent it. It needs Node, npm and Redis.
func TestServers(t *testing.T) {
	t.Chdir("../../..")
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
	defer cancel()
	p, err := build(ctx, scenario.Scenarios)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{programs: p}
	type pair struct {
		server, dialect, room string
		redis                 bool
		hubs                  int
	}
	var pairs []pair
	for _, s := range scenario.Scenarios {
		for _, name := range s.Servers {
			if one := (pair{name, s.Dialect, s.Room, s.Redis, min(s.Load.Hubs, 2)}); !slices.Contains(pairs, one) {
				pairs = append(pairs, one)
			}
		}
	}
	for _, one := range pairs {
		t.Run(one.server+one.dialect, func(t *testing.T) {
			s := scenario.Scenario{
				Name: "test", Dialect: one.dialect, Room: one.room, Redis: one.redis,
				Load: results.Load{
					Connections: 10, Publishers: 3, Rate: 100, Size: 64, Rooms: 1, Hubs: one.hubs, Seconds: .5,
				},
			}
			place, err := r.start(ctx, s, one.server, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer place.stop()
			o, err := generate.Run(ctx, r.spec(s, s.Load, place))
			if err != nil {
				t.Fatal(err)
			}
			l := o.Result.Load
			if l.PublishedTotal != 50 || l.Delivered != 9*50 || l.Expected != 9*50 ||
				l.Lost+l.Duplicates+l.OutOfOrder+l.Echoed+l.Strange+l.Unsent > 0 || len(l.Refused) > 0 {
				t.Errorf("%+v", *l)
			}
			if acks := o.Values[results.Acknowledged]; one.dialect == "v1" && acks == 0 {
				t.Error("nothing was acknowledged")
			}
		})
	}
}
