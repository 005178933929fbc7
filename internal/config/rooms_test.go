package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestRoom(t *testing.T) {
	log := Room{Match: "*", Kind: KindLog, History: 1000, TTL: 24 * time.Hour}
	live := Room{Match: "live.*", Kind: KindLive}
	audit := Room{Match: "*.audit", Kind: KindLog, History: 7, TTL: time.Hour}
	ticks := Room{Match: "tick-*-eu*", Kind: KindLive}
	all := Room{Match: "*", Kind: KindLive}
	for _, tt := range []struct {
		name  string
		rooms []Room
		want  map[string]Room
	}{
		{"none", nil, map[string]Room{
			"lobby": log, "live.": live, "live.a": live, "live": log, "Live.a": log, "alive.a": log, "": log,
		}},
		{"some", []Room{audit, ticks}, map[string]Room{
			"live.audit": audit, ".audit": audit, "audit": log, "live.audits": live, "tick--eu": ticks,
			"tick-1-eu-2": ticks, "tick-eu": log,
		}},
		{"all", []Room{audit, all}, map[string]Room{"a.audit": audit, "lobby": all, "live.a": all}},
		{"the first counts", []Room{ticks, audit}, map[string]Room{"tick-1-eu.audit": ticks}},
		{"live rooms with history", []Room{log}, map[string]Room{"live.a": log}},
	} {
		c := Hub{Rooms: tt.rooms}
		for name, want := range tt.want {
			if got := c.Room(name); got != want {
				t.Errorf("%s: room %q is %v, want %v", tt.name, name, got, want)
			}
		}
	}
}

func TestRoomDoesNotAllocate(t *testing.T) {
	configured := []Room{{Match: "a*b*c", Kind: KindLive}, {Match: "x", Kind: KindLive}}
	for _, c := range []*Hub{{}, {Rooms: configured}} {
		if n := testing.AllocsPerRun(100, func() { c.Room("ab.ab.ab.lobby") }); n != 0 {
			t.Errorf("%d rules: %v allocations", len(c.Rooms), n)
		}
	}
}

func BenchmarkRoom(b *testing.B) {
	var rules []Room
	for i := range 10 {
		rules = append(rules, Room{Match: fmt.Sprintf("team-%d.*", i), Kind: KindLog, History: 1, TTL: 1})
	}
	for _, n := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			c := Hub{Rooms: rules[:n]}
			b.ReportAllocs()
			for b.Loop() {
				c.Room("team-x.lobby")
			}
		})
	}
}

