//go:build unix

package bench

import (
	"fmt"
	"os"
	"syscall"
)

// ownUsage returns what this process has taken until now.
func ownUsage() Usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return Usage{}
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	u := Usage{Known: true, From: "getrusage", PIDs: []int{os.Getpid()}, CPUSeconds: seconds(r.Utime) + seconds(r.Stime)}
	if now, err := processUsage(os.Getpid()); err == nil {
		u.RSS, u.Starved = now.RSS, now.Starved
	}
	return u
}

// spareFiles is how many descriptors a test needs beside those of its connections: the dialers', which has two of a
// connection for a moment, the engine's and the process's own.
const spareFiles = 200

// enoughFiles returns an error where this process may not open so many connections.
func enoughFiles(conns int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // then dialing will tell
	}
	if uint64(conns)+spareFiles > uint64(limit.Cur) {
		return fmt.Errorf("%w: %d connections, and this process may open %d files: allow more with ulimit -n, or open fewer",
			ErrOptions, conns, limit.Cur)
	}
	return nil
}
