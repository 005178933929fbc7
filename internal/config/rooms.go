package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// The kinds of rooms.
const (
	KindLog  = "log"
	KindLive = "live"
)

// Room is the rule for rooms whose names match a pattern. It is valid with all fields set, but for those of log rooms
// alone in one for live rooms.
type Room struct {
	Match   string        `key:"match"`                  // of names: its characters, and * for any run of them, also none
	Kind    string        `key:"kind" default:"log"`     // KindLog or KindLive
	History int           `key:"history" default:"1000"` // messages, at least so many are kept; of log rooms alone
	TTL     time.Duration `key:"ttl" default:"24h"`      // how long they are kept after the last; of log rooms alone
}

// builtIn are the rules behind those that are configured.
var builtIn = []Room{
	{Match: livePrefix + "*", Kind: KindLive},
	{Match: "*", Kind: KindLog, History: 1000, TTL: 24 * time.Hour},
}

const livePrefix = "live."

// Room returns the rule for the room called name: the first that matches of those in Rooms, and behind them live.* for
// live rooms, and everything else for log rooms with the defaults. It allocates nothing, and takes time for each rule in
// Rooms. It may be called by several goroutines at once while Rooms stays as it is.
func (c *Hub) Room(name string) Room {
	for i := range c.Rooms {
		if matches(c.Rooms[i].Match, name) {
			return c.Rooms[i]
		}
	}
	if strings.HasPrefix(name, livePrefix) {
		return builtIn[0]
	}
	return builtIn[1]
}

// matches reports whether name matches pattern. Where the characters behind a star do not go on, only the last star is
// tried with one character more: those before it have taken the least they can.
func matches(pattern, name string) bool {
	p, n := 0, 0
	star, taken := -1, 0 // the last star, and the end of what it takes
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			taken++
			p, n = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// covers reports whether wide matches every name that narrow does. A star of narrow stands for characters that wide may
// not name, so that only a star of wide matches it: as if it were such a character itself.
func covers(wide, narrow string) bool { return matches(wide, narrow) }

// String returns the rule as it is written in a file.
func (r Room) String() string {
	if r.Kind == KindLive && r.History == 0 && r.TTL == 0 {
		return fmt.Sprintf("{match: %q, kind: %s}", r.Match, r.Kind)
	}
	return fmt.Sprintf("{match: %q, kind: %s, history: %d, ttl: %s}", r.Match, r.Kind, r.History, formatDuration(r.TTL))
}

// roomsType is the type of the key that is a list of groups, and so stands in the file alone.
var roomsType = reflect.TypeFor[[]Room]()

// formatRooms returns rooms as they are written in a file, and "" for none.
func formatRooms(rooms []Room) string {
	if len(rooms) == 0 {
		return ""
	}
	texts := make([]string, len(rooms))
	for i, r := range rooms {
		texts[i] = r.String()
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// What errors about rooms say.
const (
	patternRule      = "a pattern is 1 to 128 of A-Z a-z 0-9 . _ : - and *, which stands for any run of them"
	liveKeepsNothing = "a live room keeps nothing"
	maxHistory       = 1_000_000
	maxPattern       = 128 // as many as the name of a room has
)

// validateRooms checks the rules for rooms. Keys in errors are rooms[0].match, and so on.
func (c *Hub) validateRooms(p *problems) {
	for i, r := range c.Rooms {
		prefix := roomPrefix(i)
		p.pattern(prefix+"match", r.Match)
		if r.Match != "" {
			c.validateOrder(p, i)
		}
		p.oneOf(prefix+"kind", r.Kind, KindLog, KindLive)
		switch r.Kind {
		case KindLive:
			if r.History != 0 {
				p.keepsNothing(prefix+"history", fmt.Sprint(r.History))
			}
			if r.TTL != 0 {
				p.keepsNothing(prefix+"ttl", formatDuration(r.TTL))
			}
		case KindLog:
			if r.History < 1 || r.History > maxHistory {
				p.add(prefix+"history", fmt.Sprint(r.History), fmt.Sprintf("not from 1 to %d", maxHistory),
					"say how many messages are kept, for instance 1000")
			}
			p.lifetime(prefix+"ttl", r.TTL)
		}
	}
}

// validateOrder checks that rule i matches names that no rule before it does. That several of them together match all
// of its names is not looked for.
func (c *Hub) validateOrder(p *problems, i int) {
	match := c.Rooms[i].Match
	for j, earlier := range c.Rooms[:i] {
		if !covers(earlier.Match, match) {
			continue
		}
		fix := fmt.Sprintf("put it before rooms[%d], or leave it out", j)
		if covers(match, earlier.Match) {
			fix = "leave one of the two out"
		}
		what := fmt.Sprintf("it never counts, as rooms[%d], %q, comes first and matches all its rooms", j, earlier.Match)
		p.add(roomPrefix(i)+"match", match, what, fix)
		return
	}
}

// roomPrefix begins the keys of rule i in errors.
func roomPrefix(i int) string { return fmt.Sprintf("rooms[%d].", i) }

// pattern checks a pattern of the names of rooms.
func (p *problems) pattern(key, text string) {
	const other = "._:-*"
	bad := strings.IndexFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(other, r)
	})
	switch {
	case text == "":
		p.add(key, "", "no pattern", patternRule)
	case len(text) > maxPattern:
		p.add(key, text, fmt.Sprintf("more than %d bytes", maxPattern), patternRule)
	case bad >= 0:
		for _, r := range text[bad:] {
			p.add(key, text, fmt.Sprintf("it has %q", string(r)), patternRule)
			break
		}
	}
}

// keepsNothing notes that a live room is given what only log rooms have.
func (p *problems) keepsNothing(key, value string) {
	p.add(key, value, liveKeepsNothing, "leave it out, or make it kind: log")
}
