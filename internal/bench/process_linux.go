package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// perSecond is how many ticks /proc counts a second of CPU as (USER_HZ), which is the same on every Linux.
const perSecond = 100

// processUsage returns what a process has taken until now.
func processUsage(pid int) (u Usage, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The name, in parentheses, may have blanks and parentheses itself. Behind it stand, counted from 3: 14 and 15, the
	// ticks in user mode and in the kernel, and 24, the pages that are resident (proc_pid_stat(5)).
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const first, user, system, pages = 3, 14, 15, 24
	if len(fields) <= pages-first {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	number := func(i int) float64 {
		n, _ := strconv.ParseFloat(fields[i-first], 64) // the kernel writes numbers
		return n
	}
	u.Known = true
	u.CPUSeconds = (number(user) + number(system)) / perSecond
	u.RSS = uint64(number(pages)) * uint64(os.Getpagesize())
	u.Starved = starved(pid)
	return u, nil
}

// starved returns how long the threads of a process were ready to run and had no core, in seconds: the second number
// of each one's schedstat, in ns (Documentation/scheduler/sched-stats). It is 0 where the kernel does not count that.
func starved(pid int) (seconds float64) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is well-formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			n, _ := strconv.ParseFloat(fields[1], 64) // the kernel writes numbers
			seconds += n / 1e9
		}
	}
	return seconds
}

// listener returns the process that listens on addr, host:port, where that is a loopback address and the process can be
// seen.
func listener(addr string) (pid int, ok bool) {
	port, ok := loopbackPort(addr)
	if !ok {
		return 0, false
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listeners(table, port, sockets)
	}
	if len(sockets) == 0 {
		return 0, false
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return 0, false
	}
	// Whoever listens began with that, as a rule: so the first descriptors of all processes come before the many that
	// connections have.
	const first, all = 64, -1
	for _, most := range []int{first, all} {
		for _, p := range processes {
			if pid, err := strconv.Atoi(p.Name()); err == nil && hasSocket(pid, sockets, most) {
				return pid, true
			}
		}
	}
	return 0, false
}

// listeners adds the sockets of a table that listen on a port, as descriptors show them.
func listeners(table string, port uint16, sockets map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return // IPv6 may be off
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan() // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		const listening = "0A"
		if len(fields) < 10 || fields[3] != listening {
			return // those that listen come first; of connections there may be tens of thousands
		}
		if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			sockets["socket:["+fields[9]+"]"] = true
		}
	}
}

// hasSocket reports whether a process has one of the sockets among its first descriptors.
func hasSocket(pid int, sockets map[string]bool, most int) bool {
	path := fmt.Sprintf("/proc/%d/fd", pid)
	dir, err := os.Open(path)
	if err != nil {
		return false // it is somebody else's, or has ended
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(most) // in the order of their numbers
	for _, name := range names {
		if target, err := os.Readlink(path + "/" + name); err == nil && sockets[target] {
			return true
		}
	}
	return false
}
