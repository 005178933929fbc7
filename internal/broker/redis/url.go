package redis

import (
	"errors"
	"fmt"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// URLError says what is wrong with the URL of a broker, and what to write instead. It does not show a password.
type URLError struct {
	URL     string // as it may be shown
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
	r, err := address.ParseRedis(text)
	if wrong, ok := errors.AsType[*address.Error](err); ok {
		return endpoint{}, &URLError{URL: wrong.Shown, Problem: wrong.What, Fix: wrong.Fix}
	}
	return endpoint{
		addr: r.Addr(), host: r.Host, tls: r.TLS, user: r.User, password: r.Password, db: r.Database,
	}, nil
}
