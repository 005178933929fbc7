package redis

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// partitions is how many channels rooms share. Part of the wire format.
const partitions = 16

// channels are the names of the partitions. Part of the wire format.
var channels = func() (names [partitions]string) {
	for i := range names {
		names[i] = "rh:live:" + strconv.Itoa(i)
	}
	return names
}()

// partition returns the channel of a room: FNV-1a of its name, in 32 bits, modulo 16. Part of the wire format.
func partition(room string) int {
	hash := uint32(2166136261)
	for i := range len(room) {
		hash = (hash ^ uint32(room[i])) * 16777619
	}
	return int(hash % partitions)
}

// partitionSet is which partitions the hub wants, and how far the link is with each. It outlives links. Its methods may
// be called by several goroutines at once.
type partitionSet struct {
	keep  time.Duration // immutable: Options.Keep
	ready chan struct{} // one slot: full while a command may be due; sent by all, received by the subscriber; never closed

	mu   sync.Mutex
	live bool // guarded by mu: there is a link, which had all that was wanted when it began
	of   [partitions]wantedPartition
}

// wantedPartition is one partition of a partitionSet; guarded by its mu.
type wantedPartition struct {
	rooms int // that the hub wants
	stage stage
	until time.Time // when it is given up, if no room is wanted by then
	waits []func()  // who wants to know that it is there
}

func newPartitionSet(keep time.Duration) *partitionSet {
	return &partitionSet{keep: keep, ready: make(chan struct{}, 1)}
}

// want notes that one more room is wanted, and reports whether nobody has to wait for it: it is there, or there is no
// link. Otherwise ready is among those that confirmed or end returns.
func (s *partitionSet) want(room string, ready func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.of[partition(room)]
	p.rooms++
	if !s.live || p.stage == there {
		return true
	}
	p.waits = append(p.waits, ready)
	s.look()
	return false
}

// unwant notes that one room less is wanted. Its partition is kept for a while, so that rooms which come and go cost
// nothing.
func (s *partitionSet) unwant(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.of[partition(room)]
	if p.rooms--; p.rooms == 0 {
		p.until = time.Now().Add(s.keep)
		s.look()
	}
}

// look has the subscriber look at what is due. The caller holds mu.
func (s *partitionSet) look() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// begin notes that there is a link that is subscribed to all, and returns the channels of which it is to end that: who
// wants one of them now has to wait for it.
func (s *partitionSet) begin() (spare []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = true
	for i := range s.of {
		p := &s.of[i]
		p.stage = there
		if p.rooms == 0 {
			p.stage = leaving
			spare = append(spare, channels[i])
		}
	}
	return spare
}

// end notes that the link is over, and returns who waits: there is nothing to wait for any more.
func (s *partitionSet) end() (waits []func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = false
	for i := range s.of {
		p := &s.of[i]
		p.stage = apart
		waits = append(waits, p.waits...)
		p.waits = nil
	}
	return waits
}

// next returns the channels of the next command, and whether it subscribes. Where there are none, it returns how long it
// is until there may be some, or 0.
func (s *partitionSet) next(now time.Time) (due []string, subscribe bool, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.of {
		if p := &s.of[i]; p.rooms > 0 && p.stage == apart {
			p.stage = joining
			due = append(due, channels[i])
		}
	}
	if len(due) > 0 {
		return due, true, 0
	}
	for i := range s.of {
		p := &s.of[i]
		if p.rooms > 0 || p.stage != there {
			continue
		}
		if left := p.until.Sub(now); left > 0 {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		p.stage = leaving
		due = append(due, channels[i])
	}
	return due, false, wait
}

// confirmed notes what Redis did, and returns who waited for it.
func (s *partitionSet) confirmed(channel string, subscribed bool) (waits []func()) {
	i := slices.Index(channels[:], channel)
	if i < 0 {
		return nil // no channel of ours: nothing that we asked for
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.of[i]
	p.stage = apart
	if subscribed {
		p.stage = there
		waits, p.waits = p.waits, nil
	}
	return waits
}

// subscribe is the subscriber's goroutine: it sends what is due, one command at a time. It ends with the link.
func (l *link) subscribe() {
	set := l.broker.wanted
	for {
		due, subscribe, wait := set.next(time.Now())
		if len(due) > 0 {
			if err := l.change(due, subscribe); err != nil {
				l.fail(err)
				return
			}
			continue
		}
		var later <-chan time.Time
		if wait > 0 {
			later = time.After(wait)
		}
		select {
		case <-set.ready:
		case <-later:
		case <-l.ctx.Done():
			return
		}
	}
}

// change subscribes to channels, or ends that, and waits for the confirmations.
func (l *link) change(channels []string, subscribe bool) error {
	return l.line.change(l.subscribed, l.changed, channels, subscribe)
}

// answer hands over to the broker's goroutine who is to be told now.
func (l *link) answer(waits []func()) {
	for _, ready := range waits {
		l.answers.Force(ready, 0)
	}
}
