package hub

import (
	"context"
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// What logs and the core of log rooms speak of together.
type (
	// Position names an entry of a room's log; the zero Position is none.
	Position = logroom.Position
	// Entry is a message at its position.
	Entry = logroom.Entry
	// Forks says where each epoch of a log begins: at most logroom.MaxForks of them.
	Forks = logroom.Forks
)

// Log keeps the messages of log rooms, each room's in one order, and hands them to the hubs that subscribe to the room.
// What it must do is tested by package brokertest, which every implementation runs.
//
// A log is used by the core of its hub. All methods but Start may be called by several goroutines at once, and before
// Start only Close. None but Start and Close waits for anything. Answers come through done, which is called once for
// each request that was taken, by a goroutine of the log, and by several of them at once; never by the method itself.
// It must not block, and must not call Close. A request is answered in about the broker's time-out, or when Close
// returns.
type Log interface {
	// Start connects, as Broker.Start does and with its errors. It is called once.
	Start(ctx context.Context, r LogReceiver) error

	// Append stores m in the log of its room and publishes it to all who subscribe to the room, this hub included. Its
	// publisher is From.ID, and its ID must be protocol.MessageID of that and its key. A message whose key its publisher
	// has used in the room before, as far as the log remembers, is not stored again: done is told the position of the
	// first, and Duplicate.
	//
	// What is appended in one room is stored in the order of the calls, as far as it is stored. What waits is bounded in
	// bytes: beyond the bound Append returns ErrBusy, while the log is away ErrAway, and done is not called. Done's error
	// wraps ErrUnknown where the message may be stored, now or later: append it again under its key to know. With every
	// other error it is not stored and never will be. The log keeps m until then.
	Append(m *protocol.Message, done func(Appended, error)) error

	// Read reads what follows after in the log of room, at most limit entries, and at most about 256 KiB, but at least
	// one; from no position it reads no entry, but where the log ends. With keep, which is for hubs that have subscribers
	// in the room, the room comes to be where it is not, and lives on. What waits is bounded in number: beyond it Read
	// returns ErrBusy, and errors are those of Append but ErrUnknown, as reading changes nothing that matters.
	Read(room string, after Position, limit int, keep bool, done func(LogPage, error)) error

	// Subscribe asks for what is published in room, until Unsubscribe. The receiver is told number when it is so, and
	// again each time that the log is back after it was away. Subscribing again asks for another confirmation.
	Subscribe(room string, number uint64)
	// Unsubscribe ends that; something may still come for a moment.
	Unsubscribe(room string)

	// Secret returns what all hubs of this log share to sign with, and nobody else knows; nil before the log was first
	// reached. It is kept with the log, and outlives a loss of what is kept as long as one of the hubs lives.
	Secret() []byte

	// Stats returns what was counted since the start.
	Stats() BrokerStats

	// Close answers what waits, as far as that goes without waiting long, disconnects, and waits for the log's
	// goroutines. Neither the receiver nor a done is called after it returned.
	Close() error
}

// LogReceiver is the hub, as its log sees it. The log calls it from one goroutine at a time, while others may call a
// done. It does not wait for the log; Published may wait for what was published before to be worked on.
type LogReceiver interface {
	// Subscribed says that from now on everything that is published in room comes, as Subscribe asked under number.
	Subscribed(room string, number uint64)

	// Published hands over what one call stored: entries of one epoch that follow each other. What this hub appended
	// comes too, before or after done. The receiver may keep the slice.
	//
	// An entry that this version cannot read has a Message of the room and Kind 0, and nothing else: its position counts.
	Published(room string, entries []Entry)

	// Missed says that something that was published in room was dropped, as too much waited for the receiver, or could not
	// be read at all. It is to be read from the log.
	Missed(room string)

	// SetAway says whether the log cannot be reached now, and why. It is called at each change; before the first call the
	// log is away. From then until Subscribed is called, publications are missed. What waited for an answer is answered.
	SetAway(away bool, why error)
}

// Appended is the answer to Append.
type Appended struct {
	At        Position // of the message
	Duplicate bool     // it was there before
	Epoch     string   // the log's newest, which is not that of At where an older duplicate is told
}

// LogStatus says what a read found.
type LogStatus uint8

// What a read finds.
const (
	LogEmpty LogStatus = 1 + iota // read from no position without keep: there is no log
	LogTop                        // read from no position: Epoch and Top say where the log ends
	LogRead                       // the log goes on from there: Entries, and perhaps Orphans
	LogReset                      // it does not: no such epoch, lost, or trimmed. What is kept begins behind Before
)

// LogPage is the answer to Read.
type LogPage struct {
	Status LogStatus
	Epoch  string // the newest; "" where there is no log
	Top    uint64 // the newest offset
	Forks  Forks  // of all of the log

	Orphans uint64  // LogRead: the first offset that the reader has seen and that is lost; 0 for none
	Before  uint64  // LogReset: the offset before the oldest entry kept: read on from it, in Epoch
	Entries []Entry // LogRead: what follows, without a hole; fewer than asked for do not mean the end, Top tells that
}

// Retention is how long the log of a room reaches back. Whichever ends first counts.
type Retention struct {
	History int           // entries; at least so many are kept
	TTL     time.Duration // after the last entry
}

// The defaults of Retention.
const (
	DefaultHistory = 1000
	DefaultTTL     = 24 * time.Hour
)

// DefaultKeyTTL is how long a log remembers a key, at least: longer than any client or hub tries again.
const DefaultKeyTTL = 30 * time.Minute

// MessageSize returns how many bytes m counts for in a queue: what it holds, and an allowance for the rest.
func MessageSize(m *protocol.Message) int {
	const overhead = 256
	return overhead + len(m.Room) + len(m.ID) + len(m.From.ID) + len(m.From.Name) + len(m.Data)
}

// Why a log did not do what it was asked to.
var (
	// ErrUnknown: the answer did not come in time, so it may be done or not, or be done later.
	ErrUnknown = errors.New("the log did not answer in time")
	// ErrAway: the log cannot be reached.
	ErrAway = errors.New("the log is away")
	// ErrBusy: more waits than the bound allows.
	ErrBusy = errors.New("too much waits for the log")
	// ErrNoMemory: the server's memory is full. It refused all of the call; reading goes on.
	ErrNoMemory = errors.New("the log's memory is full")
	// ErrNotDurable is wrapped by Start where the server does not keep what durability asks for.
	ErrNotDurable = errors.New("the broker is not set up for this durability")
)
