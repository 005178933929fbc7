package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// lockedBuffer is a bytes.Buffer that a test may read while a command writes.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// call runs a command to its end, and returns its exit code and what it printed.
func call(ctx context.Context, stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	var out, errs lockedBuffer
	code = run(ctx, args, nil, stdin, &out, &errs)
	return code, out.String(), errs.String()
}

func TestStopOnSignal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		signals []os.Signal
		want    []int // codes of exit
	}{
		{"Ctrl-C", []os.Signal{os.Interrupt}, nil},
		{"SIGTERM twice", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, nil},
		{"Ctrl-C twice", []os.Signal{os.Interrupt, os.Interrupt}, []int{130}},
		{"Ctrl-C after SIGTERM", []os.Signal{syscall.SIGTERM, os.Interrupt}, []int{130}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			signals := make(chan os.Signal, len(tt.signals)) // sent and closed here, so that the function ends
			for _, s := range tt.signals {
				signals <- s
			}
			close(signals)
			var codes []int
			canceled := false
			stopOnSignal(signals, func() { canceled = true }, func(code int) { codes = append(codes, code) })
			if !canceled || fmt.Sprint(codes) != fmt.Sprint(tt.want) {
				t.Errorf("canceled %v, exits %v, want %v", canceled, codes, tt.want)
			}
		})
	}
}

// TestReport has what is printed for errors that ends a command, and the exit code.
func TestReport(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
		code int
	}{
		{errors.New("plain"), "realtime-hub: plain\n", 1},
		{errors.New("what → fix"), "realtime-hub: what\n  → fix\n", 1},
		{fmt.Errorf("start: %w", hub.ErrRefused), "realtime-hub: start: the broker refuses the credentials\n", 6},
		{fmt.Errorf("wait: %w: late", client.ErrUnreachable),
			"realtime-hub: wait: the hub cannot be reached: late\n" +
				"  → start a hub with: realtime-hub up, or name another one with --hub\n", 5},
		{&client.CloseError{Code: protocol.CodeBadRequest},
			"realtime-hub: the hub closed the connection with 4501\n", 6},
		{&client.CloseError{Code: protocol.CodeTooBig}, "realtime-hub: the hub closed the connection with 1009\n", 1},
		{fmt.Errorf("publish: %w", &client.Refused{Code: "x", Message: "no", Fix: "stop"}),
			"realtime-hub: the hub refuses: no\n  → stop\n", 1},
		{errors.New("terminal \x1b[2J"), "realtime-hub: terminal \\x1b[2J\n", 1},
		{cannotListen(&app.ListenError{Addr: "127.0.0.1:80", Err: os.ErrPermission}, "cmd"),
			"realtime-hub: cannot listen on 127.0.0.1:80: permission denied\n" +
				"  → ports below 1024 are for root alone, so: cmd\n", 4},
	} {
		var stderr bytes.Buffer
		p := &process{stderr: &stderr}
		if code := p.report(tt.err); code != tt.code || stderr.String() != tt.want {
			t.Errorf("%v: exit code %d and %q, want %d and %q", tt.err, code, stderr.String(), tt.code, tt.want)
		}
	}
}

func TestHealthOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   int
		want   string // in what is printed
	}{
		{"isolated", 200, `{"status":"ready","isolated":true}`, 0, "ready, isolated from the other hubs\n"},
		{"of a page", 200, `{"ready":true}`, 0, "ready\n"},
		{"draining", 503, `{"status":"draining"}`, 1, "is not ready: draining\n"},
		{"no hub", 404, "not found", 1, "is not ready: HTTP status 404\n"},
		{"control characters", 503, `{"status":"\u001b[2J"}`, 1, `is not ready: \x1b[2J`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/base/readyz" {
					t.Errorf("it asks %s", r.URL.Path)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			code, stdout, stderr := call(t.Context(), nil, "health", s.URL+"/base")
			if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("exit code %d, %q and %q, want %d and %q", code, stdout, stderr, tt.code, tt.want)
			}
		})
	}
}

// TestRefusedByHub is a hub that answers and says no, and something that is no hub.
func TestRefusedByHub(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		code   int
		want   string
	}{
		{403, `{"code":"not_allowed","detail":"you may not","fix":"ask for it"}`, 6,
			"refuses: you may not\n  → ask for it\n"},
		{404, "nothing", 5, "what answers is no hub: HTTP status 404 Not Found\n  → "},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body)
		}))
		for _, args := range [][]string{{"sub", "lobby"}, {"pub", "lobby", "hello"}} {
			code, _, stderr := call(t.Context(), nil, append(args, "--hub", s.URL)...)
			if code != tt.code || !strings.Contains(stderr, tt.want) {
				t.Errorf("%s: exit code %d and %q, want %d and %q", args[0], code, stderr, tt.code, tt.want)
			}
		}
		s.Close()
	}
}

// TestStoppedWhileReading has `pub` wait for its input: Ctrl-C is an end without an error. A hub runs in the same
// process, which its context stops.
func TestStoppedWhileReading(t *testing.T) {
	address, stop := startHub(t)
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	input, typing := io.Pipe()
	defer typing.Close() // ends the goroutine that reads
	codes := make(chan int, 1)
	go func() { // ends with the command; the receive below waits
		code, _, stderr := call(ctx, input, "pub", "--hub", address, "lobby")
		if stderr != "" {
			t.Errorf("pub prints %q", stderr)
		}
		codes <- code
	}()
	// The second line is taken only after the first was published.
	io.WriteString(typing, "one\ntwo\n")
	io.WriteString(typing, "three\n")
	cancel()
	wantCode(t, codes, 0)
}

