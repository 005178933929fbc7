package logroom

import (
	"maps"
	"slices"
)

// marks remembers which messages were shown without a position, and to whom. The oldest are forgotten first: a session
// then gets the message whole, and its client filters it by the id. A new connection holds nothing that another of the
// same client was shown, as subscribers are compared, not clients.
//
// In a large room nearly all are shown a message, so that is one mark, not one for each of them.
type marks struct {
	of    map[string]*mark // by id of the message
	ids   []string         // the keys of of, oldest first
	pairs int              // single subscribers that marks name
}

// mark is to whom a message was shown.
type mark struct {
	all       uint64                   // to all who had joined by then, by their number, but its publisher; 0 for not so
	publisher string                   // of the message
	some      []*subscriber            // and to these
	except    map[*subscriber]struct{} // but these know its position by now
}

// maxPairs bounds what marks name of single subscribers.
const maxPairs = 1 << 16

// holds reports whether s was shown the message of m.
func (m *mark) holds(s *subscriber) bool {
	if m == nil {
		return false
	}
	if _, settled := m.except[s]; settled {
		return false
	}
	return m.all > 0 && s.number <= m.all && s.publisher != m.publisher || slices.Contains(m.some, s)
}

func (m *mark) pairs() int { return len(m.some) + len(m.except) }

// put notes to whom a message was shown, and keeps to limit messages.
func (m *marks) put(id string, k *mark, limit int) {
	if m.of == nil {
		m.of = make(map[string]*mark)
	}
	if old := m.of[id]; old == nil {
		m.ids = append(m.ids, id)
	} else {
		m.name(old, -1)
	}
	m.of[id] = k
	m.name(k, 1)
	m.bound(limit)
}

// name counts, or no longer counts, the subscribers that k names.
func (m *marks) name(k *mark, n int) {
	m.pairs += n * k.pairs()
	for _, s := range k.some {
		s.named += n
	}
	for s := range k.except {
		s.named += n
	}
}

// bound forgets the oldest where there is too much.
func (m *marks) bound(limit int) {
	for len(m.ids) > limit || m.pairs > maxPairs && len(m.ids) > 1 {
		m.drop(m.ids[0])
	}
}

// settle notes that s knows the position of a message.
func (m *marks) settle(id string, s *subscriber) {
	k := m.of[id]
	if !k.holds(s) {
		return
	}
	if i := slices.Index(k.some, s); i >= 0 {
		k.some = slices.Delete(k.some, i, i+1)
		m.pairs--
		s.named--
	}
	if k.all > 0 {
		if k.except == nil {
			k.except = make(map[*subscriber]struct{})
		}
		k.except[s] = struct{}{}
		m.pairs++
		s.named++
	}
}

// forget lets go of a subscriber that has left: its session holds a connection.
func (m *marks) forget(s *subscriber) {
	for _, k := range m.of {
		if s.named == 0 {
			return
		}
		before := k.pairs()
		k.some = slices.DeleteFunc(k.some, func(other *subscriber) bool { return other == s })
		delete(k.except, s)
		s.named -= before - k.pairs()
		m.pairs -= before - k.pairs()
	}
}

// drop forgets a message.
func (m *marks) drop(id string) {
	k := m.of[id]
	if k == nil {
		return
	}
	delete(m.of, id)
	m.name(k, -1)
	if i := slices.Index(m.ids, id); i == 0 { // as a rule: positions come in order
		m.ids[0] = ""
		m.ids = m.ids[1:]
	} else {
		m.ids = slices.Delete(m.ids, i, i+1)
	}
}

// mark notes that a message is shown to these subscribers, who hold it not yet.
func (r *Room) mark(id, publisher string, to []*subscriber) {
	old := r.marks.of[id]
	k := &mark{publisher: publisher}
	others := len(r.subs)
	if r.publisher[publisher] != nil {
		others--
	}
	switch {
	case old == nil && len(to) == others:
		k.all = r.joined
	case old == nil:
		k.some = to
	default:
		k.all, k.some, k.except = old.all, slices.Concat(old.some, to), maps.Clone(old.except)
		for _, s := range to {
			delete(k.except, s)
		}
	}
	r.marks.put(id, k, r.limitMarks())
}

// takeHolders returns those that are live and hold the message, which they are about to be told the position of. The
// mark of others stays.
func (r *Room) takeHolders(id string) (holders []*subscriber) {
	k := r.marks.of[id]
	if k == nil {
		return nil
	}
	var behind []*subscriber
	take := func(s *subscriber) {
		switch {
		case !k.holds(s):
		case s.state == live:
			holders = append(holders, s)
		default:
			behind = append(behind, s)
		}
	}
	if k.all > 0 {
		for _, s := range r.subs {
			take(s)
		}
	} else {
		for _, s := range k.some {
			take(s)
		}
	}
	if len(behind) == 0 {
		r.marks.drop(id)
	} else {
		r.marks.put(id, &mark{publisher: k.publisher, some: behind}, r.limitMarks())
	}
	return holders
}
