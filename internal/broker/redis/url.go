package redis

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// defaultPort is Redis's port, for URLs that name none.
const defaultPort = "6379"

// URLError says what is wrong with the URL of a broker, and what to write instead. It does not show a password.
type URLError struct {
	URL     string // without its password
	Problem string
	Fix     string
}

// Error returns all of it in one line.
func (e *URLError) Error() string {
	return fmt.Sprintf("bad Redis URL %q: %s → %s", e.URL, e.Problem, e.Fix)
}

// endpoint is what a URL says.
type endpoint struct {
	addr     string // host:port
	host     string // as the certificate names it
	tls      bool
	user     string
	password string
	db       int
}

// parseURL reads redis://[user:password@]host[:port][/db], or rediss:// for TLS. All its errors are *URLError.
func parseURL(text string) (endpoint, error) {
	bad := func(problem, fix string) (endpoint, error) {
		return endpoint{}, &URLError{URL: Redact(text), Problem: problem, Fix: fix}
	}
	const form = "write redis://[user:password@]host:port, or rediss://… for TLS"
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case text == "":
		return bad("it is empty", form)
	case !found || strings.ContainsAny(scheme, ":@/"):
		return bad("no scheme", "did you mean redis://"+Redact(text)+" ?")
	case scheme != "redis" && scheme != "rediss":
		return bad(fmt.Sprintf("unknown scheme %q", scheme), "did you mean redis://"+Redact(rest)+" ? (rediss:// for TLS)")
	}
	u, err := url.Parse(text)
	// An @ behind the host is one that stands behind a password with a / in it: not what was meant, and not to be shown.
	// Nor is the error, for the same reason.
	if err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		return bad("it is no URL", "in user and password write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25")
	}
	switch {
	case u.Hostname() == "":
		return bad("no host", form)
	case u.RawQuery != "" || u.ForceQuery:
		return bad("it has options after a ?", "leave them out: they are flags, see --help")
	case u.Fragment != "":
		return bad("it has something after a #", "leave it out; in a password write # as %23")
	}
	e := endpoint{host: u.Hostname(), tls: scheme == "rediss"}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return bad(fmt.Sprintf("port %q", port), "a port is 1 to 65535; Redis's own is "+defaultPort)
	}
	e.addr = net.JoinHostPort(e.host, port)
	if db := strings.TrimPrefix(u.Path, "/"); db != "" {
		n, err := strconv.ParseUint(db, 10, 31)
		if err != nil {
			return bad(fmt.Sprintf("database %q", db), "after the / stands a database's number, 0 if left out")
		}
		e.db = int(n)
	}
	if u.User != nil {
		e.user = u.User.Username()
		e.password, _ = u.User.Password()
	}
	return e, nil
}

// credentials matches user and password of what may be a malformed URL: everything up to the last @.
var credentials = regexp.MustCompile(`(?s)^((?:[^:/@]*://)?)(.*)@`)

// Redact returns the URL of a broker as it may be shown: with *** instead of a password. It does so with malformed ones
// too, where it rather hides too much.
func Redact(text string) string {
	return credentials.ReplaceAllStringFunc(text, func(found string) string {
		parts := credentials.FindStringSubmatch(found)
		user, _, hasPassword := strings.Cut(parts[2], ":")
		if !hasPassword {
			return found
		}
		return parts[1] + user + ":***@"
	})
}
