package client

import "time"

const (
	// maxShown is how many ids a room keeps of messages that were shown without a position.
	maxShown = 4096

	// forgetShown is after how long such a message is not stored any more: its sender and the hub that keeps it give it
	// up after 10 minutes each, and it may be on its way for as long again.
	forgetShown = 30 * time.Minute
)

// shown has the ids of the messages of a room that were given to the program and have no position yet, and since when.
// The nil map is empty.
type shown map[string]time.Time

func (s shown) full() bool { return len(s) >= maxShown }

// settle takes id out, and reports whether it was in.
func (s shown) settle(id string) bool {
	_, ok := s[id]
	delete(s, id)
	return ok
}

// expire takes out what nobody can store any more.
func (s shown) expire() {
	for id, since := range s {
		if time.Since(since) > forgetShown {
			delete(s, id)
		}
	}
}
