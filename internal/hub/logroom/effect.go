package logroom

import "github.com/soumya-codes/realtime-hub/protocol"

// Effect is what is to be done, in the order of effects: one of the types of this file. Slices in effects are the
// receiver's to keep and not to change.
type Effect interface{ effect() }

// To the broker. It answers each request but Subscribe and Unsubscribe once, or is told to be isolated.
type (
	// Subscribe asks for what is published in the room, until Unsubscribe.
	Subscribe struct{ Number uint64 }

	// Unsubscribe ends that.
	Unsubscribe struct{}

	// ReadPage reads the log beyond From, Limit entries at most; from no position it reads where the log ends.
	ReadPage struct {
		Request uint64
		From    Position
		Limit   int
	}

	// Append stores a message and publishes it. Appends are executed in their order; several may share a call.
	Append struct {
		Request uint64
		Message *protocol.Message
	}
)

// To sessions. Those that are attached get what goes to all; their members' list is kept by who carries this out.
type (
	// Attach makes a session live: it has all up to At, and every Deliver from now on goes to it. A Fresh one is told At
	// as its first cursor.
	Attach struct {
		Session Session
		At      Position
		Fresh   bool
	}

	// Detach ends a subscription that another session of the same publisher displaced.
	Detach struct{ Session Session }

	// Deliver sends the next entry to all that are attached: whole, and to the holders, which have the message, its id
	// and position alone.
	Deliver struct {
		Entry   Entry
		Holders []Session
	}

	// Replay sends the next entries to one session. Once they are on their way to the client, Ready asks for more.
	Replay struct {
		Session Session
		Items   []Item
	}

	// History answers a Join that asked for it: oldest first, all at or behind the session's cursor.
	History struct {
		Session Session
		Entries []Entry
	}

	// Orphans says that the positions after At up to offset To were lost; the cursor is At. No Session: all attached.
	Orphans struct {
		Session Session
		At      Position
		To      uint64
	}

	// Reset says that the log does not go on from the cursor, which now is At. No Session: all attached.
	Reset struct {
		Session Session
		At      Position
	}

	// Show sends a message that has no position yet.
	Show struct {
		Message *protocol.Message
		To      []Session
	}

	// Settle tells the position of a message that the session was shown without one; it does not move the cursor.
	Settle struct {
		Session Session
		ID      string
		At      Position
	}

	// Outcome answers a Publish.
	Outcome struct {
		Reply     any
		ID        string
		Result    Result
		At        Position // of a Stored message
		Duplicate bool
	}

	// Drop says that the outbox gave up a message that was too old, for the count.
	Drop struct{ Message *protocol.Message }
)

// Item is an entry on its way to one session.
type Item struct {
	Entry Entry
	Held  bool // its id and position alone
}

// Result is how a publication went.
type Result uint8

// The results.
const (
	Stored  Result = iota // in the log: scope cluster
	Kept                  // shown on this hub, kept by it, and stored later: scope hub
	Full                  // refused: the outbox is full, and nothing was shown
	Refused               // refused by the broker
	Unknown               // it may be stored, now or later; publish it again under its key
)

// String returns the result's name.
func (r Result) String() string {
	return [...]string{"stored", "kept", "full", "refused", "unknown"}[r]
}

func (Subscribe) effect()   {}
func (Unsubscribe) effect() {}
func (ReadPage) effect()    {}
func (Append) effect()      {}
func (Attach) effect()      {}
func (Detach) effect()      {}
func (Deliver) effect()     {}
func (Replay) effect()      {}
func (History) effect()     {}
func (Orphans) effect()     {}
func (Reset) effect()       {}
func (Show) effect()        {}
func (Settle) effect()      {}
func (Outcome) effect()     {}
func (Drop) effect()        {}
