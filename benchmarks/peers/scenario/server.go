// Package scenario says what is compared, as data: the servers, what is done with them, and what is to come out.
package scenario

// Server is one server, as it is started for a measurement. In Args these stand for what is known only then:
//
//	{listen}   host:port to listen on
//	{redis}    host:port of the Redis of this measurement
//	{number}   1, 2, …: which of several hubs
//	{frames}   how many frames a write our hub had in the same pair, on average
//	{cert}, {key}   files of a certificate for 127.0.0.1 and its key
type Server struct {
	Name    string // in results
	Title   string // in tables and charts
	Program string
	Args    []string
	Node    bool   // Program is a script for Node
	Dialect string // what the generator speaks to it; "" for plain
	TLS     bool
	Ahead   int // how many times the messages in flight of the scenario there are; 0 for once
}

// Names of servers that others are compared with.
const (
	Ours  = "ours"
	Floor = "floor"
	// FloorSame is the floor with as many frames a write as ours had. It writes the same frames to all before it begins
	// with the next, so with a window not much larger than that it would wait, after each round, for the generator, with
	// too few frames. It gets twice the window, and has its next round there when the last is written.
	FloorSame = "floor-same"
)

func hubserver(name, title string, args ...string) Server {
	base := []string{"hubserver", "--listen", "{listen}", "--name", "hub{number}", "--log-level", "warn"}
	return Server{Name: name, Title: title, Program: "realtime-hub", Args: append(base, args...)}
}

// Servers are all that can be compared.
var Servers = []Server{
	hubserver(Ours, "Realtime Hub"),
	hubserver("ours-goroutine", "Realtime Hub, goroutine engine", "--engine", "goroutine"),
	func() Server {
		s := hubserver("ours-tls", "Realtime Hub, TLS", "--tls-cert", "{cert}", "--tls-key", "{key}")
		s.TLS = true
		return s
	}(),
	hubserver("ours-loops1", "Realtime Hub, one loop", "--loops", "1"),
	hubserver("ours-loops2", "Realtime Hub, two loops", "--loops", "2"),
	hubserver("ours-redis", "Realtime Hub, Redis", "--broker", "redis://{redis}"),
	{Name: Floor, Title: "floor", Program: "floor", Args: []string{"-listen", "{listen}"}},
	{Name: FloorSame, Title: "floor, as many frames a write as ours", Program: "floor", Args: []string{"-listen", "{listen}", "-frames", "{frames}"}, Ahead: 2},
	{Name: "nats", Title: "NATS over WebSocket", Program: "nats", Args: []string{"-listen", "{listen}"}, Dialect: "nats"},
	{Name: "socketio", Title: "Socket.IO", Program: "socketio.mjs", Args: []string{"{listen}"}, Node: true, Dialect: "socketio"},
	{Name: "ws", Title: "ws (Node)", Program: "ws.mjs", Args: []string{"{listen}"}, Node: true},
	{Name: "gorilla", Title: "gorilla/websocket", Program: "gorilla", Args: []string{"-listen", "{listen}"}},
	{Name: "gorilla-redis", Title: "gorilla/websocket, a PUBLISH a message, pipelined", Program: "gorilla", Args: []string{"-listen", "{listen}", "-redis", "{redis}", "-pipeline", "-queue", "1024"}},
	{Name: "gorilla-redis-usual", Title: "gorilla/websocket, a PUBLISH a message, waiting for each", Program: "gorilla", Args: []string{"-listen", "{listen}", "-redis", "{redis}", "-queue", "1024"}},
	{Name: "coder", Title: "coder/websocket", Program: "coder", Args: []string{"-listen", "{listen}"}},
	{Name: "gws", Title: "lxzan/gws", Program: "gws", Args: []string{"-listen", "{listen}"}},
}

// ServerOf returns the server of a name.
func ServerOf(name string) (Server, bool) {
	for _, s := range Servers {
		if s.Name == name {
			return s, true
		}
	}
	return Server{}, false
}
