package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// stable is how long a connection lasts that was no failure: the waiting before the next begins anew.
const stable = 5 * time.Second

// run lives as long as the client: it serves l, which r led to, connects again when that has ended, and so on.
func (c *Client) run(l *link, r *route) {
	defer close(c.done)
	defer c.stop()
	b := backoff{first: c.options.firstBackoff, longest: c.options.maxBackoff}
	for {
		since := time.Now()
		cause := l.run(c.ctx)
		c.detach(cause)
		l.fail(cause)
		if time.Since(since) >= stable {
			b.reset()
		}
		if hasCode(cause, protocol.CodeExpired) {
			c.dropToken()
		}
		r.lost(l.goesAway(cause))
		next, err := c.reconnect(l.retry, cause, &b, r)
		if err != nil {
			c.end(err)
			return
		}
		l = next
		c.attach(l)
	}
}

// reconnect connects again after a connection ended with cause, at first after retry, where the hub named that. Its
// error says why there is no connection any more, for good.
func (c *Client) reconnect(retry time.Duration, cause error, b *backoff, r *route) (*link, error) {
	cut := time.Now()
	wait := b.next()
	if retry > 0 {
		wait = retry
	}
	for {
		if c.ctx.Err() != nil {
			return nil, ErrClosed
		}
		if !retryable(cause) {
			c.options.log.Warn("connection ended", "err", cause)
			return nil, cause
		}
		c.options.log.Warn("not connected", "err", cause, "next_hub", r.place().shown,
			"next_try_in", wait.Round(time.Millisecond))
		if !sleep(c.ctx, wait) {
			return nil, ErrClosed
		}
		l, err := c.connect(c.ctx, r.place())
		if err == nil {
			c.options.log.Info("connected again", "hub", r.place().shown, "name", l.hub,
				"after", time.Since(cut).Round(time.Millisecond))
			return l, nil
		}
		if !errors.Is(err, ErrToken) { // otherwise it is not the hub that failed, or the last word
			r.failed()
		}
		cause, wait = err, b.next()
	}
}

// backoff says how long to wait before each try.
type backoff struct {
	first, longest time.Duration
	failures       int // since the last reset
}

// next returns how long to wait now: a random time between nothing and the whole, which doubles each time. Half of it
// for sure would crowd those who lost the same hub into the other half.
func (b *backoff) next() time.Duration {
	whole := b.first
	for range b.failures {
		if whole >= b.longest {
			break
		}
		whole *= 2
	}
	b.failures++
	return rand.N(min(whole, b.longest)) + 1
}

func (b *backoff) reset() { b.failures = 0 }

// sleep waits for d, and reports whether ctx lasted so long.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
