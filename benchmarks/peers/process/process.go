//go:build linux

// Package process runs the programs of a comparison: pinned to a core, watched, and gone when the runner is gone.
//
// Its type is [Process]. Start is for the goroutine that holds the main thread (runtime.LockOSThread in main), as the
// kernel kills the children when the thread ends that started them.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Spec says what to start.
type Spec struct {
	Path string
	Args []string
	Env  []string // besides the runner's own
	Dir  string
	CPUs string    // as taskset takes them; "" for all
	Out  io.Writer // where its standard output goes; nil to what Said returns
}

// Process is one program that runs.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how; to be read after done
	said *tail
}

// Start starts a program. It is killed when ctx ends.
func Start(ctx context.Context, s Spec) (*Process, error) {
	path, args := s.Path, s.Args
	if s.CPUs != "" { // taskset becomes the program, so the process keeps its id
		path, args = "taskset", append([]string{"-c", s.CPUs, s.Path}, s.Args...)
	}
	p := &Process{cmd: exec.CommandContext(ctx, path, args...), done: make(chan struct{}), said: &tail{}}
	p.cmd.Env, p.cmd.Dir = append(os.Environ(), s.Env...), s.Dir
	p.cmd.Stdout, p.cmd.Stderr = s.Out, p.said
	if s.Out == nil {
		p.cmd.Stdout = p.said
	}
	p.cmd.WaitDelay = time.Second
	// In a group of its own, so that Ctrl-C comes to the runner alone, which ends everything in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Path, err)
	}
	go func() { // ends with the process; Stop waits
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop kills the program and waits for its end.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill() // fails where it has ended
	<-p.done
}

// Wait waits until the program has ended by itself, and returns how. When ctx ends, it is killed.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		p.Stop()
		return fmt.Errorf("%s was stopped: %w: %s", p.cmd.Path, context.Cause(ctx), p.Said())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", p.cmd.Path, p.err, p.Said())
	}
	return nil
}

// Said returns the last lines that the program printed.
func (p *Process) Said() string { return p.said.String() }

// Ready waits until somebody listens at an address, for 15 s at most.
func (p *Process) Ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("%s has ended: %s", p.cmd.Path, p.Said())
		case <-ctx.Done():
			return fmt.Errorf("nobody listens at %s: %w: %s", address, ctx.Err(), p.Said())
		}
	}
}

// Usage is what processes have used since they started.
type Usage struct {
	CPU    time.Duration
	Writes int64 // calls that write, be it one piece or many
}

// Sub returns what was used between two moments.
func (u Usage) Sub(before Usage) Usage {
	return Usage{CPU: u.CPU - before.CPU, Writes: u.Writes - before.Writes}
}

// tick is the kernel's unit of CPU time in /proc (USER_HZ), the same on all systems that Go knows.
const tick = 10 * time.Millisecond

// Measure returns what processes have used, in all.
func Measure(pids ...int) (u Usage, err error) {
	for _, pid := range pids {
		cpu, err := cpuOf(pid)
		if err != nil {
			return Usage{}, err
		}
		writes, err := field(pid, "io", "syscw:")
		if err != nil {
			return Usage{}, err
		}
		u.CPU += cpu
		u.Writes += writes
	}
	return u, nil
}

func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // the first is field 3 of proc(5)
	if len(fields) < 13 {
		return 0, errors.New("/proc/…/stat is too short")
	}
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/…/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// Memory returns how much of a process is in memory, in KiB.
func Memory(pid int) (int64, error) { return field(pid, "status", "VmRSS:") }

// field returns the number after a name in a file of /proc.
func field(pid int, file, name string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/…/%s has no %s", file, name)
}

// PID returns the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Descriptors returns how many descriptors a process has open.
func Descriptors(pid int) (int, error) {
	d, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return len(names), err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if extra := len(t.b) - tailSize; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
