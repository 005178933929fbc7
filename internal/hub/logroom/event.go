package logroom

import "github.com/soumya-codes/realtime-hub/protocol"

// Session is the hub's own for one live connection: a pointer, which the room compares and hands back.
type Session any

// Event is what happens to a room: one of the types of this file.
type Event interface{ event() }

// From clients.
type (
	// Join subscribes a session, which is not there yet. One that is there with the same publisher is displaced.
	Join struct {
		Session   Session
		Publisher string // the client's id
		// Cursor is where the client resumes; zero for one that begins at the newest.
		Cursor Position
		// Provisional says that the client takes what has no position yet. It refuses where it cannot keep more ids.
		Provisional bool
		// History is how many of the newest messages it wants to see beside the stream.
		History int
	}

	// Leave ends a subscription; that of a session that is not there is ignored.
	Leave struct{ Session Session }

	// Ready says that the client has taken what was replayed for it, which then goes on. It is given after each Replay;
	// for a session that is live by then it means nothing.
	Ready struct{ Session Session }

	// Publish publishes a message. The publisher need not be subscribed.
	Publish struct {
		Message *protocol.Message
		// Birth is the publisher's cursor when it made the message; zero where it had none. Unchanged on retries.
		Birth Position
		// Own says that the hub made the key, for a sender that cannot retry: the hub does so.
		Own bool
		// Reply comes back in the Outcome. It is not always answered: where the stream brings the position, that is the
		// answer, and a retry takes the place of what it retries.
		Reply any
	}
)

// From the broker. Answers belong to the Room that asked: who drops a room drops the answers that it waited for.
type (
	// Subscribed confirms the Subscribe of the same number: from now on the broker hands over what is published. It
	// comes again after each loss, once the broker has subscribed again by itself.
	Subscribed struct{ Number uint64 }

	// Unsubscribed says that publications may have been missed: the subscription was lost, or may have been.
	Unsubscribed struct{}

	// Published is a copy of what one call of the script published, in any hub: entries of one epoch that follow each
	// other. It may be late, double, and out of order.
	Published struct{ Entries []Entry }

	// Read answers a ReadPage.
	Read struct {
		Request uint64
		Page    Page
	}

	// ReadFailed says that a ReadPage will not be answered.
	ReadFailed struct{ Request uint64 }

	// Appended answers an Append.
	Appended struct {
		Request   uint64
		Epoch     string   // the log's newest
		At        Position // the message's
		Duplicate bool     // it was there before
	}

	// AppendFailed says that an Append was refused, or will not be answered: it may then be stored, now or later.
	AppendFailed struct {
		Request uint64
		Refused bool // it is not stored
	}

	// Isolated says that the broker cannot be reached: nothing that was asked will be answered, and the subscription is
	// lost. A room begins isolated.
	Isolated struct{}

	// Connected says that the broker can be reached again. It subscribes again by itself.
	Connected struct{}

	// Top is the position check: the log's newest epoch and offset, asked for a short time ago.
	Top struct {
		Epoch  string
		Offset uint64
	}
)

// Tick is time passing: to be given once in a while to every room that is not idle.
type Tick struct{}

// Page is what a read of the log answers.
type Page struct {
	Epoch string // the log's newest
	Top   uint64 // its newest offset
	Forks Forks
	// Reset says that the log does not go on from where it was read: no such epoch, or trimmed.
	Reset bool
	// Before is, of a Reset, the offset before the oldest entry that is kept.
	Before uint64
	// Orphans is the first offset that was seen and is lost; 0 for none. Entries then go on before it.
	Orphans uint64
	// Entries follow what was read from, without a hole, and may end before Top. A read from no position has none.
	Entries []Entry
}

func (Join) event()         {}
func (Leave) event()        {}
func (Ready) event()        {}
func (Publish) event()      {}
func (Subscribed) event()   {}
func (Unsubscribed) event() {}
func (Published) event()    {}
func (Read) event()         {}
func (ReadFailed) event()   {}
func (Appended) event()     {}
func (AppendFailed) event() {}
func (Isolated) event()     {}
func (Connected) event()    {}
func (Top) event()          {}
func (Tick) event()         {}
