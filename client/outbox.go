package client

import (
	"bytes"
	"context"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxKept is how many messages the client keeps that hubs have not stored yet.
const maxKept = 1000

// keep keeps p, which a hub that cannot reach the log has taken and answers on l by reply, until it is stored, and reports
// whether there was room for it. Where the connection is lost it is published again, wherever the next one leads: the
// hub may have ended with what it kept.
func (c *Client) keep(p *publication, l *link, reply <-chan result) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == maxKept || c.err != nil || c.ctx.Err() != nil {
		return false
	}
	c.kept++
	p.data = bytes.Clone(p.data) // what the caller gave is his again
	// Ends with the message's age, or the client; Close waits for it.
	c.keeping.Go(func() {
		ctx, cancel := context.WithTimeoutCause(c.ctx, maxAge-time.Since(p.first), errTooOld)
		defer cancel()
		if err := p.untilStored(ctx, l, reply); err != nil {
			c.options.log.Warn("a message that only its hub had may not be stored", "room", p.room, "key", p.key, "err", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.kept--
	})
	return true
}

// untilStored waits until p is stored, and sends it again where its connection was lost. Its error says why it does not
// wait any more.
func (p *publication) untilStored(ctx context.Context, l *link, reply <-chan result) error {
	for again := false; ; {
		var err error
		if again {
			if l, reply, err = p.send(ctx); err != nil {
				return err
			}
		}
		ack, err := p.outcome(ctx, reply, again)
		if err == nil && ack.Scope == protocol.ScopeHub {
			again = false // it is kept once more
			continue
		}
		if err != errAgain {
			l.forget(p.key)
			return err
		}
		again = true
	}
}

// outcome returns the next answer to the message, or errAgain where it is to be sent again. One that the hub keeps may
// wait for its answer as long as the connection lasts.
func (p *publication) outcome(ctx context.Context, reply <-chan result, sent bool) (Ack, error) {
	if sent {
		return p.await(ctx, reply)
	}
	select {
	case r := <-reply:
		if r.err == nil {
			return r.ack, nil
		}
		wait, err := p.judge(ctx, r)
		if err != nil {
			return Ack{}, err
		}
		if !sleep(ctx, wait) {
			return Ack{}, unknown(ctx, nil)
		}
		return Ack{}, errAgain
	case <-ctx.Done():
		return Ack{}, unknown(ctx, nil)
	}
}
