package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// tokenRetry is after how long a token is asked for again that could not be had for a connection which lasts.
const tokenRetry = 5 * time.Second

// token is what the client shows to hubs, and what it knows of it. Guarded by Client.mu.
type token struct {
	text  string    // "" where there is none
	since time.Time // when it came
	until time.Time // when it ends, by the client's clock; zero as long as no hub said so
}

// WithToken has f called for the token that the client shows to hubs: before Dial connects, before it connects again
// where the last token has ended, once more where a hub says that, and ahead of time, at about four fifths of the
// token's life, so that no connection is lost when it ends. f may read a file or ask a server; it is called by one
// goroutine at a time, and must return when its context is done, which is after 10 s at the latest.
//
// Where f fails, Dial does, with an error that wraps [ErrToken] and that of f; a client that had connected tries again.
func WithToken(f func(context.Context) (string, error)) Option {
	return func(o *options) { o.token = f }
}

// connect opens one connection, with a token where one is to be had. A hub that finds the token to have ended, which was
// not fetched for this connection, is shown another.
func (c *Client) connect(ctx context.Context, at place) (*link, error) {
	fresh, err := c.needToken(ctx)
	if err != nil {
		return nil, err
	}
	l, err := c.open(ctx, at)
	if !isExpired(err) || fresh || c.options.token == nil {
		return l, err
	}
	c.dropToken()
	if _, err := c.needToken(ctx); err != nil {
		return nil, err
	}
	return c.open(ctx, at)
}

// isExpired reports whether err says that a token has ended.
func isExpired(err error) bool {
	refused, ok := errors.AsType[*Refused](err)
	return ok && refused.Code == protocol.ErrTokenExpired || hasCode(err, protocol.CodeExpired)
}

// needToken fetches a token where the client has none that is good, and reports whether it did.
func (c *Client) needToken(ctx context.Context) (fetched bool, err error) {
	if c.options.token == nil {
		return false, nil
	}
	c.mu.Lock()
	good := c.token.text != "" && (c.token.until.IsZero() || time.Now().Before(c.token.until))
	c.mu.Unlock()
	if good {
		return false, nil
	}
	return true, c.fetchToken(ctx)
}

// fetchToken asks the program for a token.
func (c *Client) fetchToken(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, c.options.handshakeTimeout)
	defer cancel()
	text, err := c.options.token(within)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token{text: text, since: time.Now()}
	return nil
}

// dropToken forgets the token, which a hub does not take any more.
func (c *Client) dropToken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token{}
}

// dateToken takes from a welcome how long the token lasts: by the hub's clock, which need not be ours.
func (c *Client) dateToken(f *protocol.Frame) {
	now, err := time.Parse(time.RFC3339, f.Time)
	if err != nil {
		return
	}
	end, err := time.Parse(time.RFC3339, f.Expires)
	if err != nil {
		return // it does not end
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token.until = time.Now().Add(end.Sub(now))
}

// renewIn returns how long the token can be kept before another is fetched, or false where that need not be: between 75
// and 85 % of its life, so that clients which came together do not all ask together.
func (c *Client) renewIn() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.until.IsZero() {
		return 0, false
	}
	life := c.token.until.Sub(c.token.since)
	share := 0.75 + 0.1*rand.Float64()
	return max(time.Until(c.token.since.Add(time.Duration(share*float64(life)))), 0), true
}

// renew shows the hub another token before the last one ends, for as long as the connection lasts.
func (l *link) renew(ctx, open context.Context) {
	within, cancel := context.WithCancel(open)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	for {
		wait, ok := l.client.renewIn()
		if !ok {
			return
		}
		for sleep(within, wait) {
			err := l.client.fetchToken(within)
			if err == nil {
				break
			}
			if within.Err() == nil {
				l.client.options.log.Warn("token not renewed", "err", err, "next_try_in", tokenRetry)
			}
			wait = tokenRetry
		}
		select {
		case l.out <- l.client.hello().Encode():
		case <-within.Done():
			return
		}
		select {
		case <-l.renewed: // and dated
		case <-within.Done():
			return
		}
	}
}

// welcomed takes the hub's answer to a later hello, with how long the new token lasts.
func (l *link) welcomed(f *protocol.Frame) {
	l.client.dateToken(f)
	select {
	case l.renewed <- struct{}{}:
	default:
	}
}
