package client

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

// Client is a connection to a hub that comes back by itself. [Dial] makes one; it must be closed.
type Client struct {
	// immutable
	options options
	address string       // of all hubs, for errors
	http    *http.Client // for the handshakes
	prefix  string       // of the keys of publications

	// life
	ctx  context.Context    // ends at Close; every wait of the client's goroutines ends with it
	stop context.CancelFunc // ends ctx
	done chan struct{}      // closed by run, once the client has ended for good

	keys    atomic.Uint64  // counts publications
	keeping sync.WaitGroup // the goroutines that each keep a message; they end with ctx, and Close waits for them

	// guarded by mu, which is never held while waiting; a room's buffer.mu may be taken under it
	mu       sync.Mutex
	link     *link            // nil while there is no connection
	changed  chan struct{}    // closed, and replaced, at each change of link; received by those who wait for one
	rooms    map[string]*Room // by name: those that were joined, or are to be
	logs     map[string]bool  // the names of rooms that are known to be log rooms; at most maxLogs
	who      identity
	token    token
	hub      string // the hub's name
	isolated bool   // the hub cannot reach the others
	kept     int    // messages that are kept until hubs have stored them; at most maxKept
	err      error  // why the client ended for good; set before done is closed
}

// Dial connects to the HubServer at address, which is written like http://127.0.0.1:8081 or wss://chat.example.com/ws;
// where it has no path, /ws is meant. [WithHubs] names others, for when that one is down. When Dial returns, a hub has
// welcomed the client. ctx bounds Dial alone: the client lives until [Client.Close].
//
// The error wraps [ErrUnreachable] where no hub answers, of which each was tried once, [ErrRefused] where one does and
// says no, and [ErrToken] where there is no token for it or it is not the right one. Later, the client connects again by
// itself.
func Dial(ctx context.Context, address string, opts ...Option) (*Client, error) {
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	hubs, err := places(append([]string{address}, o.hubs...))
	if err != nil {
		return nil, err
	}
	c := &Client{
		options: o,
		address: names(hubs),
		http:    newHTTPClient(&o),
		prefix:  rand.Text()[:10] + "-",
		done:    make(chan struct{}),
		changed: make(chan struct{}),
		rooms:   make(map[string]*Room),
		logs:    make(map[string]bool),
	}
	c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	r := &route{hubs: hubs}
	l, err := r.dial(func(at place) (*link, error) { return c.connect(ctx, at) })
	if err != nil {
		c.stop()
		return nil, err
	}
	c.attach(l)
	go c.run(l, r) // ends after Close, or when a hub says not to come back; Close waits for it by done
	return c, nil
}

// Close leaves the hub, ends the client and waits for its goroutines, which takes at most about a second. Whoever waits
// in a method of the client gets [ErrClosed], and ranges over messages end. Closing again does nothing.
func (c *Client) Close() error {
	c.stop()
	<-c.done
	c.keeping.Wait()
	return nil
}

// Done returns a channel that is closed when the client has ended for good: it was closed, or a hub told it not to come
// back.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns nil while the client lives, [ErrClosed] after Close, and otherwise why it ended: a *[CloseError] or a
// *[Refused], which wrap [ErrRefused].
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// ID returns what hubs call this client: the id of the sender in its messages. It stays the same over reconnections,
// unless a hub does not know the client any more; then it is a new client there, with another id.
func (c *Client) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.who.ID
}

// Hub returns the name of the hub that the client is, or was last, connected to.
func (c *Client) Hub() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hub
}

// Isolated reports whether the hub said that it cannot reach the other hubs now: what is published then reaches the
// people on this hub alone, and in a log room the others later.
func (c *Client) Isolated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isolated
}

// Connected reports whether there is a connection now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// attach makes l the client's connection, and has the rooms joined on it.
func (c *Client) attach(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	c.who.become(l.who)
	c.hub, c.isolated = l.hub, l.isolated
	l.update()
	c.signal()
}

// detach takes the connection away, which was lost for cause.
func (c *Client) detach(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = nil
	for _, r := range c.rooms {
		r.lose(cause)
	}
	c.signal()
}

// signal wakes those who wait for a change of link. The caller holds mu.
func (c *Client) signal() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// connected returns the connection, and waits for one as long as ctx lasts.
func (c *Client) connected(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		l, changed, err := c.link, c.changed, c.err
		c.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case l != nil:
			return l, nil
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a connection to %s: %w: %w", c.address, ErrUnreachable, ctx.Err())
		}
	}
}

// key returns the key of the next publication.
func (c *Client) key() string { return c.prefix + strconv.FormatUint(c.keys.Add(1), 10) }

// end records why the client ended for good, and ends its rooms.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.link = nil
	c.signal()
	for name, r := range c.rooms {
		r.end(err)
		delete(c.rooms, name)
	}
}

// setIsolated records what the hub said of itself.
func (c *Client) setIsolated(isolated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isolated = isolated
	if !isolated {
		return
	}
	for _, r := range c.rooms {
		if r.in {
			r.tell() // it cannot say where the log is
		}
	}
}
