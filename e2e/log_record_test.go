package e2e

import (
	"fmt"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// what says what an event of a record is.
type what int

const (
	opened  what = iota // a connection to a hub; where is its address
	closed              // it is over; where says why
	sent                // a frame to the hub; a publish frame is one try
	got                 // a frame of the hub
	made                // a message, as the publish frame that will carry it; it may not have been sent yet
	saved               // the client put by what it keeps
	rewound             // and went back to what it had put by last
	gave                // the client handed it to the program that uses it: a message, or the ack that Publish returned
)

func (w what) String() string {
	return [...]string{"opened", "closed", "sent", "got", "made", "saved", "rewound", "gave"}[w]
}

// event is one thing that a client did or saw.
type event struct {
	at    time.Time
	what  what
	where string
	frame *protocol.Frame
}

func (e event) String() string {
	text := fmt.Sprintf("%s %s", e.at.Format("05.000"), e.what)
	if e.where != "" {
		text += " " + e.where
	}
	if e.frame != nil {
		text += " " + string(e.frame.Encode())
	}
	return text
}

// record is all that one client did and saw, in order. The checker knows nothing else of a client.
type record struct {
	name   string
	gives  bool // what was handed to the program is in it, too
	events []event
}

func (r *record) add(w what, where string, f *protocol.Frame) {
	r.events = append(r.events, event{time.Now(), w, where, f})
}

// stored is an entry of a room's log as it was read at the end, over HTTP.
type stored struct {
	at   protocol.Position
	id   string
	text string
	from string // the sender's id
}

// figures are what records say in numbers.
type figures struct {
	made, deliveries, provisional, settled, resumes, orphans, resets, duplicates, unknown, cuts, past, isolated int

	acks, keys int // acks of scope cluster of one's own messages, and how many messages they are for

	entries int // of the logs
}

func (f figures) String() string {
	return fmt.Sprintf("%d messages made, %d deliveries with a position, %d provisional, %d settled for another, %d cuts, %d resumes, "+
		"%d orphan reports, %d resets, %d duplicates, %d unknown or full, %d from history, %d times isolated, %d acks for %d own messages, %d entries",
		f.made, f.deliveries, f.provisional, f.settled, f.cuts, f.resumes, f.orphans, f.resets, f.duplicates, f.unknown, f.past, f.isolated,
		f.acks, f.keys, f.entries)
}

// count adds what a record says.
func (f *figures) count(r *record) {
	acked := map[string]bool{}
	defer func() { f.keys += len(acked) }()
	for _, e := range r.events {
		switch {
		case e.what == made:
			f.made++
		case e.what == closed:
			f.cuts++
		case e.what == sent && e.frame.Type == protocol.TypeJoin && e.frame.Position != "":
			f.resumes++
		case e.what == got:
			f.countFrame(e.frame)
			if e.frame.Type == protocol.TypeAck && e.frame.Key != "" && e.frame.Position != "" {
				f.acks++
				acked[e.frame.Key] = true
			}
		}
	}
}

func (f *figures) countFrame(g *protocol.Frame) {
	switch g.Type {
	case protocol.TypeMessage:
		switch {
		case g.Past:
			f.past++
		case g.Position == "":
			f.provisional++
		default:
			f.deliveries++
		}
	case protocol.TypeAck:
		switch {
		case g.Duplicate:
			f.duplicates++
		case g.Key == "":
			f.settled++
		}
	case protocol.TypeOrphans:
		f.orphans++
	case protocol.TypeReset:
		f.resets++
	case protocol.TypeError:
		f.unknown++
	case protocol.TypeStatus:
		if g.Isolated != nil && *g.Isolated {
			f.isolated++
		}
	}
}
