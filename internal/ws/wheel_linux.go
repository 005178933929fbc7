package ws

import "time"

// wheel knows when each connection is to be looked at, to within a tick, with no timer for each: a connection stands in
// the slot of the tick in which its time comes. One whose time is farther away than there are slots is looked at before,
// and placed again. It is owned by a loop.
type wheel struct {
	every time.Duration // a tick; immutable
	slots [256][]*conn
	tick  int // the last that has passed
}

// spot is where in the wheel a connection stands.
type spot struct {
	slot  int32 // one more than the slot's index; 0 for none
	index int32
}

// place has advance call due for c once at has come.
func (w *wheel) place(c *conn, at time.Duration) {
	w.remove(c)
	ticks := int((at+w.every-1)/w.every) - w.tick
	slot := (w.tick + min(max(ticks, 1), len(w.slots)-1)) % len(w.slots)
	c.engine.spot = spot{int32(slot) + 1, int32(len(w.slots[slot]))}
	w.slots[slot] = append(w.slots[slot], c)
}

// remove takes c out.
func (w *wheel) remove(c *conn) {
	s := &c.engine.spot
	if s.slot == 0 {
		return
	}
	slot := w.slots[s.slot-1]
	last := len(slot) - 1
	slot[s.index] = slot[last]
	slot[s.index].engine.spot.index = s.index
	slot[last] = nil
	w.slots[s.slot-1] = slot[:last]
	if last == 0 && cap(slot) > 64 {
		w.slots[s.slot-1] = nil
	}
	s.slot = 0
}

// advance calls due for all whose tick has come. It may place them anew, and remove others.
func (w *wheel) advance(now time.Duration, due func(*conn)) {
	for target := int(now / w.every); w.tick < target; {
		w.tick++
		slot := w.tick % len(w.slots)
		come := w.slots[slot]
		w.slots[slot] = nil
		for _, c := range come {
			c.engine.spot.slot = 0
		}
		for _, c := range come {
			due(c)
		}
	}
}
