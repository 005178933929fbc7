package address

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// redisPort is Redis's port, for URLs that name none.
const redisPort = "6379"

// Redis is what the URL of a Redis says.
type Redis struct {
	TLS      bool
	Host     string // without brackets, as a certificate names it
	Port     string
	User     string
	Password string
	Database int
}

// Addr returns host:port.
func (r Redis) Addr() string { return net.JoinHostPort(r.Host, r.Port) }

// ParseRedis reads redis://[user:password@]host[:port][/database], or rediss:// for TLS. Its errors are of type *Error.
func ParseRedis(text string) (Redis, error) {
	r, wrong := parseRedis(text)
	if wrong != nil {
		wrong.Shown = Redact(text)
		return Redis{}, wrong
	}
	return r, nil
}

// Redact returns the URL of a broker as it may be shown: with *** for user and password. Of a text that is no such URL
// nothing is shown, as any part of it may be the password: redis://hub:SECRET lacks its host, and a file may hold a
// password alone. The one exception is host:port, where only the scheme was forgotten.
func Redact(text string) string {
	if text == "" || text == "memory://" {
		return text
	}
	if h, ok := ParseHostPort(text); ok && h.Port != "" {
		return text
	}
	r, wrong := parseRedis(text)
	if wrong != nil {
		return hidden
	}
	if r.User == "" && r.Password == "" && !strings.Contains(text, "@") {
		return text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	return scheme + "://" + hidden + rest[strings.LastIndexByte(rest, '@'):]
}

// parseRedis is ParseRedis; its error lacks Shown. Nothing of the text stands in the error but host:port, which Redact
// shows too; nor does the error of url.Parse, which may hold a part of the password.
func parseRedis(text string) (Redis, *Error) {
	const example = "for instance redis://localhost:" + redisPort
	scheme, _, found := strings.Cut(text, "://")
	h, isHostPort := ParseHostPort(text)
	switch {
	case text == "":
		return Redis{}, &Error{What: "empty", Fix: example}
	case !found && isHostPort && h.Port != "":
		return Redis{}, &Error{What: "no scheme", Fix: "did you mean redis://" + text + " ?"}
	case !found:
		return Redis{}, &Error{What: "no scheme", Fix: example}
	case scheme != "redis" && scheme != "rediss":
		return Redis{}, &Error{What: "unknown scheme", Fix: "use redis://, or rediss:// for TLS"}
	}
	u, err := url.Parse(text)
	switch {
	// An @ behind the host stands behind a password with a / in it.
	case err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@"):
		return Redis{}, &Error{What: "not a URL redis://user:password@host:port",
			Fix: "name the host, and in user and password write : / # ? % @ as %3A %2F %23 %3F %25 %40"}
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Redis{}, &Error{What: "it goes on after the address",
			Fix: "leave out what begins with ? or #: options are keys of their own"}
	case !IsHost(u.Hostname()):
		return Redis{}, &Error{What: "no host", Fix: "for instance " + scheme + "://localhost:" + redisPort}
	case !IsPort(u.Port()) && (u.Port() != "" || strings.HasSuffix(u.Host, ":")):
		return Redis{}, &Error{What: "no port behind the colon",
			Fix: "Redis listens on " + redisPort + " unless told otherwise"}
	}
	return redisOf(u)
}

// redisOf returns what u says, of which all but the database was looked at.
func redisOf(u *url.URL) (Redis, *Error) {
	r := Redis{TLS: u.Scheme == "rediss", Host: u.Hostname(), Port: u.Port(), User: u.User.Username()}
	r.Password, _ = u.User.Password()
	if r.Port == "" {
		r.Port = redisPort
	}
	if number := strings.TrimPrefix(u.Path, "/"); number != "" {
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return Redis{}, &Error{What: "what stands after the / is no database",
				Fix: "write its number, or leave it out"}
		}
		r.Database = int(n)
	}
	return r, nil
}
