package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// logChecker judges what clients of log rooms recorded, by the rooms' logs as they were read at the end, when all had
// come to rest. It knows the invariants of docs/adr/0008-log-rooms.md and nothing of what clients or hubs made of frames.
type logChecker struct {
	logs map[string][]stored // by room, oldest first, from the first entry on

	// lost is when it was sure that Redis had lost what it was made to lose; zero where it lost nothing. What was made
	// later must be in the log, and before it may be missing where it is told.
	lost time.Time

	records []*record

	// found by prepare
	authors map[string]*authored                    // by text
	keys    map[string]map[string]*authored         // by the client's name and key
	index   map[string]map[uint64]stored            // by room and offset
	ids     map[string]map[string]protocol.Position // by room and id, where the log has it
	given   map[entryKey]told                       // each position that anybody was told
	wrong   []string
}

// authored is a message that a client made.
type authored struct {
	client, room, key, text string
	sender                  string // the client's id; "" where it never had one
	made                    time.Time
	id                      string // as the hubs say; "" as long as nobody did
	acked                   bool
	void                    bool // its author became another client before it was stored, or it was refused
}

type entryKey struct {
	room string
	at   protocol.Position
}

// told is what stands at a position, and who was told so first.
type told struct{ id, by string }

// fail notes a violation of an invariant.
func (k *logChecker) fail(format string, args ...any) {
	k.wrong = append(k.wrong, fmt.Sprintf(format, args...))
}

// violations returns what is wrong, in words that begin with the invariant.
func (k *logChecker) violations() []string {
	k.prepare()
	for _, room := range slices.Sorted(maps.Keys(k.logs)) {
		k.checkLog(room)
	}
	for _, r := range k.records {
		w := newWalk(k, r)
		for i, e := range r.events {
			w.at = i
			w.step(e)
		}
		w.end()
	}
	k.checkStored()
	if k.lost.IsZero() {
		k.checkGiven()
	}
	return k.wrong
}

// check fails the test where something is wrong, and shows what the client saw around it.
func (k *logChecker) check(tb testing.TB) {
	tb.Helper()
	wrong := k.violations()
	for _, w := range wrong[:min(len(wrong), 10)] {
		tb.Error(w)
	}
	if len(wrong) > 10 {
		tb.Errorf("and %d more", len(wrong)-10)
	}
	if len(wrong) > 0 {
		k.keep(tb)
	}
}

