package client

import (
	"context"
	"fmt"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Ack is a hub's acknowledgement that it took a publication.
type Ack struct {
	ID    string // of the message, the same everywhere
	Key   string // under which the client published it
	Scope string // how far it is sure to have come: protocol.ScopeLive and so on

	// In a log room, with protocol.ScopeCluster alone.
	Position  protocol.Position // where it stands in the room's log
	Duplicate bool              // it was there before
}

// Publish publishes data in room and waits for the hub to take it. Where there is no connection it waits for one, as
// long as ctx lasts. Publications of one goroutine arrive in their order.
//
// The error wraps a *[Refused] where the hub refused the message; [ErrUnknown] where the message was sent and the
// answer did not come, be it that the connection was cut or that ctx ended; and [ErrUnreachable] or [ErrClosed] where
// the message was not sent.
func (c *Client) Publish(ctx context.Context, room string, kind protocol.Kind, data []byte) (Ack, error) {
	ack, err := c.publish(ctx, room, kind, data)
	if err != nil {
		return Ack{}, fmt.Errorf("publish in room %q: %w", room, err)
	}
	return ack, nil
}

func (c *Client) publish(ctx context.Context, room string, kind protocol.Kind, data []byte) (Ack, error) {
	if err := checkRoom(room); err != nil {
		return Ack{}, err
	}
	if err := kind.Check(data); err != nil {
		return Ack{}, &Refused{Code: protocol.ErrBadData, Message: err.Error(), Fix: "publish it as another kind"}
	}
	key := c.key()
	frame := protocol.AppendPublish(nil, room, key, nil, kind, data)
	for {
		l, err := c.connected(ctx)
		if err != nil {
			return Ack{}, err
		}
		reply, ok := l.expect(key)
		if !ok {
			continue // the connection has ended since, so the next call of connected waits for another
		}
		select {
		case l.out <- frame:
			return l.await(ctx, key, reply)
		case <-l.gone: // not sent
		case <-ctx.Done():
			l.forget(key)
			return Ack{}, fmt.Errorf("not sent: %w", ctx.Err())
		}
	}
}

// await returns the answer to the publication under key, which was sent.
func (l *link) await(ctx context.Context, key string, reply <-chan result) (Ack, error) {
	select {
	case r := <-reply:
		return r.ack, r.err
	case <-ctx.Done():
		l.forget(key)
		return Ack{}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

// expect returns a channel that gets the one answer to the publication under key, or false where the connection has
// ended.
func (l *link) expect(key string) (<-chan result, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed {
		return nil, false
	}
	// Sent by answer or fail, whoever takes it out of calls; received by await, which may be gone; never closed.
	reply := make(chan result, 1)
	l.calls[key] = reply
	return reply, true
}

// forget says that nobody waits for the answer any more.
func (l *link) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, key)
}

// answer gives r to whoever waits for it.
func (l *link) answer(key string, r result) {
	l.mu.Lock()
	reply, ok := l.calls[key]
	delete(l.calls, key)
	l.mu.Unlock()
	if ok {
		reply <- r
	}
}

// checkRoom refuses what a hub would refuse.
func checkRoom(room string) error {
	if err := protocol.CheckRoom(room); err != nil {
		return &Refused{Code: protocol.ErrBadRoom, Message: err.Error(), Fix: protocol.RoomRule}
	}
	return nil
}
