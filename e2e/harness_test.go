package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what should take milliseconds, before it fails.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	// Those that run side by side mostly wait, but few may: each may load several hubs, and all have to come to an end in
	// time. With the race detector the clients alone, which are all in this process, need several times as much.
	atOnce := "3"
	if raceDetector {
		atOnce = "2"
	}
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(atOnce) // a number that it takes
	}
	goleak.VerifyTestMain(suite{m}, goleak.Cleanup(func(code int) {
		if built.dir != "" {
			os.RemoveAll(built.dir)
		}
		os.Exit(code)
	}))
}

// parallelWithRace has a nemesis run beside others with the race detector alone. There it mostly waits, as its clients publish
// more slowly, and does not judge how soon all is healed. Without, it would run beside Chromium, which takes precedence
// over the hubs where it is root's, and they miss their Redis.
func parallelWithRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Parallel()
	}
}

// suite is all tests, and then the end of what they share.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	for _, end := range slices.Backward(shared.ends) {
		end()
	}
	return code
}

// shared is what tests started for all that follow.
var shared struct {
	mu   sync.Mutex
	ends []func() // guarded by mu while tests run
}

// atTheEnd has end called after the last test, before those that were given earlier.
func atTheEnd(end func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.ends = append(shared.ends, end)
}

// built is the command under test, which is built once for all tests.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// buildBinary returns the path of the command, built as `make build` does, or with the race detector where the test is.
func buildBinary(tb testing.TB) string {
	tb.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "realtime-hub-e2e"); built.err != nil {
			return
		}
		args := []string{"build", "-buildvcs=false", "-o", built.dir, "-ldflags", "-s -w"}
		how, cgo := "-trimpath", "CGO_ENABLED=0"
		if raceDetector { // with the flags of the test, whose packages are compiled already
			how, cgo = "-race", "CGO_ENABLED=1"
		}
		args = append(args, how)
		cmd := exec.Command("go", append(args, "../cmd/realtime-hub")...)
		cmd.Env = append(os.Environ(), cgo)
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	})
	if built.err != nil {
		tb.Fatal(built.err)
	}
	return filepath.Join(built.dir, "realtime-hub")
}

// process is one run of the command. The test's end kills it, and shows what it printed where the test failed.
type process struct {
	// immutable
	tb   testing.TB
	args []string
	cmd  *exec.Cmd
	out  *output
	done chan struct{} // closed when the process has ended; nothing is sent

	code int // exit code, -1 after a signal; valid once done is closed
}

// start starts the command with args. Its methods and those of what is built on it are for the test's own goroutine
// where they can fail the test.
func start(tb testing.TB, args ...string) *process {
	tb.Helper()
	p := &process{tb: tb, args: args, cmd: exec.Command(buildBinary(tb), args...), out: new(output), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = dieWithParent()
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REALTIME_HUB_") })
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("start %v: %v", args, err)
	}
	go func() { // ends with the process; the cleanup waits for it
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in the state
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	tb.Cleanup(func() {
		p.Kill()
		if strings.Contains(p.out.String(), "WARNING: DATA RACE") {
			tb.Errorf("data race in realtime-hub %v", args)
		}
		if tb.Failed() {
			tb.Logf("realtime-hub %s (pid %d) printed:\n%s", strings.Join(args, " "), p.cmd.Process.Pid, p.out)
		}
	})
	return p
}

// Pid returns the process's id.
func (p *process) Pid() int { return p.cmd.Process.Pid }

// Log returns what the process printed so far.
func (p *process) Log() string { return p.out.String() }

// Kill ends the process as `kill -9` does, and returns when it is gone. It does nothing where it is.
func (p *process) Kill() {
	_ = p.cmd.Process.Kill() // it has ended already, or will now
	<-p.done
}

// Interrupt sends SIGTERM.
func (p *process) Interrupt() {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Fatalf("stop %v: %v", p.args, err)
	}
}

// Wait returns the exit code.
func (p *process) Wait() int {
	p.tb.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(patience):
		p.tb.Fatalf("realtime-hub %v did not end", p.args)
		return 0
	}
}

// Stop ends the process in order, and fails the test where its exit code is not 0.
func (p *process) Stop() {
	p.tb.Helper()
	p.Interrupt()
	if code := p.Wait(); code != 0 {
		p.tb.Errorf("realtime-hub %v: exit code %d after SIGTERM", p.args, code)
	}
}

// server is a process that answers HTTP at an address which stays the same over its lives.
type server struct {
	*process
	addr string
}

// startServer starts the command and returns when it is ready.
func startServer(tb testing.TB, addr string, args ...string) *server {
	tb.Helper()
	s := &server{process: start(tb, args...), addr: addr}
	s.waitReady()
	return s
}

// Addr returns host:port.
func (s *server) Addr() string { return s.addr }

// URL returns the address for HTTP.
func (s *server) URL() string { return "http://" + s.addr }

// Restart starts the server again, where it was killed or stopped, at the same address.
func (s *server) Restart() {
	s.tb.Helper()
	s.process = start(s.tb, s.args...)
	s.waitReady()
}

