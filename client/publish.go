package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxAge is how long a message is published again under its key: hubs may not remember the key for longer
// (docs/protocol.md).
const maxAge = 10 * time.Minute

var (
	errTooOld    = fmt.Errorf("not acknowledged within %v", maxAge)
	errNewClient = errors.New("the hub does not know the client any more, so it cannot be published again under its key")
	errAgain     = errors.New("publish it again") // never leaves this file
)

// Ack is a hub's acknowledgement that it took a publication.
type Ack struct {
	ID  string // of the message, the same everywhere
	Key string // under which the client published it

	// Scope says how far it is sure to have come. protocol.ScopeLive: the hub took it, and promises nothing.
	// protocol.ScopeCluster: it is in the log of its room. protocol.ScopeHub: the hub cannot reach the log, has shown
	// the message to its own clients, keeps it, and stores it later. The client keeps it too, and publishes it again where
	// its connection is lost before: it is lost if hub and client both end.
	Scope string

	// In a log room, with protocol.ScopeCluster alone.
	Position  protocol.Position // where it stands in the room's log
	Duplicate bool              // an earlier attempt of this call had stored it
}

// Publish publishes data in room, which the client need not have joined, and waits for the hub to take it. Where there
// is no connection it waits for one, as long as ctx lasts. Publications of one goroutine arrive in their order.
//
// In a log room the message is sent again, under the same key, where its connection was lost, where the hub does not
// know whether it is stored, and where no answer came for 5 s: as long as ctx lasts and at most 10 minutes. It is
// stored once. In a live room, and in one of which the client does not know yet what it is, as it never joined it nor
// published in it, it is sent once.
//
// The error wraps a *[Refused] where the hub refused the message; [ErrBusy] where it could not take it now, and did not
// show it; [ErrUnknown] where the message was sent and may have been taken; and [ErrUnreachable] or [ErrClosed] where
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
	p := &publication{
		client: c, room: room, key: c.key(), kind: kind, data: data,
		backoff: backoff{first: c.options.firstBackoff, longest: c.options.answerTimeout},
	}
	for {
		l, reply, err := p.send(ctx)
		if err != nil {
			return Ack{}, err
		}
		if p.attempts == 1 {
			var cancel context.CancelFunc
			p.first = time.Now()
			ctx, cancel = context.WithTimeoutCause(ctx, maxAge, errTooOld)
			defer cancel()
		}
		ack, err := p.await(ctx, reply)
		if err == nil && ack.Scope == protocol.ScopeHub && c.keep(p, l, reply) {
			return ack, nil
		}
		if err != errAgain {
			l.forget(p.key)
			return ack, err
		}
	}
}

// publication is a message on its way to a hub, for one call of Publish and its goroutine, and then for that which keeps
// the message.
type publication struct {
	// immutable
	client *Client
	room   string
	key    string
	kind   protocol.Kind
	data   []byte

	first    time.Time         // when it was first given to a connection
	attempts int               // those that were given to a connection, and may have been sent
	sender   string            // who the client was at the first of them
	birth    protocol.Position // its cursor in the room before the first of them; zero for none
	backoff  backoff           // says when to try again
}

// send gives the message to a connection, and waits for one as long as ctx lasts. It returns where the answer comes.
func (p *publication) send(ctx context.Context) (*link, <-chan result, error) {
	for {
		l, err := p.client.connected(ctx)
		switch {
		case err != nil && p.attempts == 0:
			return nil, nil, err
		case err != nil:
			return nil, nil, unknown(ctx, err)
		case p.attempts > 0 && l.who.ID != p.sender:
			return nil, nil, unknown(ctx, errNewClient)
		}
		reply, ok := l.expect(p.key, len(p.data))
		if !ok {
			continue // the connection has ended since, so the next call of connected waits for another
		}
		var birth *protocol.Position
		if p.attempts == 0 {
			p.sender, p.birth = l.who.ID, p.client.cursor(p.room)
		} else {
			birth = &p.birth
		}
		select {
		case l.out <- protocol.AppendPublish(nil, p.room, p.key, birth, p.kind, p.data):
			p.attempts++
			return l, reply, nil
		case <-l.gone: // not sent
		case <-ctx.Done():
			l.forget(p.key)
			if p.attempts > 0 {
				return nil, nil, unknown(ctx, nil)
			}
			return nil, nil, fmt.Errorf("not sent: %w", ctx.Err())
		}
	}
}

// await returns the answer to the message, or errAgain when it is to be sent again.
func (p *publication) await(ctx context.Context, reply <-chan result) (Ack, error) {
	timer := time.NewTimer(p.client.options.answerTimeout)
	defer timer.Stop()
	again := false
	for {
		select {
		case r := <-reply:
			if r.err == nil {
				return r.ack, nil
			}
			wait, err := p.judge(ctx, r)
			if err != nil {
				return Ack{}, err
			}
			again = true
			timer.Reset(wait) // an acknowledgement may come all the same
		case <-timer.C:
			if again || p.client.isLog(p.room) {
				return Ack{}, errAgain
			}
			timer.Reset(p.client.options.answerTimeout)
		case <-ctx.Done():
			return Ack{}, unknown(ctx, nil)
		}
	}
}

// judge returns after how long the message is to be sent again after an answer that is no acknowledgement, or an error
// where it is not.
func (p *publication) judge(ctx context.Context, r result) (time.Duration, error) {
	refused, ok := errors.AsType[*Refused](r.err)
	switch {
	case !ok: // the connection was lost
		if p.client.isLog(p.room) {
			return 0, nil
		}
		return 0, unknown(ctx, r.err)
	case refused.Code == protocol.ErrUnknown:
	case refused.Code == protocol.ErrOutboxFull:
		if p.attempts == 1 {
			return 0, fmt.Errorf("%w: %s", ErrBusy, refused.Message)
		}
	case refused.Code == protocol.ErrRefused && p.attempts > 1:
	default:
		return 0, refused
	}
	// An attempt may be stored. Only the log of a room is a reason for these answers.
	p.client.learn(p.room, true)
	return p.backoff.next(), nil
}

// unknown returns the error for a message that was sent, and may be stored, because of cause, or because ctx is done.
func unknown(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		cause = ctx.Err()
		if context.Cause(ctx) == errTooOld {
			cause = errTooOld
		}
	}
	if _, ok := errors.AsType[*Refused](cause); ok { // of a connection, and not of this message
		return fmt.Errorf("%w: %v", ErrUnknown, cause)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, cause)
}

// checkRoom refuses what a hub would refuse.
func checkRoom(room string) error {
	if err := protocol.CheckRoom(room); err != nil {
		return &Refused{Code: protocol.ErrBadRoom, Message: err.Error(), Fix: protocol.RoomRule}
	}
	return nil
}
