package client

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// What went wrong is asked for with errors.Is, by the errors below, and told in full by *[Refused] and *[CloseError].
var (
	// ErrUnreachable is wrapped where no hub answers at any of the addresses: nothing listens there, it did not answer in
	// time, or what answered is no hub. It comes from [Dial], and from the methods of a client whose connection was lost
	// and has not come back when their context is done.
	ErrUnreachable = errors.New("the hub cannot be reached")

	// ErrRefused is wrapped where a hub says no, and would again: by every *[Refused], be it about the connection, a room
	// or a message, and by a *[CloseError] whose code says not to connect again.
	ErrRefused = errors.New("the hub refuses")

	// ErrToken is wrapped where it is the token that is wrong: beside ErrRefused, where the hub wants one and got none, or
	// not a good one, or one that had ended though it was fetched just before; and alone where the function of
	// [WithToken] failed when Dial called it.
	ErrToken = errors.New("no token that the hub takes")

	// ErrDisplaced is wrapped, beside ErrRefused, where another session of the same client has taken this one's place.
	ErrDisplaced = errors.New("another session of the client took its place")

	// ErrUnknown is wrapped where a publication was handed to a connection and its acknowledgement did not come: the
	// message may or may not have arrived, or may still be stored in its log room.
	ErrUnknown = errors.New("the message may or may not have arrived")

	// ErrBusy is wrapped where a hub cannot take a publication now, because the log of its room is full or cannot be
	// reached: nobody was shown the message. It may be published again later.
	ErrBusy = errors.New("the hub cannot take the message now")

	// ErrClosed is returned by the methods of a client that was closed, and of a room that was left.
	ErrClosed = errors.New("the client is closed")
)

// Refused is the error for what a hub refused, or what is known to be refused before it is asked. It wraps [ErrRefused],
// and [ErrToken] where it is about a token.
type Refused struct {
	Code    string // protocol.ErrBadRoom and so on
	Message string // what was wrong
	Fix     string // what to do about it; may be empty
}

func (e *Refused) Error() string {
	if e.Fix == "" {
		return fmt.Sprintf("refused: %s (%s)", e.Message, e.Code)
	}
	return fmt.Sprintf("refused: %s (%s): %s", e.Message, e.Code, e.Fix)
}

// Is reports whether target is ErrRefused, or ErrToken where e is about a token.
func (e *Refused) Is(target error) bool {
	switch target {
	case ErrRefused:
		return true
	case ErrToken:
		return e.Code == protocol.ErrTokenRequired || e.Code == protocol.ErrBadToken || e.Code == protocol.ErrTokenExpired
	}
	return false
}

// CloseError tells with which code the hub closed the connection. Where the code says not to connect again it wraps
// [ErrRefused], and one of [ErrToken] and [ErrDisplaced] where that is the reason.
type CloseError struct {
	Code   protocol.Code
	Reason string // may be empty
}

func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the hub closed the connection with %s", e.Code)
	}
	return fmt.Sprintf("the hub closed the connection with %s: %s", e.Code, e.Reason)
}

// Is reports whether target is an error that e wraps.
func (e *CloseError) Is(target error) bool {
	switch target {
	case ErrRefused:
		return !e.Code.Reconnect()
	case ErrToken:
		return e.Code == protocol.CodeBadToken || e.Code == protocol.CodeExpired
	case ErrDisplaced:
		return e.Code == protocol.CodeDisplaced
	}
	return false
}

// Gap stands between two messages of [Room.Messages] where others may be missing. The range goes on after it.
type Gap struct {
	// Dropped counts the messages that were thrown away because they were read too slowly: by the client, where more
	// waited than the room's buffer holds, and in a live room also by the hub, where more waited for the connection than
	// it keeps.
	Dropped int

	// Away says how long the client was not in a live room, because its connection was lost: what was published
	// meanwhile was missed. It is zero where the connection was not lost, and in a log room, which goes on where the
	// client was, unless that had not been told where the log is.
	Away time.Duration

	// Cause says why the connection was lost; nil where Away is zero.
	Cause error

	// Lost counts the messages of a log room that came and are lost since, because the log lost its end: the last ones
	// before the gap, those that the client published itself among them. Some may come again, if their senders publish
	// them again.
	Lost int

	// Reset says that the log of a room does not go on from where the client was: more was missed than is kept, or the
	// log is another. The hub cannot tell what, and what came before may come again.
	Reset bool
}

func (g *Gap) Error() string {
	var parts []string
	if g.Away > 0 {
		parts = append(parts, fmt.Sprintf("not connected for %v, messages may have been missed",
			g.Away.Round(time.Millisecond)))
	}
	if g.Dropped > 0 {
		parts = append(parts, fmt.Sprintf("messages dropped, as they were read too slowly: %d", g.Dropped))
	}
	if g.Lost > 0 {
		parts = append(parts, fmt.Sprintf("the room's log lost its end, and with it the last messages that came: %d",
			g.Lost))
	}
	if g.Reset {
		parts = append(parts, "the room's log does not go on from here: messages were missed, and some may come again")
	}
	return strings.Join(parts, "; ")
}

// add makes g tell of what next tells too, which came later.
func (g *Gap) add(next Gap) {
	g.Dropped += next.Dropped
	g.Away += next.Away
	if next.Cause != nil {
		g.Cause = next.Cause
	}
	g.Lost += next.Lost
	g.Reset = g.Reset || next.Reset
}

// isZero reports whether g tells of nothing.
func (g *Gap) isZero() bool { return g.Dropped == 0 && g.Away == 0 && g.Lost == 0 && !g.Reset }

// plain returns what is at the bottom of err, which the libraries between have wrapped in words that say nothing to
// those who did not write them: `dial tcp 127.0.0.1:8081: connect: connection refused`.
func plain(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