// words returns all words of 1 to most of the letters.
func words(letters string, most int) []string {
	all, last := []string{}, []string{""}
	for range most {
		var next []string
		for _, w := range last {
			for _, l := range letters {
				next = append(next, w+string(l))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// TestMatchesAll compares matches with regular expressions, and covers with what the patterns do match.
func TestMatchesAll(t *testing.T) {
	names, patterns := words("abc", 5), words("ab*", 4)
	matched := map[string][]bool{}
	for _, p := range patterns {
		re := regexp.MustCompile("^" + strings.ReplaceAll(p, "*", ".*") + "$")
		for _, name := range names {
			m := matches(p, name)
			if m != re.MatchString(name) {
				t.Errorf("%q matches %q: %v", p, name, m)
			}
			matched[p] = append(matched[p], m)
		}
	}
	for _, p := range patterns {
		for _, q := range patterns {
			want := true
			for i := range names {
				want = want && (matched[p][i] || !matched[q][i])
			}
			if got := covers(p, q); got != want {
				t.Errorf("%q covers %q: %v", p, q, got)
			}
		}
	}
}

// FuzzMatches looks for a pattern that takes long, or matches other names than it should.
func FuzzMatches(f *testing.F) {
	f.Add("*", "lobby")
	f.Add("live.*", "live.a")
	f.Add(strings.Repeat("*a", 60)+"b", strings.Repeat("a", 128))
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 128 || len(name) > 128 {
			return
		}
		re, err := regexp.Compile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if err != nil || strings.ToValidUTF8(pattern+name, "") != pattern+name {
			return
		}
		if got := matches(pattern, name); got != re.MatchString(name) {
			t.Errorf("%q matches %q: %v", pattern, name, got)
		}
	})
}

// TestPatternsAreOfRoomNames holds the characters and the length of patterns against those of names.
func TestPatternsAreOfRoomNames(t *testing.T) {
	valid := func(pattern string) bool {
		var p problems
		p.pattern("match", pattern)
		return len(p) == 0
	}
	for c := range 256 {
		one := string([]byte{byte(c)})
		if got, want := valid(one), c == '*' || protocol.CheckRoom(one) == nil; got != want {
			t.Errorf("%q is a pattern: %v, want %v", one, got, want)
		}
	}
	longest := strings.Repeat("r", protocol.MaxRoomName)
	if !valid(longest) || valid(longest+"r") || valid("") {
		t.Errorf("patterns do not have 1 to %d characters", protocol.MaxRoomName)
	}
}

func TestRoomsInFile(t *testing.T) {
	want := []Room{
		{Match: "live.*", Kind: KindLive},
		{Match: "a", Kind: KindLog, History: 5, TTL: 24 * time.Hour},
		{Match: "*", Kind: KindLog, History: 1000, TTL: 90 * time.Minute},
	}
	for _, tt := range []struct {
		name, yaml string
		want       []Room
	}{
		{"block", "rooms:\n- match: live.*\n  kind: live\n- match: a\n  history: 5\n- kind: log\n  match: '*'\n  ttl: 1h30m\n", want},
		{"flow", `rooms: [{match: live.*, kind: live}, {match: a, history: 5}, {match: "*", ttl: 1h30m}]`, want},
		{"nothing behind keys", "rooms: [{match: live.*, kind: live, history: , ttl: ~}, {match: a, kind: ~, history: 5}, " +
			`{match: "*", ttl: 1h30m}]`, want},
		{"nothing", "rooms:", nil},
		{"none", "rooms: []", []Room{}},
		{"bounds", `rooms: [{match: a, history: 1, ttl: 1ns}, {match: b, history: 1000000, ttl: 876000h}]`, []Room{
			{Match: "a", Kind: KindLog, History: 1, TTL: 1}, {Match: "b", Kind: KindLog, History: 1000000, TTL: longest},
		}},
		{"narrow before wide", `rooms: [{match: ab*}, {match: a*}, {match: "*b"}, {match: "*"}]`, []Room{
			logRoom("ab*"), logRoom("a*"), logRoom("*b"), logRoom("*"),
		}},
	} {
		for _, config := range []Config{new(HubServer), new(Up)} {
			if _, _, err := load(t, config, tt.yaml, nil, nil); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			got := roomsOf(config)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

// logRoom returns a rule for log rooms with the defaults.
func logRoom(match string) Room {
	return Room{Match: match, Kind: KindLog, History: 1000, TTL: 24 * time.Hour}
}

func roomsOf(c Config) []Room {
	switch c := c.(type) {
	case *HubServer:
		return c.Hub.Rooms
	case *Up:
		return c.Hub.Rooms
	}
	return nil
}

// TestRoomsAlone is for callers without a Loader.
func TestRoomsAlone(t *testing.T) {
	c := Default[HubServer]()
	c.Hub.Rooms = []Room{logRoom("a"), {Match: "b", Kind: KindLive, TTL: time.Hour}, {Match: "c", Kind: KindLog, TTL: 1}}
	want := `bad rooms[1].ttl "1h": ` + liveKeepsNothing + ` → leave it out, or make it kind: log
bad rooms[2].history "0": not from 1 to 1000000 → say how many messages are kept, for instance 1000`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

// TestFileOnly proves that a key of the file alone has no flag, and that its variable is a warning that says so.
func TestFileOnly(t *testing.T) {
	c := Default[HubServer]()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	l := NewLoader(&c)
	l.AddFlags(fs)
	if fs.Lookup("rooms") != nil || l.HasFlag("rooms") {
		t.Error("there is a flag --rooms")
	}
	if got := l.FileOnly(); !slices.Equal(got, []string{"rooms"}) {
		t.Errorf("keys of the file alone: %q", got)
	}
	for _, tt := range []struct{ variable, want string }{
		{"REALTIME_HUB_ROOMS=x", "environment variable REALTIME_HUB_ROOMS is ignored → rooms can be set in the configuration file alone"},
		{"REALTIME_HUB_ROOMS_FILE=x", "environment variable REALTIME_HUB_ROOMS_FILE is ignored → rooms can be set in the configuration file alone"},
		{"REALTIME_HUB_ROOMS=", ""}, // not set
	} {
		warnings, err := l.Load("", []string{tt.variable})
		if err != nil || strings.Join(warnings, "\n") != tt.want || c.Hub.Rooms != nil {
			t.Errorf("%s: %q, %v, %v", tt.variable, warnings, err, c.Hub.Rooms)
		}
	}
}

// TestRoomValues is what `config show` prints.
func TestRoomValues(t *testing.T) {
	yaml := "rooms:\n- match: live.*\n  kind: live\n- {match: a, ttl: 1h}\n"
	l, _, err := load(t, new(HubServer), yaml, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range l.Values() {
		if strings.HasPrefix(v.Key, "rooms") {
			_, place, _ := strings.Cut(v.Source.String(), "realtime-hub.yaml")
			got = append(got, v.Key+" "+v.Text+" "+place)
		}
	}
	want := []string{
		`rooms[0] {match: "live.*", kind: live} :2:3`,
		`rooms[1] {match: "a", kind: log, history: 1000, ttl: 1h} :4:3`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	l, _, err = load(t, new(HubServer), "rooms: []", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(l.Values(), func(v Value) bool { return v.Key == "rooms" })
	if v := l.Values()[i]; v.Text != "" || v.Source.Origin != FromFile {
		t.Errorf("no rules: %+v", v)
	}
}
