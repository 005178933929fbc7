package redis

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

// The rights that the Redis user of a log, and that of a presence, needs, as `ACL SETUSER` takes them. Their scripts may do
// only what their caller may; +wait or +config|get come with a durability. A broker needs less.
const (
	logRights = "~rh:* resetchannels &rh:* +ping +info +script|load +evalsha +hmget +hset +del +get +mget +set +xadd +xtrim " +
		"+xrange +pttl +pexpire +publish +subscribe +unsubscribe +multi +discard"

	presenceRights = "~rh:* resetchannels +ping +script|load +evalsha +hset +get +xadd +xtrim +multi +discard " + presenceAlone
	presenceAlone  = "+xread +xrevrange +hget +hdel +hgetall +incr +zadd +zrem +zremrangebylex +zcard +zrange +unlink +time"
)

// hubRights are the rights of both: what is advised where one is missing.
const hubRights = logRights + " " + presenceAlone

// server is how a Redis is reached, and what is said where that fails: what Broker and Log have in common. It is
// immutable.
type server struct {
	endpoint endpoint
	tls      *tls.Config // nil without TLS
	timeout  time.Duration
	ping     time.Duration
	name     string // of the connections
	rights   string // that a user needs
}

// newServer returns the server of opts, which have their defaults. Its errors are those of New.
func newServer(opts Options, rights string) (server, error) {
	e, err := parseURL(opts.URL)
	if err != nil {
		return server{}, err
	}
	config, err := tlsConfig(e, opts.CAFile)
	if err != nil {
		return server{}, err
	}
	return server{
		endpoint: e,
		tls:      config,
		timeout:  opts.Timeout,
		ping:     opts.Ping,
		name:     "realtime-hub:" + strings.Map(nameRune, opts.Name),
		rights:   rights,
	}, nil
}

// withDefaults returns opts with the defaults in place of what was left out.
func (opts Options) withDefaults() Options {
	opts.Timeout = orDefault(opts.Timeout, DefaultTimeout)
	opts.Ping = orDefault(opts.Ping, DefaultPing)
	opts.QueueBytes = orDefault(opts.QueueBytes, DefaultQueueBytes)
	opts.Keep = orDefault(opts.Keep, DefaultKeep)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return opts
}

func orDefault[T int | time.Duration](n, byDefault T) T {
	if n <= 0 {
		return byDefault
	}
	return n
}

// nameRune replaces what CLIENT SETNAME refuses.
func nameRune(r rune) rune {
	if r < '!' || r > '~' {
		return '-'
	}
	return r
}

// tlsConfig returns how TLS is spoken, nil where it is not.
func tlsConfig(e endpoint, caFile string) (*tls.Config, error) {
	if !e.tls {
		if caFile != "" {
			return nil, &URLError{
				URL:     "redis://" + e.addr,
				Problem: "a file of certificate authorities is given, and redis:// does not use them",
				Fix:     "write rediss:// for TLS, or leave the file out",
			}
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.host}
	if caFile == "" {
		return config, nil
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authorities for Redis: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the certificate authorities for Redis: %s holds no certificate in PEM", caFile)
	}
	return config, nil
}
