package scenario

import (
	"fmt"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// Scenario is one load, which is put on several servers in turn.
type Scenario struct {
	Name    string
	Group   string  // what it is chosen by, and its table; "" where that is the name
	Title   string  // of the group
	Head    string  // of the column that tells those of a group apart; "" for the group's name
	X       float64 // what stands there, and where it stands in the group's chart
	Servers []string
	Load    results.Load
	Room    string // how the names of the rooms begin; "" for a live room
	Dialect string // instead of the server's
	Redis   bool   // a Redis is started for each measurement, and nothing is pinned
	Free    bool   // nothing is pinned either: server and generator share the cores
	Few     int    // of the idle connections: memory is read with so many, and with all
	Pairs   int    // at most; 0 as many as are asked for
	Short   bool   // measured for half the time: there are many of its group
	Columns []results.Metric
}

// Key returns what the scenario is chosen by.
func (s Scenario) Key() string {
	if s.Group != "" {
		return s.Group
	}
	return s.Name
}

var (
	everybody  = []string{Ours, Floor, FloorSame, "nats", "socketio", "ws", "gorilla"}
	throughput = []results.Metric{results.Deliveries, results.P50, results.P99, results.ServerCPU, results.FramesPerWrite, results.CPUPerWrite}
	open       = []results.Metric{results.Deliveries, results.P50, results.P99, results.P999, results.Lost, results.ServerCPU, results.FramesPerWrite}
	redis      = []results.Metric{results.Messages, results.P50, results.P99, results.Lost}
	logs       = []results.Metric{results.Acknowledged, results.AckP99, results.P99, results.Lost}
	growth     = []results.Metric{results.Deliveries, results.Messages, results.P99, results.ServerCPU}
)

// Scenarios are all that can be run, in this order.
var Scenarios = func() []Scenario {
	list := []Scenario{
		{
			Name: "window32", Title: "1000 subscribers, 8 publishers, 32 messages in flight", Servers: everybody,
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 32}, Columns: throughput,
		},
		{
			Name: "window128", Title: "1000 subscribers, 8 publishers, 128 messages in flight", Servers: everybody,
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 128}, Columns: throughput,
		},
		{
			Name: "publisher1", Title: "1000 subscribers, 1 publisher, 32 messages in flight", Servers: everybody,
			Load: results.Load{Connections: 1000, Publishers: 1, Window: 32}, Columns: throughput,
		},
		{
			Name: "steady", Title: "50 messages a second to 1000 subscribers", Servers: []string{Ours, Floor, "nats", "socketio", "ws", "gorilla"},
			Load: results.Load{Connections: 1000, Publishers: 8, Rate: 50}, Columns: open,
		},
		{
			Name: "offered", Title: "2000 messages a second to 1000 subscribers", Servers: []string{Ours, Floor},
			Load: results.Load{Connections: 1000, Publishers: 8, Rate: 2000}, Columns: open,
		},
		{
			Name: "goroutine", Title: "the goroutine engine and the usual Go libraries, 32 messages in flight",
			Servers: []string{"ours-goroutine", "gws", "coder", "gorilla"},
			Load:    results.Load{Connections: 1000, Publishers: 8, Window: 32}, Columns: throughput,
		},
		{
			Name: "loops", Title: "one loop and two on one core, 32 messages in flight", Servers: []string{"ours-loops1", "ours-loops2"},
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 32}, Columns: throughput,
		},
		{
			Name: "loops-free", Title: "one loop and two on all cores, which the generator has too, 32 messages in flight",
			Servers: []string{"ours-loops1", "ours-loops2"}, Free: true,
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 32}, Columns: throughput,
		},
		{
			Name: "tls", Title: "with and without TLS, 32 messages in flight", Servers: []string{Ours, "ours-tls"},
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 32}, Columns: throughput,
		},
		{
			Name: "redis-window", Title: "two hubs and Redis, a live room of 2+2 clients, 512 messages in flight",
			Servers: []string{"ours-redis", "gorilla-redis", "gorilla-redis-usual"}, Redis: true,
			Load: results.Load{Connections: 4, Publishers: 2, Window: 512, Hubs: 2}, Columns: redis,
		},
		{
			Name: "redis-rate", Title: "two hubs and Redis, a live room of 2+2 clients, 100,000 messages a second offered",
			Servers: []string{"ours-redis"}, Redis: true,
			Load: results.Load{Connections: 4, Publishers: 2, Rate: 100_000, Hubs: 2}, Columns: redis,
		},
		{
			Name: "log-room", Title: "two hubs and Redis, one log room of 2+2 clients, 25,000 messages a second offered",
			Servers: []string{"ours-redis"}, Redis: true, Room: "bench", Dialect: "v1",
			Load: results.Load{Connections: 4, Publishers: 2, Rate: 25_000, Hubs: 2}, Columns: logs,
		},
		{
			Name: "log-window", Title: "two hubs and Redis, 10 log rooms of 2+2 clients, 2048 messages in flight",
			Servers: []string{"ours-redis"}, Redis: true, Room: "bench", Dialect: "v1",
			Load: results.Load{Connections: 40, Publishers: 20, Window: 2048, Rooms: 10, Hubs: 2}, Columns: logs,
		},
		{
			Name: "idle", Title: "memory of idle connections, from 1,000 to 19,000",
			Servers: []string{Ours, "ours-tls", "ours-goroutine", "nats", "socketio", "ws", "gorilla", "coder", "gws"},
			Load:    results.Load{Connections: 19_000}, Few: 1000, Pairs: 3,
			Columns: []results.Metric{results.MemoryFew, results.MemoryMany, results.PerConnection},
		},
	}
	for _, n := range []int{10_000, 15_000, 25_000} {
		name := fmt.Sprintf("log-rate-%d", n)
		if n == 25_000 {
			name = "log-rate" // as in results of the time when it was alone
		}
		list = append(list, Scenario{
			Name: name, Group: "log-rate", Head: "messages/s offered", X: float64(n),
			Title:   "two hubs and Redis, 10 log rooms of 2+2 clients, by messages a second offered",
			Servers: []string{"ours-redis"}, Redis: true, Room: "bench", Dialect: "v1",
			Load: results.Load{Connections: 40, Publishers: 20, Rate: float64(n), Rooms: 10, Hubs: 2}, Columns: logs,
		})
	}
	for _, n := range []int{10, 100, 1000, 5000, 10_000, 19_000} {
		list = append(list, Scenario{
			Name: fmt.Sprintf("connections-%d", n), Group: "connections", X: float64(n),
			Title: "by number of connections: one room, 8 publishers, 32 messages in flight", Servers: []string{Ours},
			Load: results.Load{Connections: n, Publishers: 8, Window: 32}, Pairs: 3, Short: true, Columns: growth,
		})
	}
	for _, n := range []int{16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		list = append(list, Scenario{
			Name: fmt.Sprintf("size-%d", n), Group: "size", X: float64(n),
			// 8 messages of 64 KiB are less than what may wait for a session.
			Title: "by size of a message in bytes: 100 connections, 8 publishers, 8 messages in flight", Servers: []string{Ours},
			Load: results.Load{Connections: 100, Publishers: 8, Window: 8, Size: n}, Pairs: 3, Short: true, Columns: growth,
		})
	}
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		list = append(list, Scenario{
			Name: fmt.Sprintf("rooms-%d", n), Group: "rooms", X: float64(n),
			// With 10,000 rooms, 9,000 have two and 1,000 have one: the publishers are in those of two.
			Title: "by number of rooms: 19,000 connections, 1000 publishers, 32 messages in flight", Servers: []string{Ours},
			Load: results.Load{Connections: 19_000, Publishers: 1000, Window: 32, Rooms: n}, Pairs: 3, Short: true, Columns: growth,
		})
	}
	for _, n := range []int{1, 2, 4, 8} {
		list = append(list, Scenario{
			Name: fmt.Sprintf("hubs-%d", n), Group: "hubs", X: float64(n),
			Title:   "by number of hubs, with Redis: one live room of 1000 connections, 8 publishers, 32 messages in flight",
			Servers: []string{"ours-redis"}, Redis: true,
			Load: results.Load{Connections: 1000, Publishers: 8, Window: 32, Hubs: n}, Pairs: 3, Short: true, Columns: growth,
		})
	}
	for i := range list {
		l := &list[i].Load
		for _, field := range []*int{&l.Rooms, &l.Hubs} {
			*field = max(*field, 1)
		}
		if l.Size == 0 {
			l.Size = 64
		}
	}
	return list
}()
