package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Option changes how [Dial] makes a client.
type Option func(*options)

// options is what the options set; immutable once the client runs.
type options struct {
	name   string
	log    *slog.Logger
	tls    *tls.Config
	buffer int // bytes a room

	handshakeTimeout time.Duration
	pingInterval     time.Duration
	pongTimeout      time.Duration
	firstBackoff     time.Duration
	maxBackoff       time.Duration
	answerTimeout    time.Duration // after which a publication is sent again

	// dial opens the TCP connection; tests put pipes here.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func defaults() options {
	return options{
		log:              slog.New(slog.DiscardHandler),
		buffer:           1 << 20,
		handshakeTimeout: 10 * time.Second,
		pingInterval:     15 * time.Second,
		pongTimeout:      10 * time.Second,
		firstBackoff:     250 * time.Millisecond,
		maxBackoff:       15 * time.Second,
		answerTimeout:    5 * time.Second,
		dial:             (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	}
}

// check returns what is wrong with the options.
func (o *options) check() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"interval of WithPing", o.pingInterval},
		{"timeout of WithPing", o.pongTimeout},
		{"first wait of WithBackoff", o.firstBackoff},
		{"longest wait of WithBackoff", o.maxBackoff},
	} {
		if d.value <= 0 {
			return fmt.Errorf("bad client option: the %s is %v → use a time above 0", d.name, d.value)
		}
	}
	return nil
}

// WithName gives the client a name, which other people see beside its messages. It is a label, not unique, and cut
// beyond 128 bytes.
func WithName(name string) Option { return func(o *options) { o.name = name } }

// WithLog has lost and regained connections logged, at the levels warn and info. The default, and nil, logs nothing.
func WithLog(log *slog.Logger) Option {
	return func(o *options) {
		if o.log = log; log == nil {
			o.log = slog.New(slog.DiscardHandler)
		}
	}
}

// WithTLS sets how https and wss connections are made: certificate authorities, client certificates. The client keeps
// c, which must not be changed any more.
func WithTLS(c *tls.Config) Option { return func(o *options) { o.tls = c } }

// WithBuffer sets how many bytes of messages wait at most in each room for [Room.Messages]: beyond it the oldest are
// dropped, which a [Gap] tells. The default is 1 MiB. A single message always has room.
func WithBuffer(bytes int) Option { return func(o *options) { o.buffer = bytes } }

// WithPing sets how often the client pings the hub, by default every 15 s, and how long it waits for the answer, by
// default 10 s, before it gives the connection up and connects again. Both are above 0.
func WithPing(interval, timeout time.Duration) Option {
	return func(o *options) { o.pingInterval, o.pongTimeout = interval, timeout }
}

// WithBackoff sets how long the client waits before it connects again: about first at first, by default 250 ms, twice
// as long after each failure, and at most longest, by default 15 s. The times are spread at random between a half of
// that and the whole, so that the clients of a hub that went away do not all come at once. Both are above 0.
func WithBackoff(first, longest time.Duration) Option {
	return func(o *options) { o.firstBackoff, o.maxBackoff = first, longest }
}
