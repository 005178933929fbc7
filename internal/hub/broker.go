package hub

import (
	"context"
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Publication is a message on its way, with what hubs need to know of it. It is immutable once published, and shared.
type Publication struct {
	protocol.Message
	Origin string // the hub process that took it: random at each start, so that two hubs of one name are two
}

// Size returns how many bytes the publication counts for in a queue; see MessageSize.
func (p *Publication) Size() int { return MessageSize(&p.Message) }

// Broker carries publications between hubs. What it must do is tested by package brokertest, which every
// implementation runs.
//
// All methods but Start may be called by several goroutines at once, and before Start only Close.
type Broker interface {
	// Start connects r to the other hubs and returns after the first attempt, which takes at most about a second. It
	// returns an error that wraps ErrRefused where the server refuses the credentials, and nil where it is merely away:
	// the broker then starts isolated and goes on trying until Close. It is called once.
	Start(ctx context.Context, r Receiver) error

	// Want asks for what the other hubs publish in room, as often as it is called until Unwant is called as often. Where
	// it returns true, all that is published from now on comes, or the broker is isolated, and has the room's when it is
	// not any more. Otherwise that is so once ready was called, which happens once, unless the broker is closed before:
	// by the broker's goroutine, and not by Want itself. Publications of rooms that are not wanted may come too. Neither
	// method waits for anything.
	Want(room string, ready func()) bool
	Unwant(room string)

	// Publish takes p for the other hubs. It never blocks: where the broker is isolated, or what waits exceeds its
	// bound, p is dropped and counted. What one goroutine publishes in one room arrives in its order, and so does what it
	// publishes for one sender (From.ID), whatever the rooms.
	Publish(p *Publication)

	// Stats returns what was counted since the start.
	Stats() BrokerStats

	// Close sends what was taken, as far as that goes without waiting long, disconnects, and waits for the broker's
	// goroutines. Nothing is delivered after it returned.
	Close() error
}

// Receiver is the hub, as the broker sees it. The broker calls it from one goroutine at a time.
type Receiver interface {
	// Deliver hands over what was published in rooms that are wanted, in the order of each publisher. It may hold the receiver's own
	// publications, as Redis sends them back; the receiver drops them by Origin. It does not block, and does not use the
	// slice after it returned; the publications it may keep.
	Deliver(ps []*Publication)

	// SetIsolated says whether the broker cannot reach the other hubs now, and why. It is called at each change; before
	// the first call the receiver is isolated.
	SetIsolated(isolated bool, why error)
}

// ErrRefused is wrapped by Broker.Start where the server answered and refused.
var ErrRefused = errors.New("the broker refuses the credentials")

// DropReason says why a publication or a frame was thrown away: a value of the metric's label, from a closed set.
type DropReason string

// The reasons.
const (
	DropIsolated    DropReason = "isolated"     // for other hubs, while the hub was cut off
	DropBrokerQueue DropReason = "broker_queue" // for other hubs: more waited than the queue holds
	DropBrokerError DropReason = "broker_error" // for other hubs: the broker did not confirm it
	DropInvalid     DropReason = "invalid"      // from other hubs: not to be decoded
	DropShardQueue  DropReason = "shard_queue"  // for the sessions of one shard: more waited than the queue holds
	DropSendQueue   DropReason = "send_queue"   // for one session: it reads too slowly
	DropOutboxAge   DropReason = "outbox_age"   // of a log room, kept while the log was away, and too old now to be stored
)

// BrokerStats is what a broker counted since its start.
type BrokerStats struct {
	Dropped    map[DropReason]uint64 // publications dropped
	Reconnects uint64                // times that the connection came back after it was lost
	RTT        time.Duration         // of the last answered probe; 0 where there is none
}
