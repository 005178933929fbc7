package archtest

// A rule is what one package may import. Entries stand for themselves alone, but external ones are modules, with all
// their packages, and "…" stands for everything of ours.
type rule struct {
	ours     []string // packages, relative to the module
	external []string // modules
	not      []string // packages of the standard library that it may not import
}

// everything allows all packages of ours.
var everything = []string{"…"}

// rules has a row for each package. Who adds a package adds a row, and to docs/architecture.md what the package is.
var rules = map[string]rule{
	"protocol": {},
	"client":   {ours: []string{"protocol"}, external: []string{"github.com/coder/websocket"}},

	"client/js": {},

	"internal/epoll":       {external: []string{"golang.org/x/sys"}},
	"internal/epoll/tlsfd": {ours: []string{"internal/epoll"}},
	"internal/queue":       {},
	"internal/problem":     {},
	"internal/origin":      {ours: []string{"internal/problem"}},
	"internal/address":     {},
	"internal/config": {
		ours:     []string{"internal/address"},
		external: []string{"github.com/goccy/go-yaml", "github.com/spf13/pflag"},
	},

	// The core decides and moves no byte, so that it can be simulated.
	"internal/hub": {
		ours:     []string{"internal/hub/logroom", "internal/hub/roster", "protocol"},
		external: []string{"golang.org/x/time"},
		not:      []string{"net", "net/http", "os", "syscall"},
	},

	// The log rooms' part of it is a state machine: no clock, no chance, no goroutine's tools either.
	"internal/hub/logroom": {
		ours: []string{"protocol"},
		not: []string{
			"context", "crypto/rand", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "syscall",
		},
	},

	"internal/hub/roster": {
		not: []string{
			"context", "crypto/rand", "math/rand", "math/rand/v2", "net", "net/http", "os", "sync", "syscall", "time",
		},
	},

	"internal/broker/memory": {ours: []string{"internal/hub", "internal/queue", "protocol"}},
	"internal/broker/redis": {
		ours:     []string{"internal/address", "internal/hub", "internal/hub/logroom", "internal/queue", "protocol"},
		external: []string{"github.com/redis/rueidis"},
	},
	"internal/broker/brokertest": {ours: []string{"internal/hub", "protocol"}},

	"internal/auth": {
		ours:     []string{"internal/hub", "internal/problem", "protocol"},
		external: []string{"github.com/golang-jwt/jwt"},
	},

	"internal/ws": {
		ours: []string{
			"internal/auth", "internal/epoll", "internal/epoll/tlsfd", "internal/hub", "internal/problem", "internal/queue", "protocol",
		},
		external: []string{"github.com/gobwas/ws"},
	},
	"internal/api": {
		ours:     []string{"internal/auth", "internal/hub", "internal/problem", "protocol"},
		external: []string{"github.com/goccy/go-yaml"},
	},
	"internal/bench": {ours: []string{"internal/address", "internal/epoll", "internal/epoll/tlsfd", "protocol"}},
	"internal/web":   {ours: []string{"client/js", "internal/address", "internal/origin", "internal/problem"}},

	// The composition root, and with the commands the only place that knows concrete types.
	"internal/app": {ours: everything, external: []string{"github.com/prometheus/client_golang", "golang.org/x/term"}},
	"cmd/realtime-hub": {
		ours: []string{
			"client", "internal/address", "internal/app", "internal/auth", "internal/bench", "internal/config", "internal/hub",
			"protocol",
		},
		external: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
	},

	"internal/redistest":  {},
	"internal/streamtest": {},
	"internal/tlstest":    {},
	"internal/archtest":   {},
	"e2e":                 {},
}

// testRules has what the tests of every package may import beside what the package may; those of e2e, anything of ours.
var testRules = rule{
	ours: []string{
		"internal/broker/brokertest", "internal/broker/memory", "internal/hub", "internal/problem", "internal/redistest",
		"internal/streamtest", "internal/tlstest", "protocol",
	},
	external: []string{
		"github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "github.com/coder/websocket",
		"github.com/getkin/kin-openapi", "github.com/gobwas/ws", "github.com/prometheus/client_golang", "github.com/redis/rueidis",
		"github.com/rogpeppe/go-internal", "go.uber.org/goleak",
	},
}

// testOurs adds to testRules for the tests of one package.
var testOurs = map[string][]string{
	"client":           {"internal/ws"}, // its tests and examples run against a real hub
	"client/js":        {"internal/ws"},
	"cmd/realtime-hub": everything,
	"internal/bench":   {"internal/ws"},
	"e2e":              everything,
}

// poorNames say nothing of what a package has.
var poorNames = []string{
	"base", "common", "core", "data", "helper", "helpers", "misc", "shared", "types", "util", "utils",
}

// builds are the systems and tags under which the imports are looked at: together they show every file.
var builds = []struct{ system, tags string }{
	{"linux", ""},
	{"linux", "docker"},
	{"linux", "short"},
	{"darwin", ""},
	{"windows", ""},
}
