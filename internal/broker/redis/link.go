package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
)

// link is one life of the broker's connections: from dial, handshake and subscription until the first thing that goes
// wrong on either, an unanswered probe included. It is then over for good.
//
// A new link for each life is what keeps the past out of the present. Redis, or a network, may hang with messages in
// its buffers and go on much later. What was on its way to this hub then ends in a connection that is closed. What this
// hub sent and had no answer to is thrown away as far as its own kernel still has it (see abandon), and what Redis had
// received comes after, or in the middle of, what the next link publishes: other hubs drop it by its number (see
// fence).
type link struct {
	// immutable
	broker *Broker
	life   uint64
	ctx    context.Context                // done when the link is over; its cause says why
	cancel context.CancelCauseFunc        // called by fail alone
	out    *queue.Queue[*hub.Publication] // from Publish to the publisher
	in     *queue.Queue[*hub.Publication] // from the library's reading goroutine to the broker's
	drain  chan struct{}                  // closed by the broker's goroutine at Close; received by the publisher

	// set by open
	client     rueidis.Client          // has the connection for commands
	subscribed rueidis.DedicatedClient // the other one
	quiet      <-chan error            // closed by the library once it calls receive no more

	loops sync.WaitGroup // the publisher and the probes

	mu    sync.Mutex
	dials int        // guarded by mu
	conns []net.Conn // guarded by mu: those to close when the link is over
}

// connections is how many a link has: one for commands, as order needs it, and the one that is subscribed.
const connections = 2

func newLink(b *Broker, life uint64) *link {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &link{
		broker: b,
		life:   life,
		ctx:    ctx,
		cancel: cancel,
		out:    queue.New[*hub.Publication](b.opts.QueueBytes),
		in:     queue.New[*hub.Publication](b.opts.QueueBytes),
		drain:  make(chan struct{}),
	}
}

// options returns how the library works for us: no cache, no second try, no connection or probe that is not ours.
func (l *link) options() rueidis.ClientOption {
	e := l.broker.endpoint
	return rueidis.ClientOption{
		InitAddress:       []string{e.addr},
		ForceSingleClient: true,
		Username:          e.user,
		Password:          e.password,
		SelectDB:          e.db,
		ClientName:        "realtime-hub:" + l.broker.opts.Name,
		ClientSetInfo:     rueidis.DisableClientSetInfo, // one right less that users need

		DialCtxFn: l.dial,
		Dialer:    net.Dialer{Timeout: l.broker.opts.Timeout, KeepAlive: -1}, // KeepAlive would be its interval for probes

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

// open dials, shakes hands, asks for the right to publish, subscribes, and waits for the confirmations. Where it fails,
// the link is to be closed all the same. It ends early where the link fails.
func (l *link) open() error {
	err := l.handshake()
	if _, answered := errors.AsType[*rueidis.RedisError](err); err != nil && !answered && l.ctx.Err() != nil {
		return context.Cause(l.ctx) // came first: the rest follows from it
	}
	return err
}

func (l *link) handshake() (err error) {
	if l.client, err = rueidis.NewClient(l.options()); err != nil {
		return err
	}
	for _, reply := range l.client.DoMulti(l.ctx,
		l.client.B().Ping().Build(),
		l.client.B().Multi().Build(),
		l.client.B().Publish().Channel(channels[0]).Message("").Build(),
		l.client.B().Discard().Build(),
	) {
		if err := reply.Error(); err != nil {
			return err
		}
	}

	// Closed by the library's reading goroutine at the last confirmation, received here.
	confirmed := make(chan struct{})
	l.subscribed, _ = l.client.Dedicate()
	l.quiet = l.subscribed.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { l.receive(m.Message) },
		OnSubscription: func(s rueidis.PubSubSubscription) {
			if s.Count == partitions {
				close(confirmed)
			}
		},
	})
	subscribe := l.subscribed.B().Subscribe().Channel(channels[:]...).Build()
	if err := l.subscribed.Do(l.ctx, subscribe).Error(); err != nil {
		return err
	}
	select {
	case <-confirmed:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// start begins to publish and to probe. The goroutines end when the link is over; close waits for them.
func (l *link) start() {
	l.loops.Go(l.publish)
	l.loops.Go(func() {
		l.probe(l.client, func(rtt time.Duration) { l.broker.counts.rtt.Store(int64(rtt)) })
	})
	l.loops.Go(func() {
		l.probe(l.subscribed, func(time.Duration) {})
	})
}

// probe asks on one connection whether Redis is there until the link is over, and ends it where there is no answer.
func (l *link) probe(c rueidis.CommandClient, answered func(rtt time.Duration)) {
	tick := time.NewTicker(l.broker.opts.Ping)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(l.ctx, l.broker.opts.Timeout)
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

// fail ends the link, for the reason why where it was not over already: it closes the connections and waits for
// nothing. Everybody may call it.
func (l *link) fail(why error) {
	l.cancel(why)
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for _, conn := range conns {
		abandon(conn)
	}
}

// close ends the link and waits for all of its goroutines: nothing comes in or goes out after it. It is called once, by
// the goroutine that opened the link or was given it.
func (l *link) close() {
	l.fail(errClosed)
	l.loops.Wait()
	if l.quiet != nil {
		for range l.quiet { // at most one error, which we know
		}
	}
	// The connections are closed, so neither waits for Redis.
	if l.subscribed != nil {
		l.subscribed.Close()
	}
	if l.client != nil {
		l.client.Close()
	}
}

// dial makes a connection for the library, at most two. It ends with the link, whatever the library's context says.
func (l *link) dial(_ context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	excess := l.dials > connections
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
	watched := &watchedConn{Conn: conn, link: l}
	if l.broker.tls == nil {
		return watched, nil
	}
	secured := tls.Client(watched, l.broker.tls)
	if err := secured.HandshakeContext(l.ctx); err != nil {
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

// watchedConn ends its link as soon as the connection breaks, not only when somebody asks for something.
type watchedConn struct {
	net.Conn
	link *link
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.note(err)
}

func (c *watchedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.note(err)
}

// note ends the link where the other side broke the connection. Where it was closed on this side, whoever did that
// knows a better reason.
func (c *watchedConn) note(err error) error {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		c.link.fail(fmt.Errorf("the connection broke: %w", err))
	}
	return err
}