// keep writes all records to a file.
func (k *logChecker) keep(tb testing.TB) {
	tb.Helper()
	file, err := os.CreateTemp("", "records-*.txt")
	if err != nil {
		tb.Error(err)
		return
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	for _, r := range k.records {
		for _, e := range r.events {
			fmt.Fprintln(out, r.name, e)
		}
	}
	for room, log := range k.logs {
		for _, s := range log {
			fmt.Fprintln(out, "log of", room, s)
		}
	}
	if err := out.Flush(); err != nil {
		tb.Error(err)
	}
	tb.Logf("all records are in %s", file.Name())
}

// prepare collects what was made, and what the logs have.
func (k *logChecker) prepare() {
	k.authors, k.keys = map[string]*authored{}, map[string]map[string]*authored{}
	k.index, k.ids = map[string]map[uint64]stored{}, map[string]map[string]protocol.Position{}
	k.given = map[entryKey]told{}
	for _, r := range k.records {
		k.keys[r.name] = map[string]*authored{}
		id := ""
		var waiting []*authored // made before the client had an id
		for _, e := range r.events {
			switch {
			case e.what == got && e.frame.Type == protocol.TypeWelcome:
				id = e.frame.Client.ID
				for _, a := range waiting {
					a.sender = id
				}
				waiting = nil
			case e.what == made:
				a := &authored{client: r.name, room: e.frame.Room, key: e.frame.Key, text: textIn(e.frame), sender: id, made: e.at}
				k.authors[a.text], k.keys[r.name][a.key] = a, a
				if id == "" {
					waiting = append(waiting, a)
				}
			}
		}
	}
	for room, log := range k.logs {
		k.index[room], k.ids[room] = map[uint64]stored{}, map[string]protocol.Position{}
		for _, s := range log {
			k.index[room][s.at.Offset] = s
			if _, ok := k.ids[room][s.id]; ok {
				k.fail("I6: the log of %s has %s twice", room, s.id)
			}
			k.ids[room][s.id] = s.at
		}
	}
}

// checkLog looks at a log by itself: it has no hole, its epochs do not come back, and each entry was published once, in
// this room.
func (k *logChecker) checkLog(room string) {
	epochs, texts := map[string]bool{}, map[string]bool{}
	for i, s := range k.logs[room] {
		by := "the log of " + room
		if want := uint64(i) + 1; s.at.Offset != want {
			k.fail("I2: %s has %v where %d was to come", by, s.at, want)
			return
		}
		if i == 0 || k.logs[room][i-1].at.Epoch != s.at.Epoch {
			if epochs[s.at.Epoch] {
				k.fail("I5: %s goes back to epoch %s at %v", by, s.at.Epoch, s.at)
			}
			epochs[s.at.Epoch] = true
		}
		if texts[s.text] {
			k.fail("I6: %s has %q twice", by, s.text)
		}
		texts[s.text] = true
		k.give(by, room, s.at, s.id)
		k.know(by, room, s.id, s.text, s.from)
	}
}

// give notes that by was told that id is at a position: everybody is told the same.
func (k *logChecker) give(by, room string, at protocol.Position, id string) {
	key := entryKey{room, at}
	first, ok := k.given[key]
	if !ok {
		k.given[key] = told{id, by}
		return
	}
	if first.id != id {
		k.fail("I5: %v of %s is %s for %s and %s for %s", at, room, id, by, first.id, first.by)
	}
}

// know checks that a message is one that somebody made, in this room, under one id, and returns it.
func (k *logChecker) know(by, room, id, text, from string) *authored {
	a := k.authors[text]
	switch {
	case a == nil || a.room != room:
		k.fail("I1: %s has %q in %s, which nobody published", by, text, room)
		return nil
	case a.id == "":
		a.id = id
	case a.id != id:
		k.fail("I1: %s has %q as %s, and it was %s before", by, text, id, a.id)
	}
	if from != a.sender && a.sender != "" {
		k.fail("I1: %s has %q of %s from the sender %s", by, text, a.sender, from)
	}
	return a
}

// acked notes that a client was told that its message is stored.
func (k *logChecker) acked(a *authored, at protocol.Position) {
	a.acked = true
	log := k.logs[a.room]
	where, ok := k.ids[a.room][a.id]
	switch {
	case k.lost.IsZero() && !ok:
		k.fail("I6: %q was acknowledged at %v, and is not in the log", a.text, at)
	case k.lost.IsZero() && where != at:
		k.fail("I6: %q was acknowledged at %v, and the log has it at %v", a.text, at, where)
	case len(log) > 0 && at.Epoch == log[len(log)-1].at.Epoch && where != at:
		k.fail("I6: %q was acknowledged at %v, in the newest epoch, and the log has it at %v", a.text, at, where)
	case !ok && a.made.After(k.lost):
		k.fail("I6: %q was made after the loss and acknowledged at %v, and is not in the log", a.text, at)
	}
}

// checkStored looks for messages that were never acknowledged, though all outboxes are empty.
func (k *logChecker) checkStored() {
	for _, text := range slices.Sorted(maps.Keys(k.authors)) {
		if a := k.authors[text]; !a.acked && !a.void {
			k.fail("I6: %q was never acknowledged", text)
		}
	}
}

// checkGiven compares every position that anybody was told with logs that lost nothing.
func (k *logChecker) checkGiven() {
	for key, g := range k.given {
		if s, ok := k.index[key.room][key.at.Offset]; !ok || s.at != key.at || s.id != g.id {
			k.fail("I6: %s was told of %s at %v of %s, where the log has %s at %v", g.by, g.id, key.at, key.room, s.id, s.at)
		}
	}
}

// textIn returns the text that a frame carries, or what it carries instead.
func textIn(f *protocol.Frame) string {
	var text string
	if err := json.Unmarshal(f.Data, &text); err != nil {
		return strings.ToValidUTF8(string(f.Data), "?")
	}
	return text
}
