package logroom

import "slices"

// marks remembers to whose sessions which messages were shown without a position. The oldest messages are forgotten
// first: a session then gets the message whole, and its client filters it by the id.
type marks struct {
	of  map[string]map[string]struct{} // by id of the message, then by publisher of the session
	ids []string                       // the keys of of, oldest first
}

// add notes that the message was shown, and keeps to limit messages.
func (m *marks) add(id, publisher string, limit int) {
	if m.of == nil {
		m.of = make(map[string]map[string]struct{})
	}
	if m.of[id] == nil {
		m.of[id] = make(map[string]struct{})
		m.ids = append(m.ids, id)
	}
	m.of[id][publisher] = struct{}{}
	if len(m.ids) > limit {
		m.drop(m.ids[0])
	}
}

func (m *marks) held(id, publisher string) bool {
	_, ok := m.of[id][publisher]
	return ok
}

// holders returns the publishers of the sessions that were shown the message, in order.
func (m *marks) holders(id string) []string {
	if len(m.of[id]) == 0 {
		return nil
	}
	list := make([]string, 0, len(m.of[id]))
	for publisher := range m.of[id] {
		list = append(list, publisher)
	}
	slices.Sort(list) // so that the same events have the same effects
	return list
}

// forget notes that the session knows the message's position, or is gone.
func (m *marks) forget(id, publisher string) {
	if !m.held(id, publisher) {
		return
	}
	if delete(m.of[id], publisher); len(m.of[id]) == 0 {
		m.drop(id)
	}
}

// forgetAll forgets all that the session was shown.
func (m *marks) forgetAll(publisher string) {
	for i := len(m.ids) - 1; i >= 0; i-- { // from the end, as forget deletes there
		m.forget(m.ids[i], publisher)
	}
}

func (m *marks) drop(id string) {
	delete(m.of, id)
	if i := slices.Index(m.ids, id); i >= 0 {
		m.ids = slices.Delete(m.ids, i, i+1)
	}
}
