package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Room is a room that the client joined. It stays joined over reconnections, until [Room.Leave].
type Room struct {
	// immutable
	client *Client
	name   string
	buffer *buffer       // messages that wait for the program
	ready  chan struct{} // closed when the hub first said that messages come, or by end; received by Join
	ended  chan struct{} // closed by end; received by ranges over the messages

	// guarded by client.mu: whether we are in
	joins      int       // calls of Join that wait for ready
	membership int       // counts up where the room is to be left and joined again
	barrier    int       // pongs before which what the hub says is about an earlier membership of this connection
	told       bool      // ready is closed
	in         bool      // the hub said, on this connection, that we are in
	cut        time.Time // since when we are out, because a connection was lost; zero where none was
	cause      error     // why it was lost
	err        error     // why the room ended; nil while it lives, and immutable once ended is closed

	// guarded by client.mu: what there is of a log room
	cursor  protocol.Position // the client has all up to here; zero before it was told where the log is
	shown   shown
	whole   bool     // it was joined as one that takes nothing without a position
	history *history // nil where none was asked for, or all of it came

	crowd crowd // guarded by client.mu
}

// Join joins the room called name and waits until the hub has said that the client is in it: messages that are
// published after that arrive; and those before that [WithHistory] asks for. Joining again returns the same Room.
//
// A hub that is isolated cannot say where the log of a log room is. Then Join returns all the same, and messages that
// are published at other hubs arrive only from the time on at which the hub is back.
//
// The error wraps a *[Refused] where the hub refuses, [ErrClosed] where the client is closed, and that of ctx where it
// ends before the hub has answered.
func (c *Client) Join(ctx context.Context, name string, opts ...JoinOption) (*Room, error) {
	var o joinOptions
	for _, opt := range opts {
		opt(&o)
	}
	r, err := c.join(ctx, name, o)
	if err != nil {
		return nil, fmt.Errorf("join room %q: %w", name, err)
	}
	return r, nil
}

func (c *Client) join(ctx context.Context, name string, o joinOptions) (*Room, error) {
	if err := checkRoom(name); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	r, err := c.want(name, o)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.ready:
		err = c.joined(r)
	case <-ctx.Done():
		c.giveUp(r)
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Name returns the name of the room.
func (r *Room) Name() string { return r.name }

// Send publishes text in the room and waits for the hub to take it, like [Client.Publish].
func (r *Room) Send(ctx context.Context, text string) (Ack, error) {
	return r.client.Publish(ctx, r.name, protocol.Text, []byte(text))
}

// Publish publishes data of any kind in the room and waits for the hub to take it, like [Client.Publish].
func (r *Room) Publish(ctx context.Context, kind protocol.Kind, data []byte) (Ack, error) {
	return r.client.Publish(ctx, r.name, kind, data)
}

// Messages returns the messages that others publish in the room, from the time of Join on, as they arrive, and before
// them the history that was asked for, where there is one:
//
//	for m, err := range room.Messages(ctx) {
//		if gap, ok := errors.AsType[*client.Gap](err); ok {
//			log.Print(gap) // messages are missing here; it goes on
//			continue
//		}
//		if err != nil {
//			return err // the last: the hub does not want us any more
//		}
//		fmt.Printf("%s: %s\n", m.From.Name, m.Data)
//	}
//
// An error is a *[Gap], or it is the last that the range gives. When ctx is done, the room is left or the client is
// closed, the range ends without one. A range that was broken off can be taken up by another call. Each message is
// given once: two ranges at the same time share them.
//
// The messages are shared: their Data must not be changed.
func (r *Room) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			err := r.endedWith() // first, as nothing is put into the buffer afterwards
			if ctx.Err() != nil || errors.Is(err, ErrClosed) {
				return
			}
			i, ok := r.buffer.next()
			switch {
			case ok && i.message != nil:
				if !yield(*i.message, nil) {
					return
				}
			case ok:
				if !yield(Message{}, &i.gap) {
					return
				}
			case err != nil:
				yield(Message{}, fmt.Errorf("room %q: %w", r.name, err))
				return
			default:
				select {
				case <-r.buffer.wake:
				case <-r.ended:
				case <-ctx.Done():
				}
			}
		}
	}
}

// endedWith returns why the room ended, or nil while it lives.
func (r *Room) endedWith() error {
	select {
	case <-r.ended:
		return r.err
	default:
		return nil
	}
}

// Leave leaves the room: ranges over its messages end, and the hub is told. Leaving again does nothing.
func (r *Room) Leave() {
	c := r.client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(r, ErrClosed)
}
