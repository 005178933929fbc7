package redis

import (
	"sync"

	"github.com/redis/rueidis"
)

// roomSet is the rooms that the hub wants to hear of, and how far the link is with each. It outlives links. Its methods
// may be called by several goroutines at once.
type roomSet struct {
	ready chan struct{} // one slot: full while a command may be due; sent by all, received by the subscriber; never closed

	mu    sync.Mutex
	rooms map[string]*wantedRoom // guarded by mu: those wanted, and those that Redis still sends
	due   []string               // guarded by mu: rooms to look at, each once
}

// wantedRoom is one room of a roomSet.
type wantedRoom struct {
	wanted bool
	number uint64 // what Subscribe was told last
	stage  stage
	due    bool // it stands in roomSet.due
	missed bool // the receiver is about to be told that it missed something
}

// stage is how far a link is with a room.
type stage uint8

const (
	apart stage = iota
	joining
	there
	leaving
)

func newRoomSet() *roomSet {
	return &roomSet{ready: make(chan struct{}, 1), rooms: map[string]*wantedRoom{}}
}

// subscribe notes that room is wanted, and reports whether it is there already.
func (s *roomSet) subscribe(room string, number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	if r == nil {
		r = &wantedRoom{}
		s.rooms[room] = r
	}
	r.wanted, r.number = true, number
	if r.stage == there {
		return true
	}
	s.look(room, r)
	return false
}

// unsubscribe notes that room is not wanted.
func (s *roomSet) unsubscribe(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[room]; r != nil {
		r.wanted = false
		s.look(room, r)
	}
}

// restart forgets what the last link did: all that is wanted is to be subscribed anew.
func (s *roomSet) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = s.due[:0]
	for room, r := range s.rooms {
		if !r.wanted {
			delete(s.rooms, room)
			continue
		}
		r.stage, r.due, r.missed = apart, false, false
		s.look(room, r)
	}
}

// look has the subscriber look at room. The caller holds mu.
func (s *roomSet) look(room string, r *wantedRoom) {
	if !r.due {
		r.due = true
		s.due = append(s.due, room)
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// maxChannels is how many channels one command names.
const maxChannels = 100

// next returns the channels of the next command, and whether it subscribes; none where nothing is due.
func (s *roomSet) next() (channels []string, subscribe bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	looked := 0
	for _, room := range s.due {
		r := s.rooms[room]
		change := r != nil && (r.wanted && r.stage == apart || !r.wanted && r.stage == there)
		if change {
			if len(channels) == maxChannels || len(channels) > 0 && r.wanted != subscribe {
				break
			}
			subscribe = r.wanted
			channels = append(channels, channelOf(room))
			r.stage = leaving
			if subscribe {
				r.stage = joining
			}
		}
		looked++
		if r == nil {
			continue
		}
		r.due = false
		if !r.wanted && r.stage == apart {
			delete(s.rooms, room)
		}
	}
	s.due = s.due[looked:]
	if len(s.due) == 0 {
		s.due = nil // so that a burst does not keep its memory
	}
	return channels, subscribe
}

// confirmed notes what Redis did. It reports whether the hub is to be told, and under which number.
func (s *roomSet) confirmed(room string, subscribed bool) (number uint64, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	if r == nil {
		return 0, false
	}
	r.stage = apart
	if subscribed {
		r.stage = there
	}
	switch {
	case r.wanted != subscribed:
		s.look(room, r) // the hub changed its mind
	case subscribed:
		return r.number, true
	case !r.due:
		delete(s.rooms, room)
	}
	return 0, false
}

// wants reports whether what comes of room is of use.
func (s *roomSet) wants(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	return r != nil && r.wanted
}

// miss notes that the receiver misses something of room, and reports whether it is to be told so.
func (s *roomSet) miss(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[room]
	if r == nil || r.missed {
		return false
	}
	r.missed = true
	return true
}

// forgive notes that the receiver is told now.
func (s *roomSet) forgive(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[room]; r != nil {
		r.missed = false
	}
}

// subscribe is the subscriber's goroutine: it sends what is due, one command at a time. It ends with the link.
func (l *logLink) subscribe() {
	set := l.log.rooms
	for {
		channels, subscribe := set.next()
		if len(channels) == 0 {
			select {
			case <-l.ctx.Done():
				return
			case <-set.ready:
			}
			continue
		}
		if err := l.change(channels, subscribe); err != nil {
			l.fail(err)
			return
		}
	}
}

// change subscribes channels, or ends that, and waits for the confirmations.
func (l *logLink) change(channels []string, subscribe bool) error {
	return l.line.change(l.rooms, l.changed, channels, subscribe)
}

// onSubscription is told by the library's reading goroutine of each channel that Redis confirms.
func (l *logLink) onSubscription(s rueidis.PubSubSubscription) {
	if s.Channel != l.log.probe {
		room := roomOf(s.Channel)
		if number, tell := l.log.rooms.confirmed(room, s.Kind == "subscribe"); tell {
			l.confirm(room, number)
		}
	}
	select {
	case l.changed <- struct{}{}:
	case <-l.ctx.Done():
	}
}

// confirm has the receiver told.
func (l *logLink) confirm(room string, number uint64) {
	l.in.Force(logEvent{room: room, number: number}, 0)
}
