package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// line is the connections of one life together: what goes wrong on any of them ends them all, for good. Whoever has one
// closes the library's clients after its end.
type line struct {
	// immutable
	server *server
	limit  int                     // connections that may be dialled
	ctx    context.Context         // done when the line is over; its cause says why
	cancel context.CancelCauseFunc // called by fail alone

	loops sync.WaitGroup // the goroutines that use the line, which end with it

	securing atomic.Bool // a TLS handshake is under way

	mu    sync.Mutex
	dials int        // guarded by mu
	conns []net.Conn // guarded by mu: those to close when the line is over
}

func newLine(s *server, limit int) line {
	ctx, cancel := context.WithCancelCause(context.Background())
	return line{server: s, limit: limit, ctx: ctx, cancel: cancel}
}

// options returns how the library works for us: no cache, no second try, no connection or probe that is not ours.
func (l *line) options() rueidis.ClientOption {
	e := l.server.endpoint
	return rueidis.ClientOption{
		InitAddress:       []string{e.addr},
		ForceSingleClient: true,
		Username:          e.user,
		Password:          e.password,
		SelectDB:          e.db,
		ClientName:        l.server.name,
		ClientSetInfo:     rueidis.DisableClientSetInfo, // one right less that users need

		DialCtxFn: l.dial,
		Dialer:    net.Dialer{Timeout: l.server.timeout, KeepAlive: -1}, // KeepAlive would be its interval for probes

		DisableCache:        true, // it would need CLIENT TRACKING, and nothing is read
		DisableRetry:        true,
		PipelineMultiplex:   -1, // one connection
		BlockingPipeline:    -1, // a long pipeline is no reason for another one
		AlwaysPipelining:    true,
		RingScaleEachConn:   4,
		ReadBufferEachConn:  64 << 10,
		WriteBufferEachConn: 64 << 10,
	}
}

// probe asks on one connection whether Redis is there until the line is over, and ends it where there is no answer.
func (l *line) probe(c rueidis.CommandClient, answered func(rtt time.Duration)) {
	tick := time.NewTicker(l.server.ping)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(l.ctx, l.server.timeout)
		began := time.Now()
		err := c.Do(ctx, c.B().Ping().Build()).Error()
		cancel()
		if err != nil {
			l.fail(err)
			return
		}
		answered(time.Since(began))
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
	}
}

// errUnconfirmed says that Redis did not confirm a subscription.
var errUnconfirmed = fmt.Errorf("subscribe: no confirmation: %w", context.DeadlineExceeded)

// change subscribes c to channels, or ends that, and waits until confirmed brought something for each. It returns nil
// where the line is over.
func (l *line) change(c rueidis.DedicatedClient, confirmed <-chan struct{}, channels []string, subscribe bool) error {
	var command rueidis.Completed
	if subscribe {
		command = c.B().Subscribe().Channel(channels...).Build()
	} else {
		command = c.B().Unsubscribe().Channel(channels...).Build()
	}
	late := time.NewTimer(l.server.timeout)
	defer late.Stop()
	if err := c.Do(l.ctx, command).Error(); err != nil {
		return err
	}
	for range channels {
		select {
		case <-confirmed:
		case <-late.C:
			return errUnconfirmed
		case <-l.ctx.Done():
			return nil
		}
	}
	return nil
}

// fail ends the line, for the reason why where it was not over already: it closes the connections and waits for
// nothing. Everybody may call it.
func (l *line) fail(why error) {
	if l.securing.Load() && errors.Is(why, context.DeadlineExceeded) {
		why = fmt.Errorf("%w: %w", errNoHandshake, why)
	}
	l.cancel(why)
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for _, conn := range conns {
		abandon(conn)
	}
}

// dial makes a connection for the library, at most limit. It ends with the line, whatever the library's context says.
func (l *line) dial(_ context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	excess := l.dials > l.limit
	l.mu.Unlock()
	if excess {
		// The library makes a new connection where it lost one, and one more where the server speaks no RESP3.
		return nil, errors.New("it does not speak RESP3, or a connection broke: Redis 6 or later is needed")
	}
	conn, err := (&net.Dialer{}).DialContext(l.ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.conns = append(l.conns, conn)
	l.mu.Unlock()
	if l.ctx.Err() != nil { // it failed before it knew of conn
		abandon(conn)
		return nil, context.Cause(l.ctx)
	}
	watched := &watchedConn{Conn: conn, line: l}
	if l.server.tls == nil {
		return watched, nil
	}
	secured := tls.Client(watched, l.server.tls)
	l.securing.Store(true)
	err = secured.HandshakeContext(l.ctx)
	l.securing.Store(false)
	if err != nil {
		return nil, err
	}
	return secured, nil
}

// abandon closes conn in such a way that the kernel throws away what it could not send yet, instead of sending it when
// a Redis that hangs goes on.
func abandon(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only where the connection is gone
	}
	_ = conn.Close()
}

// watchedConn ends its line as soon as the connection breaks, not only when somebody asks for something.
type watchedConn struct {
	net.Conn
	line *line
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.note(err)
}

func (c *watchedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.note(err)
}

// note ends the line where the other side broke the connection. Where it was closed on this side, whoever did that
// knows a better reason.
func (c *watchedConn) note(err error) error {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.line.fail(fmt.Errorf("the connection broke: %w", err))
	}
	return err
}
