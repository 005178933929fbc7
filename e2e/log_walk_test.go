package e2e

import (
	"maps"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// walk goes through the record of one client, and notes what a client that keeps to docs/protocol.md has on its screen.
type walk struct {
	*logChecker
	r     *record
	at    int // of the event
	id    string
	mine  map[string]bool // keys of messages that were made under this id
	rooms map[string]*view
	put   map[string]*view
	told  map[string]protocol.Position // by the key of a message of its own: where it was acknowledged

	// of this connection
	greeted  bool
	joins    map[string]*joinedRoom
	attempts map[string]int // by key, over all connections
}

// joinedRoom is a room on one connection.
type joinedRoom struct {
	again      bool // it was left before
	there      bool
	subscribed bool
	full       bool            // takes nothing without a position
	showed     map[string]bool // ids that came without a position
	past       int             // messages of history so far
	pastAt     uint64          // the last one's offset
}

// view is what a client has of a room.
type view struct {
	joined bool // once
	known  bool // it has a cursor
	cursor protocol.Position
	stream []entry                      // since the last reset
	screen map[string]protocol.Position // by id; zero without a position
	shown  map[string]hidden            // ids on the screen that have none
	owed   []owed                       // what came and was not handed to the program yet
}

// owed is a message that the program is to get.
type owed struct{ id, text string }

// entry is one of the stream.
type entry struct {
	at protocol.Position
	id string
}

// hidden says whether a reset came since an id was shown, and where it led: the id's position may lie before it.
type hidden struct {
	reset bool
	by    uint64
}

func newWalk(k *logChecker, r *record) *walk {
	return &walk{logChecker: k, r: r, mine: map[string]bool{}, rooms: map[string]*view{}, told: map[string]protocol.Position{}, attempts: map[string]int{}}
}

func (w *walk) view(room string) *view {
	if w.rooms[room] == nil {
		w.rooms[room] = &view{screen: map[string]protocol.Position{}, shown: map[string]hidden{}}
	}
	return w.rooms[room]
}

func (v *view) clone() *view {
	c := *v
	c.stream, c.screen, c.shown = slices.Clone(v.stream), maps.Clone(v.screen), maps.Clone(v.shown)
	return &c
}

// fail notes a violation that this client saw, with what it did and saw just before.
func (w *walk) fail(format string, args ...any) {
	var before []string
	for _, e := range w.r.events[max(0, w.at-3):min(w.at+1, len(w.r.events))] {
		before = append(before, e.String())
	}
	name, why, _ := strings.Cut(format, ": ")
	args = append([]any{w.r.name}, args...)
	args = append(args, strings.Join(before, "\n\t"))
	w.logChecker.fail(name+": %s: "+why+"\n\t%s", args...)
}

func (w *walk) step(e event) {
	switch e.what {
	case opened:
		w.greeted, w.joins = false, map[string]*joinedRoom{}
	case closed:
		w.joins = nil
		if strings.Contains(e.where, "closed with 45") {
			w.fail("order: %s", e.where)
		}
	case made:
		w.mine[e.frame.Key] = true
	case sent:
		switch e.frame.Type {
		case protocol.TypeJoin:
			w.view(e.frame.Room).joined = true
			j := &joinedRoom{full: e.frame.Provisional != nil && !*e.frame.Provisional, showed: map[string]bool{}}
			if before := w.joins[e.frame.Room]; before != nil {
				j.again, j.showed = true, before.showed
			}
			w.joins[e.frame.Room] = j
		case protocol.TypePublish:
			w.attempts[e.frame.Key]++
		}
	case saved:
		w.put = map[string]*view{}
		for room, v := range w.rooms {
			w.put[room] = v.clone()
		}
	case rewound:
		w.rooms = map[string]*view{}
		for room, v := range w.put {
			w.rooms[room] = v.clone()
		}
	case got:
		w.take(e.frame)
	case gave:
		w.given(e.frame)
	}
}

// given looks at what the client handed to the program: each message of others that came, once and in the order in which
// they came, and where a message of its own stands.
func (w *walk) given(f *protocol.Frame) {
	if f.Type == protocol.TypeAck {
		if at := w.told[f.Key]; f.Position != "" && at.String() != f.Position {
			w.fail("I6: the program was told that %s is at %s, and the hub said %v", f.Key, f.Position, at)
		}
		return
	}
	v, is := w.view(f.Room), owed{f.ID, textIn(f)}
	if len(v.owed) == 0 || v.owed[0] != is {
		w.fail("I3: the program was given %v, and is owed %v", is, v.owed[:min(len(v.owed), 3)])
		return
	}
	v.owed = v.owed[1:]
}

// take looks at a frame of the hub.
func (w *walk) take(f *protocol.Frame) {
	switch f.Type {
	case protocol.TypeWelcome:
		w.welcome(f.Client.ID)
		return
	case protocol.TypeStatus, protocol.TypePong, protocol.TypeBye, protocol.TypeJoined, protocol.TypeLeft, protocol.TypeUpdated:
		return
	}
	if !w.greeted {
		w.fail("order: a frame before welcome")
	}
	at, err := protocol.ParsePosition(f.Position)
	if f.Position != "" && err != nil {
		w.fail("order: the position %q: %v", f.Position, err)
		return
	}
	switch f.Type {
	case protocol.TypeAck:
		w.ack(f, at)
		return
	case protocol.TypeError:
		w.refused(f)
		return
	}
	j, v := w.joins[f.Room], w.view(f.Room)
	switch {
	case j == nil:
		w.fail("I9: a frame of the room %s, which it did not join over this connection", f.Room)
		return
	case f.Type == protocol.TypeThere:
		if j.there = true; f.Log == nil || !*f.Log {
			w.fail("order: %s is not a log room", f.Room)
		}
		return
	case !j.there && j.again:
		return // it was on its way when the client left
	case !j.there:
		w.fail("order: a frame of the room %s before there", f.Room)
	}
	switch f.Type {
	case protocol.TypeSubscribed:
		w.subscribed(j, v, at)
	case protocol.TypeMessage:
		w.message(j, v, f, at)
	case protocol.TypeOrphans:
		w.orphans(v, f, at)
	case protocol.TypeReset:
		w.reset(v, f.Room, at)
	case protocol.TypeHistory:
		if f.Count == nil || *f.Count != j.past {
			w.fail("order: history ends after %d messages", j.past)
		}
	default:
		w.fail("order: a frame of type %s", f.Type)
	}
}

// welcome says who the client is. Another than before knows nothing, and what it made may be lost.
func (w *walk) welcome(id string) {
	if w.id != "" && w.id != id {
		if w.lost.IsZero() {
			w.fail("I11: it was %s and is %s now", w.id, id)
		}
		for key := range w.mine {
			a := w.keys[w.r.name][key]
			a.void = !a.acked
		}
		w.rooms, w.put, w.mine = map[string]*view{}, nil, map[string]bool{}
	}
	w.id, w.greeted = id, true
}

// own reports whether a message is the client's own, under the id that it has now.
func (w *walk) own(a *authored) bool { return a.client == w.r.name && w.mine[a.key] }

// end looks at what is left: the client is at the end of the log, and all that it was shown is there.
func (w *walk) end() {
	w.at = len(w.r.events)
	for room, v := range w.rooms {
		switch {
		case v.known:
			w.endOf(room, v)
		case v.joined:
			w.fail("I4: it joined %s and never got a cursor", room)
		}
	}
}

func (w *walk) endOf(room string, v *view) {
	if w.r.gives && len(v.owed) > 0 {
		w.fail("I4: the program was never given %v of %s, and %d more", v.owed[0], room, len(v.owed)-1)
	}
	top := uint64(len(w.logs[room]))
	if v.cursor.Offset != top {
		w.fail("I4: it is at %v of %s at the end, and the log at %d", v.cursor, room, top)
	}
	for _, e := range v.stream {
		if s, ok := w.index[room][e.at.Offset]; !ok || s.at != e.at || s.id != e.id {
			w.fail("I4: it has %s at %v of %s, where the log has %q at %v, and was not told", e.id, e.at, room, s.id, s.at)
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.shown)) {
		h := v.shown[id]
		where, ok := w.ids[room][id]
		if h.reset && (!ok || where.Offset <= h.by) {
			continue // a reset hides what became of it
		}
		if !ok && w.mayBeLost(id) {
			continue // its position was lost before it came
		}
		w.fail("I4: it shows %s without a position; in the log it is at %v", id, where)
	}
}

// mayBeLost reports whether a message was made before Redis had lost what it was made to lose.
func (w *walk) mayBeLost(id string) bool {
	for _, a := range w.authors {
		if a.id == id {
			return a.made.Before(w.lost)
		}
	}
	return false
}
