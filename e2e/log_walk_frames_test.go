package e2e

import (
	"maps"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// entry takes the next of the stream: it follows the cursor.
func (w *walk) entry(v *view, room string, at protocol.Position, id string) {
	w.give(w.r.name, room, at, id)
	switch {
	case !v.known:
		w.fail("I2: %v before it has a cursor", at)
	case at.Offset <= v.cursor.Offset:
		w.fail("I3: the position %v again, or out of order, behind %v", at, v.cursor)
		return
	case at.Offset != v.cursor.Offset+1:
		w.fail("I2: %v follows %v", at, v.cursor)
	}
	v.cursor = at
	v.stream = append(v.stream, entry{at, id})
	v.screen[id] = at
	delete(v.shown, id)
}

// message looks at a message that came whole.
func (w *walk) message(j *joinedRoom, v *view, f *protocol.Frame, at protocol.Position) {
	text, from := textIn(f), ""
	if f.From != nil {
		from = f.From.ID
	}
	a := w.know(w.r.name, f.Room, f.ID, text, from)
	if a == nil {
		return
	}
	if f.Past {
		w.past(j, v, f, at)
		return
	}
	was, onScreen := v.screen[f.ID]
	_, shown := v.shown[f.ID]
	if w.own(a) {
		w.fail("I11: its own message %s came whole", f.ID)
	}
	switch {
	case !at.IsZero():
		if !onScreen {
			v.owed = append(v.owed, owed{f.ID, text})
		}
		if onScreen && !shown {
			w.fail("I3: %s came a second time, at %v; it has it at %v", f.ID, at, was)
		}
		w.entry(v, f.Room, at, f.ID)
	case f.Scope != protocol.ScopeHub:
		w.fail("I1: %s has neither a position nor the scope hub", f.ID)
	case j.full:
		w.fail("I8: %s came without a position, which it does not take", f.ID)
	case onScreen && !shown:
		w.fail("I3: %s came without a position, and it has it at %v", f.ID, was)
	case j.showed[f.ID]:
		w.fail("I3: %s came without a position twice over one connection", f.ID)
	case onScreen: // over another connection: the client leaves it out
		j.showed[f.ID] = true
	default:
		j.showed[f.ID] = true
		v.screen[f.ID], v.shown[f.ID] = protocol.Position{}, hidden{}
		v.owed = append(v.owed, owed{f.ID, text})
	}
}

// past looks at a message of the history: at or behind the cursor, in order.
func (w *walk) past(j *joinedRoom, v *view, f *protocol.Frame, at protocol.Position) {
	w.give(w.r.name, f.Room, at, f.ID)
	switch {
	case !j.subscribed:
		w.fail("order: history before subscribed")
	case at.Offset > v.cursor.Offset:
		w.fail("I2: history has %v beyond the cursor %v", at, v.cursor)
	case j.past > 0 && at.Offset != j.pastAt+1:
		w.fail("I2: history has %v behind %d", at, j.pastAt)
	}
	j.past++
	j.pastAt = at.Offset
	if v.screen[f.ID].IsZero() {
		v.screen[f.ID] = at
		delete(v.shown, f.ID)
	}
}

// ack looks at what is said of a message without itself.
func (w *walk) ack(f *protocol.Frame, at protocol.Position) {
	v := w.view(f.Room)
	switch {
	case f.ID == "":
		w.fail("I4: a position without an id")
		return
	case f.Scope == protocol.ScopeHub && at.IsZero():
	case f.Scope != protocol.ScopeCluster || at.IsZero():
		w.fail("I6: an ack of scope %s with the position %q", f.Scope, f.Position)
		return
	}
	if f.Key == "" {
		w.position(v, f, at)
		return
	}
	a := w.keys[w.r.name][f.Key]
	if a == nil || !w.mine[f.Key] || a.room != f.Room {
		w.fail("I6: an ack of the key %s, which it did not publish in %s", f.Key, f.Room)
		return
	}
	w.know(w.r.name, f.Room, f.ID, a.text, a.sender)
	if at.IsZero() {
		return
	}
	w.acked(a, at)
	w.told[f.Key] = at
	w.give(w.r.name, f.Room, at, f.ID)
	if j := w.joins[f.Room]; j != nil && j.there && v.known && at.Offset > v.cursor.Offset {
		w.entry(v, f.Room, at, f.ID)
	}
}

// position is that of a message that the client holds.
func (w *walk) position(v *view, f *protocol.Frame, at protocol.Position) {
	j := w.joins[f.Room]
	if j == nil {
		w.fail("I9: a position in the room %s, which it did not join over this connection", f.Room)
		return
	}
	_, onScreen := v.screen[f.ID]
	if j.again && !j.there && (!onScreen || at.Offset > v.cursor.Offset) {
		return // it was on its way when the client left, and comes again
	}
	if !onScreen {
		w.fail("I4: the position %v alone of %s, which it was not shown", at, f.ID)
	}
	if at.IsZero() {
		w.fail("I1: an ack of another's message without a position")
		return
	}
	if at.Offset > v.cursor.Offset {
		w.entry(v, f.Room, at, f.ID)
		return
	}
	w.give(w.r.name, f.Room, at, f.ID)
	v.screen[f.ID] = at
	delete(v.shown, f.ID)
}

// subscribed says that the client has all up to its cursor.
func (w *walk) subscribed(j *joinedRoom, v *view, at protocol.Position) {
	switch {
	case at.IsZero():
		w.fail("order: subscribed without a position")
	case j.subscribed:
		w.fail("order: subscribed twice over one connection")
	case v.known && at.Offset != v.cursor.Offset:
		w.fail("I4: it is at %v and subscribed at %v", v.cursor, at)
	}
	j.subscribed = true
	v.known, v.cursor = true, at
}

// orphans sets the client back.
func (w *walk) orphans(v *view, f *protocol.Frame, at protocol.Position) {
	if w.lost.IsZero() {
		w.fail("I4: orphans where nothing was lost")
	}
	if !v.known || at.Offset >= v.cursor.Offset || f.Count == nil || uint64(*f.Count) != v.cursor.Offset-at.Offset {
		w.fail("I4: orphans after %v and is at %v", at, v.cursor)
		return
	}
	for len(v.stream) > 0 {
		last := v.stream[len(v.stream)-1]
		if last.at.Offset <= at.Offset {
			break
		}
		if w.index[f.Room][last.at.Offset].at == last.at {
			w.fail("I4: %s at %v is told to be lost, and is in the log", last.id, last.at)
		}
		v.stream = v.stream[:len(v.stream)-1]
	}
	maps.DeleteFunc(v.screen, func(_ string, had protocol.Position) bool { return had.Offset > at.Offset })
	v.cursor = at
}

// reset has the client begin anew: what has a position may come again.
func (w *walk) reset(v *view, room string, at protocol.Position) {
	if w.lost.IsZero() {
		w.fail("I4: a reset in %s where nothing was lost", room)
	}
	if at.IsZero() {
		w.fail("order: a reset without a position")
	}
	maps.DeleteFunc(v.screen, func(_ string, had protocol.Position) bool { return !had.IsZero() })
	for id := range v.shown {
		v.shown[id] = hidden{true, at.Offset}
	}
	v.stream, v.known, v.cursor = nil, true, at
}

// refused looks at an error: what may be stored stays in the outbox.
func (w *walk) refused(f *protocol.Frame) {
	switch f.Code {
	case protocol.ErrUnknown, protocol.ErrOutboxFull:
	case protocol.ErrRefused:
		if a := w.keys[w.r.name][f.Key]; a != nil && w.attempts[f.Key] == 1 {
			a.void = true
		}
	default:
		w.fail("order: the error %s", f.Code)
	}
}
