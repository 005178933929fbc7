package redis

import (
	"context"
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const (
	// A broker that is isolated tries again after a pause between these, of which up to half is left to chance, so that
	// hubs that lost their Redis together do not come back together.
	minPause = 100 * time.Millisecond
	maxPause = 500 * time.Millisecond

	// A link that held for so long begins again with the shortest pause at its end.
	stable = 5 * time.Second

	// While it is isolated, a broker says so again after this.
	reminder = 10 * time.Second
)

// run is the broker's goroutine: it serves one link after the other, beginning with l, which is nil where the first
// attempt failed for the reason why. It ends at Close.
func (b *Broker) run(r hub.Receiver, l *link, why error) {
	defer close(b.done)
	pause := minPause
	var ok bool
	for {
		lost := l != nil
		if lost {
			began := time.Now()
			why = b.serve(r, l)
			waits := b.wanted.end() // from now on there is nothing to wait for
			if b.closing.Err() != nil {
				return
			}
			if time.Since(began) > stable {
				pause = minPause
			}
			b.tell(r, nil, why)
			tellAll(waits)
		}
		if l, ok = b.reconnect(why, &pause); !ok {
			return
		}
		if lost {
			b.counts.reconnects.Add(1)
		}
		b.tell(r, l, nil)
	}
}

// tell has Publish use l and tells the receiver; where l is nil, that the broker is isolated, and why.
func (b *Broker) tell(r hub.Receiver, l *link, why error) {
	b.use(l)
	r.SetIsolated(l == nil, why)
}

// serve hands what l brings to the receiver until l is over, and returns why. Nothing of l is left then: what it
// brought before its end was delivered, what waited for being published is dropped.
func (b *Broker) serve(r hub.Receiver, l *link) (why error) {
	var taken []*hub.Publication
	deliver := func() {
		if taken = l.in.Take(taken); len(taken) > 0 {
			r.Deliver(taken)
		}
	}
	var waited []func()
	answer := func() {
		waited = l.answers.Take(waited)
		tellAll(waited)
	}
	closing := b.closing.Done()
	var late <-chan time.Time
	for l.ctx.Err() == nil {
		select {
		case <-l.in.Ready():
			deliver()
		case <-l.answers.Ready():
			answer()
		case <-l.ctx.Done():
		case <-closing:
			closing = nil
			close(l.drain)
			late = time.After(b.opts.Timeout)
		case <-late:
			l.fail(errClosed)
		}
	}
	why = b.explain(context.Cause(l.ctx))
	b.use(nil)
	l.close()
	b.counts.isolated.Add(uint64(len(l.out.Take(nil))))
	deliver()
	answer()
	return why
}

// tellAll tells those who waited for a channel.
func tellAll(waits []func()) {
	for _, ready := range waits {
		ready()
	}
}

// reconnect makes links until there is one, or until Close.
func (b *Broker) reconnect(why error, pause *time.Duration) (*link, bool) {
	r := retry[*link]{
		closing: b.closing, connect: b.connect, discard: (*link).close, log: b.log,
		wait:  func(d time.Duration) bool { return waitUnless(b.closing, d) },
		away:  "isolated: messages stay on this hub until Redis is back",
		back:  "Redis is back: messages reach the other hubs",
		still: "still isolated, trying again",
	}
	return r.again(why, pause)
}

// connect makes a link, in at most Options.Timeout.
func (b *Broker) connect(ctx context.Context) (*link, error) {
	b.lives++
	l := newLink(b, b.lives)
	if err := open(ctx, b.opts.Timeout, l); err != nil {
		tellAll(b.wanted.end())
		return nil, b.explain(err)
	}
	l.start()
	return l, nil
}

// errClosed ends a link at Close.
var errClosed = errors.New("the broker is closed")
