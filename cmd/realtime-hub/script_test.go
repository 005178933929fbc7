package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a test waits for what should take milliseconds, before it fails.
const patience = 60 * time.Second

// raceOptions keeps a process under the race detector from waiting a second at its end.
const raceOptions = "atexit_sleep_ms=10"

// TestScripts runs the scripts of testdata/script, each of which calls the real command as processes. Beside the
// commands of testscript they have:
//
//	exits CODE COMMAND ARGS…     run COMMAND, which must exit with CODE
//	start NAME REGEXP ARGS…      start realtime-hub ARGS…, and wait until its output has a match; what the named groups
//	                             of REGEXP match become variables
//	await NAME REGEXP            wait until its output has another match, behind the last one
//	signal NAME TERM or INT      send it a signal
//	ended NAME CODE              wait until it has exited, with CODE
//	occupy VARIABLE              listen on a free port, whose address becomes the variable
//	hold ADDRESS                 open a WebSocket to ADDRESS that answers nothing, so that a hub has to wait for it
func TestScripts(t *testing.T) {
	runScripts(t, "testdata/script", nil)
}

// runScripts runs the scripts in dir, with vars as additional variables.
func runScripts(t *testing.T, dir string, vars map[string]string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", raceOptions)
			for name, value := range vars {
				e.Setenv(name, value)
			}
			e.Values["processes"] = map[string]*started{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "start": start, "await": await, "signal": sendSignal, "ended": ended,
			"occupy": occupy, "hold": hold,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want := number(ts, args[0])
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if (code == want) == neg {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// started is a process that runs beside the script.
type started struct {
	cmd    *exec.Cmd
	output *output
	seen   int           // how much of the output the script has waited for
	done   chan struct{} // closed by the goroutine that waits for the process
}

func start(ts *testscript.TestScript, _ bool, args []string) {
	p := &started{output: newOutput(), done: make(chan struct{})}
	p.cmd = exec.Command(lookPath(ts, "realtime-hub"), args[2:]...)
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("WORK"), "GORACE=" + raceOptions}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	ts.Check(p.cmd.Start())
	go func() { // ends with the process, which the script ends at the latest; the deferred function waits
		defer close(p.done)
		_ = p.cmd.Wait() // the code is in the state
		p.output.end()
	}()
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	})
	processes(ts)[args[0]] = p
	await(ts, false, args[:2])
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	p := named(ts, args[0])
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	groups, end := p.output.await(re, p.seen)
	if groups == nil {
		ts.Fatalf("no match of %s in what %s printed:\n%s", args[1], args[0], p.output)
	}
	p.seen = end
	for i, name := range re.SubexpNames() {
		if name != "" {
			ts.Setenv(name, groups[i])
		}
	}
}

func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func ended(ts *testscript.TestScript, _ bool, args []string) {
	p := named(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not end; it printed:\n%s", args[0], p.output)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != number(ts, args[1]) {
		ts.Fatalf("%s exited with %d, want %s; it printed:\n%s", args[0], code, args[1], p.output)
	}
}

func occupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

func hold(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := net.Dial("tcp", args[0])
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	_, err = conn.Write([]byte("GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	ts.Check(err)
	answer := make([]byte, 64)
	ts.Check(conn.SetReadDeadline(time.Now().Add(patience)))
	n, err := conn.Read(answer)
	ts.Check(err)
	if !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101 ")) {
		ts.Fatalf("the server answers %q", answer[:n])
	}
}

func processes(ts *testscript.TestScript) map[string]*started {
	return ts.Value("processes").(map[string]*started)
}

func named(ts *testscript.TestScript, name string) *started {
	p, ok := processes(ts)[name]
	if !ok {
		ts.Fatalf("nothing called %s was started", name)
	}
	return p
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// lookPath returns the path of the program called name in the PATH of the script.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	ts.Fatalf("%s is not in the PATH", name)
	return ""
}

// output is what a process has printed so far.
type output struct {
	mu      sync.Mutex
	text    strings.Builder // guarded by mu
	ended   bool            // guarded by mu
	changed chan struct{}   // closed, and replaced, at each change; guarded by mu; received by await
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(text)
	o.wake()
	return len(text), nil
}

// end says that nothing more comes.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.wake()
}

// wake wakes those who wait. The caller holds mu.
func (o *output) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits for a match of re from the byte on, and returns its groups and where it ends, or nil where none comes.
func (o *output) await(re *regexp.Regexp, from int) ([]string, int) {
	late := time.After(patience)
	for {
		o.mu.Lock()
		text, ended, changed := o.text.String()[from:], o.ended, o.changed
		o.mu.Unlock()
		if m := re.FindStringSubmatchIndex(text); m != nil {
			return re.FindStringSubmatch(text), from + m[1]
		}
		if ended {
			return nil, from
		}
		select {
		case <-changed:
		case <-late:
			return nil, from
		}
	}
}
