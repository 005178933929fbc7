package redis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// This file has how what hubs say to each other about people stands at Redis.

// changeID is the id of an entry of the stream of changes: milliseconds and a number.
type changeID struct{ ms, n uint64 }

func parseChangeID(text string) (id changeID, err error) {
	ms, n, found := strings.Cut(text, "-")
	if id.ms, err = strconv.ParseUint(ms, 10, 64); err == nil {
		id.n, err = strconv.ParseUint(n, 10, 64)
	}
	if err != nil || !found {
		return id, fmt.Errorf("%w: %q is no id of a stream", errReply, text)
	}
	return id, nil
}

func (id changeID) compare(other changeID) int {
	return cmp.Or(cmp.Compare(id.ms, other.ms), cmp.Compare(id.n, other.n))
}

// The kinds of what a hub says.
const (
	kindChanges = "c" // text: a list of roomChange
	kindClaims  = "x" // text: a list of clients
	kindReady   = "r" // text: the hub's name. All that it has can be read from now on
)

// said is an entry of the stream.
type said struct {
	id     changeID
	text   string // of id
	serial uint64 // counts up by one from entry to entry
	hub    string // who says it
	kind   string
	data   string
}

// roomChange is what changed in a room, as it stands in an entry.
type roomChange struct {
	Room   string   `json:"r"`
	Count  int      `json:"c"`
	Put    []person `json:"p,omitempty"`
	Remove []string `json:"l,omitempty"`
}

type person struct {
	ID    string `json:"i"`
	Name  string `json:"n,omitempty"`
	Since int64  `json:"t"`
}

// change is a roomChange for the receiver.
type change struct {
	id      changeID
	of      hub.HubID
	room    string
	changes []hub.PersonChange
	count   int
}

// encodeChanges returns what changed as it stands in an entry.
func encodeChanges(changes []roomChange) string {
	text, err := json.Marshal(changes)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(text)
}

// decodeChanges returns what e says. What cannot be read is nothing.
func decodeChanges(e said, of hub.HubID) []change {
	var rooms []roomChange
	if json.Unmarshal([]byte(e.data), &rooms) != nil {
		return nil
	}
	changes := make([]change, 0, len(rooms))
	for _, r := range rooms {
		c := change{id: e.id, of: of, room: r.Room, count: r.Count}
		for _, p := range r.Put {
			c.changes = append(c.changes, hub.PersonChange{Person: hub.Person(p)})
		}
		for _, id := range r.Remove {
			c.changes = append(c.changes, hub.PersonChange{Person: hub.Person{ID: id}, Left: true})
		}
		changes = append(changes, c)
	}
	return changes
}

// entryOf returns a person as it stands in the set of a room, which sorts it by the id.
func entryOf(p hub.Person) string {
	return p.ID + " " + strconv.FormatInt(p.Since, 10) + " " + p.Name
}

func parseEntry(text string) (p hub.Person, ok bool) {
	id, rest, found := strings.Cut(text, " ")
	since, name, found2 := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(since, 10, 64)
	return hub.Person{ID: id, Name: name, Since: n}, found && found2 && err == nil
}

func parsePeople(entries []string) []hub.Person {
	people := make([]hub.Person, 0, len(entries))
	for _, text := range entries {
		if p, ok := parseEntry(text); ok {
			people = append(people, p)
		}
	}
	return people
}

// The states of a registration.
const (
	stateComing = "coming" // what the hub has is being said
	stateReady  = "ready"
)

// registered is what hubs has of a registration.
type registered struct {
	hub.HubID
	beat  int64 // by Redis's clock, in ms
	state string
}

// stateOf returns what hubs has of a registration in this state, behind the time.
func stateOf(state string, of hub.HubID) string { return state + " " + of.ID + " " + of.Name }

func parseRegistered(value string) (r registered, ok bool) {
	beat, rest, found := strings.Cut(value, " ")
	state, rest, found2 := strings.Cut(rest, " ")
	id, name, found3 := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(beat, 10, 64)
	return registered{hub.HubID{ID: id, Name: name}, n, state}, found && found2 && found3 && err == nil
}

