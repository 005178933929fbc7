package ws_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// The cores of the hub, and of all clients.
const hubCore, clientCore = "0", "1"

// floodSettles is for how long a flood goes on before one measures: the hub sets every second how much garbage there may be.
const floodSettles = 2500 * time.Millisecond

// BenchmarkBesideFlood shows what somebody who floods costs others, in live rooms and in log rooms, and those who connect.
// The hub is the program as it is run, on a core of its own, which a flood fills.
func BenchmarkBesideFlood(b *testing.B) {
	program := buildProgram(b)
	floods := []struct {
		name, room, frame string
	}{
		{"messages", "live.flood", messageFlood},
		{"pings", "live.flood", pingFlood},
		{"messages of a log room", "flood", messageFlood},
	}
	measured := []struct {
		name string
		role role
	}{
		{"live room", role{Request: enter("live.quiet"), Many: besideMessages}},
		{"log room", role{Request: enter("quiet"), Many: besideMessages}},
		{"connects", role{Request: enter("live.quiet"), Many: besideMessages, Handshakes: true}},
	}
	for _, f := range floods {
		for _, m := range measured {
			b.Run(f.name+"/"+m.name, func(b *testing.B) {
				address := startProgram(b, program)
				m.role.Address = address
				benchmarkBeside(b, func() time.Duration { return m.role.measured(b) }, func() time.Duration {
					_, end := role{Address: address, Request: enter(f.room), Send: []byte(f.frame), Settle: floodSettles}.start(b)
					defer end()
					return m.role.measured(b)
				})
			})
		}
	}
}

// enter returns a handshake.
func enter(room string) string { return upgradeRequest("GET /ws?room="+room+" HTTP/1.1", "") }

// measured returns the 99th percentile that a process for the role measured.
func (r role) measured(t testing.TB) time.Duration {
	t.Helper()
	said, end := r.start(t)
	defer end()
	p99, err := time.ParseDuration(said)
	if err != nil {
		t.Fatal(err)
	}
	return p99
}

// buildProgram builds realtime-hub.
func buildProgram(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "realtime-hub")
	build := exec.Command("go", "build", "-o", program, "github.com/soumya-codes/realtime-hub/cmd/realtime-hub")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building realtime-hub: %v: %s", err, said)
	}
	return program
}

var readyLine = regexp.MustCompile(`"hub is ready","address":"([^"]+)"`)

// startProgram starts a HubServer on its core, as if there were no others, and returns its address.
func startProgram(t testing.TB, program string) string {
	t.Helper()
	// One that floods with pings reads no pongs, and is closed soon.
	cmd := exec.Command("taskset", "-c", hubCore, program, "hubserver", "--listen", "127.0.0.1:0", "--write-timeout", "300ms")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer          // owned by the goroutine below until drained is closed
	drained := make(chan struct{}) // closed when nothing more is to come
	lines := bufio.NewReader(io.TeeReader(logs, &said))
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("the hub: %v: %s", err, said.String())
		}
	})
	var address string
	for address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			close(drained)
			t.Fatalf("the hub said %q: %v", line, err)
		}
		if found := readyLine.FindStringSubmatch(line); found != nil {
			address = found[1]
		}
	}
	go func() { // ends with the process
		defer close(drained)
		_, _ = io.Copy(io.Discard, lines)
	}()
	return address
}
