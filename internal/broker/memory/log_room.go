package memory

import (
	"container/heap"
	crand "crypto/rand"
	"hash/maphash"
	"slices"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// room is the log of one room. All of it is guarded by Logs.mu.
type room struct {
	name  string
	epoch string
	top   uint64

	entries []hub.Entry // oldest first, from index start; the last is at top
	start   int

	keys   map[keyHash]uint64 // the offsets of messages by their keys
	forget []expiringKey      // the same keys, in the order in which they expire

	stale time.Time // when the entries go
	gone  time.Time // when the room goes, later than what is in it
	place int       // in Logs.expiring
	due   time.Time // when expire looks at the room
}

// publisherKey is what counts once in a room: the id holds the key.
type publisherKey struct{ publisher, id string }

// keyHash stands for a publisherKey: of the keys of a busy room there are millions, so they are small, and have no pointers
// for the collector to follow. Of a thousand million keys two are taken for one with a probability of 10^-21.
type keyHash [2]uint64

type expiringKey struct {
	keyHash
	at time.Duration // since the logs were made
}

// hash returns what stands for the key of m.
func (s *Logs) hash(m *protocol.Message) keyHash {
	key := publisherKey{m.From.ID, m.ID}
	return keyHash{maphash.Comparable(s.seeds[0], key), maphash.Comparable(s.seeds[1], key)}
}

// room returns the log of a room, made where there is none.
func (s *Logs) room(name string, now time.Time, retention hub.Retention) *room {
	r := s.rooms[name]
	if r == nil {
		const length = 16 // 80 bits
		r = &room{
			name: name, epoch: crand.Text()[:length], keys: map[keyHash]uint64{},
			gone: now.Add(retention.TTL + s.opts.KeyTTL),
		}
		r.due = r.gone
		s.rooms[name] = r
		heap.Push(&s.expiring, r)
	}
	return r
}

// refresh has the room live on, and its entries where one was added. It touches the order of what expires only where
// less than 15/16 of the time is left.
func (s *Logs) refresh(r *room, now time.Time, retention hub.Retention, entries bool) {
	live := retention.TTL + s.opts.KeyTTL
	if entries && r.stale.Sub(now) < retention.TTL*15/16 {
		r.stale, r.gone = now.Add(retention.TTL), now.Add(live)
	} else if !entries && r.gone.Sub(now) < live*15/16 {
		r.gone = now.Add(live)
	} else {
		return
	}
	r.due = r.gone
	if len(r.entries) > r.start {
		r.due = r.stale
	}
	heap.Fix(&s.expiring, r.place)
}

// expire throws away what is not kept any longer.
func (s *Logs) expire(now time.Time) {
	for len(s.expiring) > 0 && !s.expiring[0].due.After(now) {
		r := s.expiring[0]
		if !r.gone.After(now) {
			heap.Pop(&s.expiring)
			delete(s.rooms, r.name)
			continue
		}
		r.entries, r.start = nil, 0 // it was due for them
		r.expireKeys(now.Sub(s.made))
		r.due = r.gone
		heap.Fix(&s.expiring, 0)
	}
}

// unsubscribe removes l from the subscribers of a room.
func (s *Logs) unsubscribe(l *Log, room string) {
	left := slices.DeleteFunc(s.subscribers[room], func(sub *subscription) bool { return sub.log == l })
	if len(left) == 0 {
		delete(s.subscribers, room)
	} else {
		s.subscribers[room] = left
	}
}

// push adds a message and keeps the last of them.
func (r *room) push(m *protocol.Message, history int) hub.Entry {
	r.top++
	e := hub.Entry{At: hub.Position{Epoch: r.epoch, Offset: r.top}, Message: m}
	r.entries = append(r.entries, e)
	for len(r.entries)-r.start > history {
		r.entries[r.start] = hub.Entry{}
		r.start++
	}
	if r.start > history { // moved once in as many pushes
		n := copy(r.entries, r.entries[r.start:])
		clear(r.entries[n:])
		r.entries, r.start = r.entries[:n], 0
	}
	return e
}

// remember notes a key.
func (r *room) remember(key keyHash, offset uint64, until time.Duration) {
	r.keys[key] = offset
	r.forget = append(r.forget, expiringKey{key, until})
}

// expireKeys forgets the keys whose time has come.
func (r *room) expireKeys(now time.Duration) {
	n := 0
	for n < len(r.forget) && r.forget[n].at <= now {
		delete(r.keys, r.forget[n].keyHash)
		n++
	}
	r.forget = r.forget[n:]
	if len(r.forget) == 0 {
		r.forget = nil
	}
}

// maxPageBytes is where a page ends, but for one message: as much as a page from Redis holds.
const maxPageBytes = 256 << 10

// page reads what follows after.
func (r *room) page(after hub.Position, limit int) hub.LogPage {
	kept := r.entries[r.start:]
	before := r.top - uint64(len(kept)) // the offset before the oldest entry kept
	p := hub.LogPage{
		Status: hub.LogRead, Epoch: r.epoch, Top: r.top, Forks: hub.Forks{{Epoch: r.epoch, Start: 1}},
	}
	switch {
	case after.Epoch == "":
		p.Status = hub.LogTop
		return p
	case after.Epoch != r.epoch || after.Offset > r.top || after.Offset < before:
		p.Status, p.Before = hub.LogReset, before
		return p
	}
	following := kept[after.Offset-before:]
	n, size := 0, 0
	for n < min(len(following), limit) && size < maxPageBytes {
		size += len(following[n].Message.Data)
		n++
	}
	p.Entries = slices.Clone(following[:n])
	return p
}

// expiring is the rooms in the order in which expire has to look at them: a heap.Interface.
type expiring []*room

func (e expiring) Len() int           { return len(e) }
func (e expiring) Less(i, j int) bool { return e[i].due.Before(e[j].due) }
func (e expiring) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = i, j
}

// Push is for heap.Push.
func (e *expiring) Push(r any) {
	r.(*room).place = len(*e)
	*e = append(*e, r.(*room))
}

// Pop is for heap.Pop.
func (e *expiring) Pop() any {
	last := len(*e) - 1
	r := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return r
}
