package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Do runs one command as a user who may do everything, and returns the reply: a string or a number as its text, nil as
// "". It fails the test where Redis answers with an error or with an array.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	reply, err := s.ask(args)
	if err != nil {
		s.tb.Fatalf("redis-server at %s: %s: %v", s.Addr(), args[0], err)
	}
	return reply
}

// ask uses a connection of its own, so that nothing is left over when the server is killed.
func (s *Server) ask(args []string) (string, error) {
	conn, err := net.DialTimeout("unix", s.socket(), patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := conn.Write(append(command("AUTH", adminName, adminPassword), command(args...)...)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	if _, err := readReply(r); err != nil {
		return "", err
	}
	return readReply(r)
}

// command returns a command as Redis reads it.
func command(args ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b
}

// readReply reads one reply that is not an array.
func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("the reply is an empty line")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		b := make([]byte, n+len("\r\n"))
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
		return string(b[:n]), nil
	}
	return "", fmt.Errorf("the reply %q is neither a string nor a number", line)
}

// Info returns what `INFO section` says, by name.
func (s *Server) Info(section string) map[string]string {
	s.tb.Helper()
	info := map[string]string{}
	for line := range strings.Lines(s.Do("INFO", section)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// CommandCalls returns how often command was run in this life of the server; a subcommand is written "client|kill".
func (s *Server) CommandCalls(command string) int {
	s.tb.Helper()
	// calls=3,usec=8,usec_per_call=2.67,rejected_calls=0,failed_calls=0
	_, rest, found := strings.Cut(s.Info("commandstats")["cmdstat_"+strings.ToLower(command)], "calls=")
	if !found {
		return 0
	}
	digits, _, _ := strings.Cut(rest, ",")
	calls, err := strconv.Atoi(digits)
	if err != nil {
		s.tb.Fatalf("read calls of %s: %v", command, err)
	}
	return calls
}

// ResetCalls makes CommandCalls count from zero.
func (s *Server) ResetCalls() {
	s.tb.Helper()
	s.Do("CONFIG", "RESETSTAT")
}

// Clients returns the connections to the server, one `CLIENT LIST` line each, other than those of the package.
func (s *Server) Clients() []string {
	s.tb.Helper()
	var clients []string
	for line := range strings.Lines(s.Do("CLIENT", "LIST")) {
		if !strings.Contains(line, "user="+adminName) {
			clients = append(clients, strings.TrimSpace(line))
		}
	}
	return clients
}
