package redis

import (
	"context"
	"errors"
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
	line

	// immutable
	broker *Broker
	life   uint64
	out    *queue.Queue[*hub.Publication] // from Publish to the publisher
	in     *queue.Queue[*hub.Publication] // from the library's reading goroutine to the broker's
	drain  chan struct{}                  // closed by the broker's goroutine at Close; received by the publisher

	// One for each channel that Redis confirms: from the library's reading goroutine to whoever sent the command, open or
	// the subscriber. Holds what one command brings, so that reading goes on; never closed.
	changed chan struct{}
	answers *queue.Queue[func()] // who waited for a channel: from the library's reading goroutine to the broker's

	// set by open
	client     rueidis.Client          // has the connection for commands
	subscribed rueidis.DedicatedClient // the other one
	quiet      <-chan error            // closed by the library once it calls receive no more
}

// connections is how many a link has: one for commands, as order needs it, and the one that is subscribed.
const connections = 2

func newLink(b *Broker, life uint64) *link {
	return &link{
		line:    newLine(&b.server, connections),
		broker:  b,
		life:    life,
		out:     queue.New[*hub.Publication](b.opts.QueueBytes),
		in:      queue.New[*hub.Publication](b.opts.QueueBytes),
		drain:   make(chan struct{}),
		changed: make(chan struct{}, partitions),
		answers: queue.New[func()](0),
	}
}

// open dials, shakes hands, asks for the rights, subscribes to what is wanted, and waits for the confirmations. Where it
// fails, the link is to be closed all the same. It ends early where the link fails.
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
		if err := reply.Error(); err != nil && !outOfMemory(err) { // a full server queues nothing, and publishes
			return err
		}
	}
	l.subscribed, _ = l.client.Dedicate()
	l.quiet = l.subscribed.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage:      func(m rueidis.PubSubMessage) { l.receive(m.Message) },
		OnSubscription: l.onSubscription,
	})
	// To all for a moment, as what is subscribed to changes all the time, and nobody is to learn only then that it is not
	// allowed.
	if err := l.change(channels[:], true); err != nil {
		return err
	}
	if spare := l.broker.wanted.begin(); len(spare) > 0 {
		if err := l.change(spare, false); err != nil {
			return err
		}
	}
	return context.Cause(l.ctx)
}

// onSubscription is told by the library's reading goroutine of each channel that Redis confirms.
func (l *link) onSubscription(s rueidis.PubSubSubscription) {
	l.answer(l.broker.wanted.confirmed(s.Channel, s.Kind == "subscribe"))
	select {
	case l.changed <- struct{}{}:
	case <-l.ctx.Done():
	}
}

// start begins to publish and to probe. The goroutines end when the link is over; close waits for them.
func (l *link) start() {
	l.loops.Go(l.publish)
	l.loops.Go(l.subscribe)
	l.loops.Go(func() {
		l.probe(l.client, func(rtt time.Duration) { l.broker.counts.rtt.Store(int64(rtt)) })
	})
	l.loops.Go(func() {
		l.probe(l.subscribed, func(time.Duration) {})
	})
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
