package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// embeddedHub is the hub of `bench --embedded`: a process of its own, so that its CPU and memory can be told from the
// generator's.
type embeddedHub struct {
	url  string
	pid  int
	stop func() // ends it, and waits for that
}

const (
	hubStart = 30 * time.Second // longest that it may take to begin
	hubStop  = 15 * time.Second // and to end
)

// startEmbedded starts a hub on a free port of loopback. It reads the environment as any hub does. It ends with stop, with
// ctx, and on Linux when this process ends in whatever way.
func startEmbedded(ctx context.Context, p *process) (*embeddedHub, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it is needed until the last message has come
	cmd := exec.CommandContext(running, program, "hubserver", "--listen", "127.0.0.1:0", "--name", "bench",
		"--log-format", "json", "--log-level", "info")
	cmd.Args[0] = "realtime-hub"
	cmd.Env = p.env
	cmd.SysProcAttr = withParent()
	if runtime.GOOS != "windows" { // which has no such signal, so there it is killed
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	}
	cmd.WaitDelay = hubStop
	log, err := cmd.StderrPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start a hub: %w", err)
	}
	// Sent by the goroutine that waits for the process, once, and received below; it holds one, so that nobody waits for
	// its reader; never closed.
	ended, address := make(chan error, 1), make(chan string, 1)
	done := make(chan struct{}) // closed by the same at its end, received by stop
	started := make(chan error) // sent by the same, once, and received here
	go func() {                 // ends with the process, which stop or ctx ends
		defer close(done)
		// Linux ends the child with the thread that started it, so this one stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		last := readHubLog(log, address)
		if err := cmd.Wait(); last != "" {
			ended <- fmt.Errorf("%s", last)
		} else {
			ended <- err
		}
	}()
	if err := <-started; err != nil {
		cancel()
		return nil, fmt.Errorf("start a hub: %w", err)
	}
	stop := func() {
		cancel()
		<-done
	}
	select {
	case addr := <-address:
		return &embeddedHub{url: "http://" + addr, pid: cmd.Process.Pid, stop: stop}, nil
	case err = <-ended:
		if err == nil {
			err = errors.New("it ended at once")
		}
	case <-time.After(hubStart):
		err = fmt.Errorf("it was not ready in %v", hubStart)
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	return nil, fmt.Errorf("start a hub: %w", err)
}

// readHubLog reads a hub's log to its end. It sends the hub's address when that is told, and returns the last line that
// is not of the log, or tells of an error.
func readHubLog(log io.Reader, address chan<- string) (last string) {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var entry struct{ Msg, Level, Address string }
		switch err := json.Unmarshal(lines.Bytes(), &entry); {
		case err != nil:
			last = lines.Text()
		case entry.Address != "" && entry.Msg == "hub is ready":
			address <- entry.Address
		case entry.Level == "ERROR":
			last = entry.Msg
		}
	}
	_, _ = io.Copy(io.Discard, log) // a line was too long; the hub must not stand still for that
	return last
}
