package hub

import (
	"context"

	"github.com/soumya-codes/realtime-hub/internal/hub/roster"
)

// What presence and the core speak of together.
type (
	// HubID names one run of a hub.
	HubID = roster.Hub
	// Person is a client in a room on one hub.
	Person = roster.Person
	// Place is a person, and the name of the hub that it is on.
	Place = roster.Place
	// Listed is what one hub has in a room.
	Listed = roster.Listed
)

// Presence tells the hubs of one cluster who is in which room on which hub. What it must do is tested by package
// brokertest, which every implementation runs.
//
// All methods but Start may be called by several goroutines at once, and before Start only Close. None but Start and
// Close waits for anything. Where the other hubs cannot be reached, what is said is not kept: it is asked for, by
// Everyone, once they can. Answers come through done, which is called once for each request that was taken, by a
// goroutine of the presence; it must not block, and must not call Close.
type Presence interface {
	// Start connects hub own, as Broker.Start does and with its errors. Of rooms of more than most people, over all hubs,
	// Loaded has no lists. It is called once.
	Start(ctx context.Context, own HubID, most int, r PresenceReceiver) error

	// Put says that p is in room on this hub, for the first time or with another name, and that count people are now;
	// Remove that the client is there no more. Of one room they are called in order, by one goroutine at a time.
	Put(room string, p Person, count int)
	Remove(room, id string, count int)

	// Claim says that the client, which may have had a session on another hub, has one here now. It is answered once by
	// Claimed, also where it could not be told to the others.
	Claim(client string)

	// Watch asks for what the other hubs have in room, and for all that changes there, until Unwatch. Called again it
	// asks again.
	Watch(room string)
	Unwatch(room string)

	// People returns the people of room on all hubs, in the order of their ids, at most limit of those behind after.
	// Rooms does the same with the rooms that have people, in the order of their names. An error that wraps ErrAway comes
	// where the others cannot be reached, and ErrBusy where too many requests wait.
	People(room, after string, limit int, done func(PeoplePage, error)) error
	Rooms(after string, limit int, done func(RoomsPage, error)) error

	// Close disconnects, and waits for the goroutines. The others may go on taking the people of this hub for there until
	// they notice that it is gone, so that who goes over to one of them is not missed in between.
	Close() error
}

// PeoplePage is some of the people of a room.
type PeoplePage struct {
	People []Place
	Count  int    // all of them, on all hubs
	Next   string // the after of the next page; "" where this was the last
}

// RoomsPage is some of the rooms that have people.
type RoomsPage struct {
	Rooms []RoomPeople
	Next  string // the after of the next page; "" where this was the last
}

// RoomPeople is a room, and how many people are in it on all hubs.
type RoomPeople struct {
	Room   string
	People int
}

// PersonChange is what happened to a client in a room on one hub.
type PersonChange struct {
	Person
	Left bool // it is there no more, and of Person the ID alone is set
}

// PresenceReceiver is the hub, as the presence sees it. All methods but Everyone are called from one goroutine at a time,
// in the order in which things happened.
type PresenceReceiver interface {
	// Loaded hands over all that other hubs have in a room that is watched: after Watch, and again where changes may
	// have been missed.
	Loaded(room string, others []Listed)

	// Changed hands over what changed in a watched room on another hub, which has count people there now.
	Changed(of HubID, room string, changes []PersonChange, count int)

	// Gone says that a hub has died, or was not heard of for as long as if it had.
	Gone(hub HubID)

	// Claimed says that the client has a session on a hub now, this one where own is set. All hubs see all claims in one
	// order.
	Claimed(client string, own bool)

	// Everyone yields each room that this hub has people in, with those people; what changes meanwhile is said by Put and
	// Remove too.
	Everyone(yield func(room string, people []Person) bool)
}