// startHub runs `up` with one hub in this process, and returns the hub's URL and what stops it.
func startHub(t *testing.T) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	banner, stdout := io.Pipe()
	codes := make(chan int, 1)
	go func() { // ends with the command; stop waits
		args := []string{"up", "--hubs", "1", "--hub-port", "0", "--web-port", "0"}
		codes <- run(ctx, args, nil, nil, stdout, io.Discard)
	}()
	text := make([]byte, 4<<10)
	n, err := banner.Read(text) // the banner is one write
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text[:n]), "curl -d hello ")
	host, _, ok := strings.Cut(rest, "/")
	if !ok {
		t.Fatalf("no address in the banner:\n%s", text[:n])
	}
	return "http://" + host, func() {
		cancel()
		wantCode(t, codes, 0)
	}
}

func wantCode(t *testing.T, codes <-chan int, want int) {
	t.Helper()
	select {
	case code := <-codes:
		if code != want {
			t.Errorf("exit code %d, want %d", code, want)
		}
	case <-time.After(patience):
		t.Error("the command does not end")
	}
}

func TestReadLines(t *testing.T) {
	t.Run("all kinds", func(t *testing.T) {
		var got []string
		for l := range readLines(t.Context(), strings.NewReader("one\r\n\n\xff\nlast")) {
			if l.err != nil {
				t.Fatal(l.err)
			}
			got = append(got, string(l.text))
		}
		if want := []string{"one", "", "\xff", "last"}; fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("too long", func(t *testing.T) {
		var last line
		for l := range readLines(t.Context(), strings.NewReader("one\n"+strings.Repeat("x", maxLine+1))) {
			last = l
		}
		if last.err == nil || last.err.Error() != "a line has more than 16MiB" {
			t.Errorf("%v", last.err)
		}
	})
}

func TestTextLine(t *testing.T) {
	m := client.Message{Message: protocol.Message{
		Room: "lobby", From: protocol.Client{ID: "id", Name: "A\x1b"}, Kind: protocol.Binary, Data: []byte{0, 1},
	}}
	if line, err := textLine(&m); err != nil || string(line) != "lobby  A\\x1b  (binary, 2 bytes)\n" {
		t.Errorf("%q, %v", line, err)
	}
	m.From.Name, m.Kind, m.Data = "", protocol.Text, []byte("two\nlines")
	if line, err := textLine(&m); err != nil || string(line) != "lobby  id  two\\nlines\n" {
		t.Errorf("%q, %v", line, err)
	}
}

// TestJSONLines has what is printed for programs in log rooms; what a live room has is in the scripts.
func TestJSONLines(t *testing.T) {
	at := protocol.Position{Epoch: "e1", Offset: 8}
	m := client.Message{Message: protocol.Message{
		Room: "lobby", ID: "c/k", From: protocol.Client{ID: "c"}, Hub: "hub1", Kind: protocol.Text, Data: []byte("hi"),
	}}
	stored, past, kept := m, m, m
	stored.Position, past.Position = at, at
	past.Past, kept.Provisional = true, true
	const rest = `"from":{"id":"c"},"hub":"hub1","time":"0001-01-01T00:00:00.000Z","kind":"text","data":"hi"}` + "\n"
	for _, tt := range []struct {
		give client.Message
		want string
	}{
		{m, `{"room":"lobby","id":"c/k",` + rest},
		{stored, `{"room":"lobby","id":"c/k","position":"e1:8",` + rest},
		{past, `{"room":"lobby","id":"c/k","position":"e1:8","past":true,` + rest},
		{kept, `{"room":"lobby","id":"c/k","scope":"hub",` + rest},
	} {
		if line, err := messageJSON(&tt.give); err != nil || string(line) != tt.want {
			t.Errorf("%s, %v, want %s", line, err, tt.want)
		}
	}
	for _, tt := range []struct {
		give client.Ack
		want string
	}{
		{client.Ack{ID: "c/k", Key: "k", Scope: "hub"}, `{"room":"lobby","id":"c/k","key":"k","scope":"hub"}` + "\n"},
		{client.Ack{ID: "c/k", Key: "k", Scope: "cluster", Position: at, Duplicate: true},
			`{"room":"lobby","id":"c/k","key":"k","scope":"cluster","position":"e1:8","duplicate":true}` + "\n"},
	} {
		if line, err := ackJSON("lobby", tt.give); err != nil || string(line) != tt.want {
			t.Errorf("%s, %v, want %s", line, err, tt.want)
		}
	}
}

func TestLog(t *testing.T) {
	for _, tt := range []struct {
		c    config.Log
		want string
	}{
		{config.Log{Level: "info", Format: "auto"}, `"level":"INFO","msg":"hello","in":"1.5s"}`},
		{config.Log{Level: "debug", Format: "json"}, `"level":"INFO","msg":"hello","in":"1.5s"}`},
		{config.Log{Level: "info", Format: "text"}, `level=INFO msg=hello in=1.5s`},
		{config.Log{Level: "warn", Format: "text"}, ""},
	} {
		var b bytes.Buffer
		var log *slog.Logger = newLog(&b, tt.c)
		log.Info("hello", "in", 1500*time.Millisecond)
		if got := b.String(); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v: %q, want %q", tt.c, got, tt.want)
		}
	}
}
