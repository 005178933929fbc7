package logroom_test

import (
	"fmt"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// truth is what the checker knows and no hub: every entry that ever was in any log, and from which log each epoch
// went on.
type truth struct {
	w       *world
	entries map[place]string // the id at each place
	epochs  map[string]line
}

type place struct {
	room int
	at   logroom.Position
}

// line is where an epoch comes from: all epochs before it and it, however long the list.
type line struct {
	room  int
	forks logroom.Forks
}

func newTruth(w *world) *truth {
	return &truth{w: w, entries: map[place]string{}, epochs: map[string]line{}}
}

// begin notes a new epoch.
func (t *truth) begin(room int, epoch, parent string, start uint64) {
	if _, ok := t.epochs[epoch]; ok {
		t.w.fail("I5", "epoch %s begins twice", epoch)
		return
	}
	forks := append(logroom.Forks(nil), t.epochs[parent].forks...)
	t.epochs[epoch] = line{room, append(forks, logroom.Fork{Epoch: epoch, Start: start})}
	t.w.trace("redis: room %d begins epoch %s at %d", room, epoch, start)
}

// store notes a new entry. A place is given out once, and a log has a message once.
func (t *truth) store(room int, l *log, e logroom.Entry) {
	p, id := place{room, e.At}, e.Message.ID
	if other, ok := t.entries[p]; ok {
		t.w.fail("I5", "room %d: %v is given to %s and was given to %s", room, e.At, id, other)
	}
	t.entries[p] = id
	if at, ok := l.ids[id]; ok {
		t.w.fail("I6", "room %d: %s is stored at %v, and is at %d already", room, id, e.At, at)
	}
	l.ids[id] = e.At.Offset
	t.w.trace("redis: room %d stores %s at %v", room, id, e.At)
}

// known notes that a message is answered as stored before: it must be so.
func (t *truth) known(room int, l *log, at logroom.Position, id string) {
	if t.entries[place{room, at}] != id || !t.on(l.epoch, at) {
		t.w.fail("I6", "room %d: %s is answered as stored at %v, which the log of %s does not have", room, id, at, l.epoch)
	}
}

// on reports whether at lies on the log whose newest epoch is the one given, so that whoever is there lost nothing.
func (t *truth) on(epoch string, at logroom.Position) bool {
	forks := t.epochs[epoch].forks
	for i, f := range forks {
		if f.Epoch == at.Epoch {
			return i == len(forks)-1 || at.Offset < forks[i+1].Start
		}
	}
	return false
}

// same reports whether two positions are one place, whatever the epochs that they are named by.
func (t *truth) same(a, b logroom.Position) bool {
	return a.Offset == b.Offset && (t.on(a.Epoch, b) || t.on(b.Epoch, a))
}

// forked reports whether some log left that of at's epoch right after x.
func (t *truth) forked(at logroom.Position, x uint64) bool {
	for _, l := range t.epochs {
		for i, f := range l.forks[:len(l.forks)-1] {
			if f.Epoch == at.Epoch && l.forks[i+1].Start == x+1 {
				return true
			}
		}
	}
	return false
}

// check reports what is wrong with an entry that somebody got at from.
func (t *truth) check(room int, from logroom.Position, at logroom.Position, id string) error {
	if got, ok := t.entries[place{room, at}]; !ok || got != id {
		return fmt.Errorf("I1: %v is %q, not %q", at, got, id)
	}
	if at.Offset != from.Offset+1 {
		return fmt.Errorf("I2: %v follows %v", at, from)
	}
	if !t.on(at.Epoch, from) {
		return fmt.Errorf("I4: %v follows %v, which is lost, in silence", at, from)
	}
	return nil
}
