package ws

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT (linux/tcp.h, RFC 5482): for how many milliseconds what was sent may stay
// unacknowledged.
const tcpUserTimeout = 18

// endVanished has the system end a connection whose peer has not acknowledged for so long what was sent: it is gone
// without a word. Nothing that is lost here is worth more than the connection.
func endVanished(nc net.Conn, after time.Duration) error {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(after.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
