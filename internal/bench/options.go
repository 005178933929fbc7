package bench

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// Options say what a load test does. A field that is zero has the default that stands beside it.
type Options struct {
	Dialect Dialect  // what the connections speak; default Plain
	Hubs    []string // URLs of the servers, over which the connections of each room are dealt; at least one
	TLS     *tls.Config

	Conns      int    // connections, each in one room; default 100
	Publishers int    // the first so many of them publish too; default 1; 0 with Idle
	Rooms      int    // rooms over which the connections are dealt; default 1
	Room       string // how the names of the rooms begin, a hyphen and a number follow; default live.bench
	Echo       bool   // the server sends a message to its publisher too

	Rate   float64 // messages a second of all publishers together, by the clock; 0 with no Window: as fast as it goes
	Window int     // messages on their way of all publishers together; Rate does not count then
	Size   int     // bytes of a message, MinSize or more; default 64

	Settle   time.Duration // from when all connections are ready until the first message; default 0
	Warmup   time.Duration // before what is measured; default 0
	Duration time.Duration // what is measured; default 10 s
	Drain    time.Duration // longest wait for what is still on its way at the end; default 5 s
	GiveUp   time.Duration // with Window, longest that a message is waited for before another is sent; default 2 s

	Idle bool // nobody publishes: the connections are opened and held for Duration

	Dialers        int           // connections that are opened at the same time; default 64
	ConnectTimeout time.Duration // for one connection, until it is ready; default 30 s
	Goroutines     bool          // a goroutine for each connection on Linux too

	HubPIDs  []int          // processes whose CPU and memory count as the hubs'; default: those that listen on loopback
	Progress func(Progress) // called about twice a second by the goroutine of Run; may be nil
}

// MinSize is the least Size.
const MinSize = stampSize

// Progress is how far a load test is.
type Progress struct {
	Phase      string        // connecting, holding, warming up, running or draining
	Connected  int           // connections that are ready
	Conns      int           // of so many
	Elapsed    time.Duration // in the phase
	Of         time.Duration // the phase's length, where it is known
	Published  uint64        // messages so far
	Deliveries uint64        // so far
}

// The errors of Run beside those of the context.
var (
	// ErrOptions is wrapped where the options are no sense.
	ErrOptions = errors.New("bad options")
	// ErrUnreachable is wrapped where a server cannot be reached, or does not answer as one.
	ErrUnreachable = errors.New("cannot reach the hub")
	// ErrRefused is wrapped where a server refuses the handshake for want of a right (401 or 403).
	ErrRefused = errors.New("the hub refuses")
)

// withDefaults returns o with its defaults, or what is wrong with it.
func (o Options) withDefaults() (Options, error) {
	if o.Dialect == nil {
		o.Dialect = Plain{}
	}
	for value, standard := range map[*int]int{&o.Conns: 100, &o.Rooms: 1, &o.Size: 64, &o.Dialers: 64} {
		if *value == 0 {
			*value = standard
		}
	}
	for value, standard := range map[*time.Duration]time.Duration{
		&o.Duration: 10 * time.Second, &o.Drain: 5 * time.Second, &o.GiveUp: 2 * time.Second, &o.ConnectTimeout: 30 * time.Second,
	} {
		if *value == 0 {
			*value = standard
		}
	}
	if o.Room == "" {
		o.Room = "live.bench"
	}
	if o.Window > 0 {
		o.Rate = 0
	}
	if o.Idle {
		o.Publishers, o.Rate, o.Window, o.Warmup = 0, 0, 0, 0
	} else if o.Publishers == 0 {
		o.Publishers = 1
	}
	return o, o.check()
}

// check returns what is wrong with options that have their defaults.
func (o Options) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrOptions, fmt.Sprintf(format, args...))
	}
	switch {
	case len(o.Hubs) == 0:
		return bad("no hub is named")
	case o.Conns < 1 || o.Rooms < 1 || o.Dialers < 1:
		return bad("less than one connection, room or dialer")
	case o.Publishers < 0 || o.Publishers > o.Conns:
		return bad("%d publishers of %d connections", o.Publishers, o.Conns)
	case o.Publishers > maxPublishers:
		return bad("%d publishers, more than %d", o.Publishers, maxPublishers)
	case o.Size < MinSize || o.Size > maxPayload/2:
		return bad("messages of %d bytes: %d is the least, for what is measured is written into them", o.Size, MinSize)
	case o.Rate < 0 || o.Window < 0:
		return bad("rate or window below 0")
	case o.Duration < 0 || o.Settle < 0 || o.Warmup < 0 || o.Drain < 0 || o.GiveUp < 0 || o.ConnectTimeout < 0:
		return bad("a time below 0")
	case o.Warmup+o.Duration > maxTime-time.Hour:
		return bad("longer than %v", (maxTime - time.Hour).Round(time.Minute))
	}
	// Each connection has 4 bytes for each publisher of its room.
	if perRoom := (o.Publishers + o.Rooms - 1) / o.Rooms; perRoom*o.Conns > 1<<28 {
		return bad("%d publishers in one room of %d connections would take more than 1 GiB to keep count: use more rooms, or fewer publishers",
			perRoom, o.Conns/o.Rooms)
	}
	for _, hub := range o.Hubs {
		if _, err := address.ParseHub(hub); err != nil {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	return nil
}

// roomOf returns the number of the room that a connection is in.
func (o *Options) roomOf(conn int) int { return conn % o.Rooms }

// hubOf returns which hub a connection goes to. Those of one room are dealt over all hubs, and so are rooms of one.
func (o *Options) hubOf(conn int) int { return (conn/o.Rooms + conn%o.Rooms) % len(o.Hubs) }

// roomName returns the name of a room.
func (o *Options) roomName(room int) string { return fmt.Sprintf("%s-%d", o.Room, room) }
