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
	hubs   []string                              // but home
	token  func(context.Context) (string, error) // nil: none is shown
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
		firstBackoff:     500 * time.Millisecond,
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

// WithHubs names further hubs, written as the address of [Dial] is, which is the client's home. Where the client fails
// twice in a row to connect to a hub it goes on to the next, in the order in which they are named, and after the last to
// home again. It stays where it is as long as that connection lasts, and then tries home first, or, where home said that
// it goes away, the next. At each hub it is the same client, and goes on in its log rooms where it was: the hubs must
// reach each other.
func WithHubs(addresses ...string) Option {
	return func(o *options) { o.hubs = append(o.hubs, addresses...) }
}

// WithLog has lost and regained connections logged, at the levels warn and info, and at the level debug each frame that
// is sent and received, without what is secret in it. The default, and nil, logs nothing.
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

// WithBackoff sets how long the client waits before it connects again: at most first at first, by default 500 ms, at most
// twice as long after each failure, and never more than longest, by default 15 s. The times are spread at random between
// nothing and that, so that the clients of a hub that went away do not come at the same time. A hub that goes away in
// order says itself how long each is to wait. Both are above 0.
func WithBackoff(first, longest time.Duration) Option {
	return func(o *options) { o.firstBackoff, o.maxBackoff = first, longest }
}