// parseSaid reads the entries that XREAD answers with.
func parseSaid(entries []rueidis.XRangeEntry) ([]said, error) {
	all := make([]said, 0, len(entries))
	for _, e := range entries {
		id, err := parseChangeID(e.ID)
		if err != nil {
			return nil, err
		}
		serial, err := strconv.ParseUint(e.FieldValues["n"], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: entry %s has no serial", errReply, e.ID)
		}
		all = append(all, said{
			id: id, text: e.ID, serial: serial, hub: e.FieldValues["h"], kind: e.FieldValues["k"], data: e.FieldValues["d"],
		})
	}
	return all, nil
}

// beatReply is what a beat is answered with.
type beatReply struct {
	there  bool // the registration is
	now    int64
	newest string
	serial uint64
	hubs   map[string]string
	at     time.Time // when it came, by this process's clock
}

func parseBeat(result rueidis.RedisResult) (r beatReply, err error) {
	parts, err := result.ToArray()
	if err != nil {
		return r, err
	}
	if len(parts) != 5 {
		return r, fmt.Errorf("%w: a beat has %d parts", errReply, len(parts))
	}
	there, err := parts[0].AsInt64()
	if err != nil {
		return r, err
	}
	r.there, r.at = there == 1, time.Now()
	if r.now, err = parts[1].AsInt64(); err != nil {
		return r, err
	}
	if r.newest, err = parts[2].ToString(); err != nil {
		return r, err
	}
	if r.serial, err = parts[3].AsUint64(); err != nil {
		return r, err
	}
	r.hubs, err = parts[4].AsStrMap()
	return r, err
}

// loadReply is what a load is answered with.
type loadReply struct {
	asked  []load
	newest changeID
	rooms  map[string][]share
}

// share is what a registration has in a room.
type share struct {
	registration string
	hub.Listed
}

func parseLoad(asked []load, own string, result rueidis.RedisResult) (r loadReply, err error) {
	r.asked, r.rooms = asked, make(map[string][]share, len(asked))
	parts, err := result.ToArray()
	if err != nil {
		return r, err
	}
	if len(parts) != 3 {
		return r, fmt.Errorf("%w: a load has %d parts", errReply, len(parts))
	}
	newest, err := parts[0].ToString()
	if err != nil {
		return r, err
	}
	if r.newest, err = parseChangeID(newest); err != nil {
		return r, err
	}
	ready, err := parts[1].AsStrSlice()
	if err != nil {
		return r, err
	}
	rooms, err := parts[2].ToArray()
	if err != nil || len(rooms) != len(asked) {
		return r, fmt.Errorf("%w: a load of %d rooms has %d: %w", errReply, len(asked), len(rooms), err)
	}
	for i, room := range rooms {
		if r.rooms[asked[i].room], err = parseShares(room, ready, own); err != nil {
			return r, err
		}
	}
	return r, nil
}

// parseShares reads what each registration but that of hub own has in one room.
func parseShares(m rueidis.RedisMessage, ready []string, own string) ([]share, error) {
	shares, err := m.ToArray()
	if err != nil || 2*len(shares) != len(ready) {
		return nil, fmt.Errorf("%w: %d shares of %d: %w", errReply, len(shares), len(ready)/2, err)
	}
	listed := make([]share, 0, len(shares))
	for i, message := range shares {
		r, ok := parseRegistered(ready[2*i+1])
		if !ok || r.ID == own {
			continue
		}
		pair, err := message.ToArray()
		if err != nil || len(pair) != 2 {
			return nil, fmt.Errorf("%w: a share of %d parts: %w", errReply, len(pair), err)
		}
		count, err := pair[0].AsInt64()
		if err != nil {
			return nil, err
		}
		l := share{ready[2*i], hub.Listed{Hub: r.HubID, Count: int(count)}}
		if !pair[1].IsNil() {
			entries, err := pair[1].AsStrSlice()
			if err != nil {
				return nil, err
			}
			l.People = parsePeople(entries)
		}
		listed = append(listed, l)
	}
	return listed, nil
}
