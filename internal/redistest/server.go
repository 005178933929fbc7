// Package redistest runs a real redis-server for tests: it starts, pauses, resumes and kills it, and asks it what it
// counted.
//
// Its main type is [Server]. Each has its own process, port on 127.0.0.1 and directory, so that tests run in parallel,
// and is gone when its test ends. It keeps no data on disk. A Server owns one goroutine for each life of its process,
// which reads what the process prints and ends with it; Kill waits for it. The methods of a Server are for the test's
// own goroutine, as they fail the test.
//
// It is for tests alone, and imports nothing of ours.
package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should take milliseconds, before it fails.
const patience = 60 * time.Second

// adminName and adminPassword are the user that the package itself asks as.
const (
	adminName     = "redistest"
	adminPassword = "redistest"
)

// listens matches what a server says when its last listener, the socket, is ready: Redis 7.0, and later ones.
var listens = regexp.MustCompile(`accept connections (at /|unix)`)

// Options says how a server is set up; the zero value lets everybody in.
type Options struct {
	Password string   // of the default user; none by default
	Users    []string // rules as in `ACL SETUSER`: a name, then its rules
	TLS      bool     // speak TLS alone, with a certificate for 127.0.0.1 and localhost; see CAFile
	Config   []string // further lines of redis.conf
}

// Server is one redis-server.
type Server struct {
	// immutable
	tb   testing.TB
	opts Options
	dir  string
	port int

	// of the life that runs now; nil while it is killed
	cmd  *exec.Cmd
	done chan struct{} // closed by the reading goroutine after the process ended; nothing is sent
}

// New makes a server and starts it; the test's end kills it.
func New(tb testing.TB, opts Options) *Server {
	tb.Helper()
	s := Prepare(tb, opts)
	s.Start()
	return s
}

// Prepare makes a server and does not start it yet: its address is settled, and refuses connections.
func Prepare(tb testing.TB, opts Options) *Server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Fatal("redis-server is not installed, and this test needs it → " +
			"apt-get install redis-server (or: go test -tags short)")
	}
	// Not tb.TempDir: its path may be too long for a Unix socket.
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, opts: opts, dir: dir, port: freePort(tb)}
	tb.Cleanup(func() {
		s.Kill()
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if opts.TLS {
		writeCertificates(tb, dir)
	}
	return s
}

// freePort returns a port that nobody listens on. It lies below those that systems hand out by themselves: nobody is
// given it while the server is down, and a client that tries it then cannot end up connected to itself.
func freePort(tb testing.TB) int {
	tb.Helper()
	for range 1000 {
		port := 10000 + rand.IntN(20000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	tb.Fatal("no free port between 10000 and 30000")
	return 0
}

// Addr returns host:port, the same for all lives.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the address as a URL, with the default user's password.
func (s *Server) URL() string { return s.URLFor("", s.opts.Password) }

// URLFor returns the address as a URL for user and password, either of which may be empty.
func (s *Server) URLFor(user, password string) string {
	u := url.URL{Scheme: "redis", Host: s.Addr()}
	if s.opts.TLS {
		u.Scheme = "rediss"
	}
	if user != "" || password != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String()
}

// Start starts the server, on the same port as before, and returns when it answers. It does nothing where it runs.
func (s *Server) Start() {
	s.tb.Helper()
	if s.cmd != nil {
		return
	}
	config := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(config, []byte(s.config()), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	// What a killed server left behind would stop nobody, but a socket that is there before it is listened on misleads.
	if err := os.Remove(s.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.tb.Fatal(err)
	}
	cmd := exec.Command("redis-server", config)
	cmd.SysProcAttr = dieWithParent()
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}

	// ready: one string at most, what the server printed if it did not get ready; from the goroutine to this function,
	// closed by the goroutine once that is settled. One slot, so that the goroutine never waits for us.
	ready := make(chan string, 1)
	done := make(chan struct{})
	s.cmd, s.done = cmd, done
	// Ends when the process closed its output, which it does by ending; Kill waits for it.
	go func() {
		defer close(done)
		var printed strings.Builder
		settled := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if settled {
				continue
			}
			printed.WriteString(lines.Text() + "\n")
			if listens.MatchString(lines.Text()) {
				settled = true
				close(ready)
			}
		}
		_ = cmd.Wait() // it was killed, or says why it ended in what it printed
		if !settled {
			ready <- printed.String()
			close(ready)
		}
	}()
	select {
	case printed, failed := <-ready:
		if failed {
			s.cmd = nil
			s.tb.Fatalf("redis-server at %s ended at its start:\n%s", s.Addr(), printed)
		}
	case <-time.After(patience):
		s.tb.Fatalf("redis-server at %s did not get ready", s.Addr())
	}
	s.Do("PING")
}

// config returns redis.conf.
func (s *Server) config() string {
	port, tlsPort := s.port, 0
	if s.opts.TLS {
		port, tlsPort = 0, s.port
	}
	lines := []string{
		"bind 127.0.0.1",
		fmt.Sprintf("port %d", port),
		"unixsocket " + s.socket(), // for the package itself: plain, whatever the port speaks
		"dir " + s.dir,
		`save ""`,
		"user " + adminName + " on >" + adminPassword + " ~* &* +@all",
	}
	if s.opts.TLS {
		lines = append(lines,
			fmt.Sprintf("tls-port %d", tlsPort),
			"tls-cert-file "+filepath.Join(s.dir, certFile),
			"tls-key-file "+filepath.Join(s.dir, keyFile),
			"tls-ca-cert-file "+filepath.Join(s.dir, caFile),
			"tls-auth-clients no",
		)
	}
	if s.opts.Password != "" {
		lines = append(lines, "requirepass "+s.opts.Password)
	}
	for _, user := range s.opts.Users {
		lines = append(lines, "user "+user)
	}
	return strings.Join(append(lines, s.opts.Config...), "\n") + "\n"
}

func (s *Server) socket() string { return filepath.Join(s.dir, "redis.sock") }

// Kill ends the server as `kill -9` does, and returns when it is gone. It does nothing where it does not run.
func (s *Server) Kill() {
	s.tb.Helper()
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.done
	s.cmd = nil
}

// Pause stops the server's process where it is: its sockets stay open, and nothing answers.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal(signalPause)
}

// Resume undoes Pause.
func (s *Server) Resume() {
	s.tb.Helper()
	s.signal(signalResume)
}

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if s.cmd == nil {
		s.tb.Fatalf("redis-server at %s: %v where it does not run", s.Addr(), sig)
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.tb.Fatalf("redis-server at %s: %v: %v", s.Addr(), sig, err)
	}
}
