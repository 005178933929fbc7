package hub

import (
	"slices"
	"sync"
)

// turns has the rooms that a session resumes in, or wants the history of, begin one after the other. What one of them has
// to send is bounded by a portion of the session's queue; a hundred at once would fill it, and the client would be closed
// as too slow, come back, and be closed again.
type turns struct {
	mu   sync.Mutex
	now  *subscription // whose turn it is; guarded by mu
	next []turn        // guarded by mu
}

// turn is a room that waits to begin.
type turn struct {
	sub *subscription
	joining
}

// take reports whether sub may begin now. Otherwise its turn comes later.
func (t *turns) take(sub *subscription, j joining) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != nil && t.now != sub {
		t.next = append(t.next, turn{sub, j})
		return false
	}
	t.now = sub
	return true
}

// end ends the turn of sub, or its waiting, and returns whose turn it is now, if that is another.
func (t *turns) end(sub *subscription) (next turn, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != sub {
		t.next = slices.DeleteFunc(t.next, func(waits turn) bool { return waits.sub == sub })
		return turn{}, false
	}
	t.now = nil
	if len(t.next) == 0 {
		return turn{}, false
	}
	next, t.next = t.next[0], t.next[1:]
	t.now = next.sub
	return next, true
}

// endTurn has the next room of the session begin. The caller holds no lock.
func (h *Hub) endTurn(sub *subscription) {
	if sub.session.dialog == nil {
		return // a plain session neither resumes nor asks for history
	}
	for {
		next, ok := sub.session.dialog.turns.end(sub)
		if !ok {
			return
		}
		st := h.stripe(next.sub.room)
		st.mu.Lock()
		r := st.rooms[next.sub.room]
		there := next.sub.index >= 0
		if there {
			h.beginLog(st, r, next.sub, next.joining)
		}
		st.mu.Unlock()
		if there {
			return
		}
		sub = next.sub // it left meanwhile
	}
}
