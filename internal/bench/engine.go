package bench

import "net"

// engine moves the bytes of a load, and owns it.
type engine interface {
	// open takes over a connection whose handshake is done, and what came behind that. Several goroutines may call it.
	open(c *conn, nc net.Conn, early []byte) error
	// do calls f where the load may be worked on, and waits for it. What f publishes goes out.
	do(f func())
	// busy returns the share of the measured time in which the engine did not wait, or -1 where nobody knows.
	busy() float64
	// stop closes all connections, in order where their servers answer in time, and ends what the engine runs. The load
	// belongs to the caller then.
	stop()
	name() string
}

const (
	engineLoop       = "epoll"
	engineGoroutines = "goroutine"
)