func (s *server) waitReady() {
	s.tb.Helper()
	eventually(s.tb, "the server is ready", func() error {
		select {
		case <-s.done:
			s.tb.Fatalf("realtime-hub %v ended at its start with exit code %d", s.args, s.code)
		default:
		}
		status, body, err := get(s.URL() + "/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d: %s", status, body)
		}
		return err
	})
}

// hub is a HubServer.
type hub struct{ *server }

// startHub starts a HubServer with flags at a free port, and returns when it is ready. Without --name it is called hub
// and its port.
func startHub(tb testing.TB, flags ...string) *hub {
	tb.Helper()
	addr := freeAddr(tb)
	args := append([]string{"hubserver", "--listen", addr}, flags...)
	if !slices.Contains(flags, "--name") {
		_, port, _ := net.SplitHostPort(addr)
		args = append(args, "--name", "hub"+port)
	}
	return &hub{startServer(tb, addr, args...)}
}

// WS returns the address for WebSockets.
func (h *hub) WS() string { return "ws://" + h.addr + "/ws" }

// readiness is the answer of /readyz.
type readiness struct {
	Status   string `json:"status"`
	Hub      string `json:"hub"`
	Isolated bool   `json:"isolated"`
}

// Ready returns the answer of /readyz, which must have the status 200.
func (h *hub) Ready() readiness {
	h.tb.Helper()
	status, body, err := get(h.URL() + "/readyz")
	if err != nil || status != http.StatusOK {
		h.tb.Fatalf("/readyz of %s: status %d, %v: %s", h.addr, status, err, body)
	}
	var r readiness
	if err := json.Unmarshal(body, &r); err != nil {
		h.tb.Fatalf("/readyz of %s: %v: %s", h.addr, err, body)
	}
	return r
}

// waitIsolated waits until the hub says isolated, or no longer, and returns how long that took.
func (h *hub) waitIsolated(isolated bool) time.Duration {
	h.tb.Helper()
	since := time.Now()
	eventually(h.tb, fmt.Sprintf("/readyz says isolated %v", isolated), func() error {
		if r := h.Ready(); r.Isolated != isolated {
			return fmt.Errorf("it says %+v", r)
		}
		return nil
	})
	return time.Since(since)
}

// Metrics returns the values at /metrics by name and labels, as they stand there: name or name{label="value"}.
func (h *hub) Metrics() map[string]float64 {
	h.tb.Helper()
	status, body, err := get(h.URL() + "/metrics")
	if err != nil || status != http.StatusOK {
		h.tb.Fatalf("/metrics of %s: status %d, %v", h.addr, status, err)
	}
	values := make(map[string]float64)
	for line := range strings.Lines(string(body)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name == "#" {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			h.tb.Fatalf("/metrics of %s: %q: %v", h.addr, line, err)
		}
		values[name] = v
	}
	return values
}

// page is a HubClient web server.
type page struct{ *server }

// startPage starts a HubClient at a free port in front of hubs, of which the first is its home, and returns when it is
// ready.
func startPage(tb testing.TB, hubURLs ...string) *page {
	tb.Helper()
	addr := freeAddr(tb)
	args := []string{"hubclient", "--listen", addr}
	for _, u := range hubURLs {
		args = append(args, "--hub", u)
	}
	return &page{startServer(tb, addr, args...)}
}

// up is hubs and pages in one process.
type up struct {
	*process
	hubs  []*hub
	pages []*page
}

// startUp starts n hubs and their pages with one command, and returns when all are ready.
func startUp(tb testing.TB, n int, flags ...string) *up {
	tb.Helper()
	hubPort, webPort := freePorts(tb, n), freePorts(tb, n)
	u := &up{process: start(tb, append([]string{"up", "--hubs", strconv.Itoa(n),
		"--hub-port", strconv.Itoa(hubPort), "--web-port", strconv.Itoa(webPort)}, flags...)...)}
	for i := range n {
		h := &hub{&server{process: u.process, addr: local(hubPort + i)}}
		p := &page{&server{process: u.process, addr: local(webPort + i)}}
		h.waitReady()
		p.waitReady()
		u.hubs, u.pages = append(u.hubs, h), append(u.pages, p)
	}
	return u
}

// writeConfig returns the path of a file for --config with this text.
func writeConfig(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "realtime-hub.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// requests is for requests of tests. It keeps no connections, which would hold a server's stop up and count as descriptors.
var requests = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

// get returns status and body of the answer of a GET.
func get(url string) (int, []byte, error) {
	answer, err := requests.Get(url)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// eventually waits until check returns nil, which it asks every few milliseconds.
func eventually(tb testing.TB, what string, check func() error) {
	tb.Helper()
	eventuallyIn(tb, patience, what, check)
}

// eventuallyIn is eventually for what may take longer.
func eventuallyIn(tb testing.TB, patience time.Duration, what string, check func() error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("waited in vain until %s: %v", what, errors.Join(err, ctx.Err()))
		}
	}
}
