package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestLogChecker plants faults of each kind in records made by hand, and shows that the checker finds them, and nothing
// where there are none.
func TestLogChecker(t *testing.T) {
	const three = "A1@e:1 A2@e:2 A3@e:3"
	const hello = "open; welcome b; join -; there; subscribed e:0; "
	const all = hello + "message A1 e:1; message A2 e:2; message A3 e:3; "
	for _, test := range []struct {
		name string
		log  string // of the room at the end
		a    string // what A, who publishes and has not joined, did and saw; "": it made all that the log has, and was told
		b    string // what B did and saw
		lost bool   // Redis lost something after A made its messages
		want string // what the violations begin with, one after the other
	}{
		{name: "all well", log: three, b: all},
		{name: "gap", log: three, b: hello + "message A1 e:1; message A3 e:3", want: "I2"},
		{name: "gap at the end", log: three, b: hello + "message A1 e:1; message A2 e:2", want: "I4"},
		{name: "never subscribed", log: three, b: "open; welcome b; join -; there", want: "I4"},
		{name: "double", log: three, b: hello + "message A1 e:1; message A2 e:2; message A2 e:2; message A3 e:3", want: "I3 I3"},
		{name: "double at another position", log: three, b: hello + "message A1 e:1; message A1 e:2; message A3 e:3", want: "I3 I5 I4"},
		{name: "double after a reconnect", log: three, b: all + "cut; open; welcome b; join e:3; there; message A3 e:3; subscribed e:3", want: "I3 I3"},
		{name: "out of order", log: three, b: hello + "message A2 e:2; message A1 e:1; message A3 e:3", want: "I2 I3"},
		{name: "phantom", log: three, b: all + "message A4 e:4", want: "I1"},
		{name: "phantom in the log", log: three, a: "made 1; made 2; ack 1 e:1; ack 2 e:2", b: all, want: "I1 I1 I4"},
		{name: "of another room", log: three, b: all + "other message A1 e:1", want: "I9"},
		{name: "another sender", log: three, b: hello + "message A1 e:1; forged A2 e:2; message A3 e:3", want: "I1"},
		{name: "a message before there", log: three, b: "open; welcome b; join -; subscribed e:0; message A1 e:1; message A2 e:2; message A3 e:3", want: "order order order order"},
		{name: "a message before a cursor", log: three, b: "open; welcome b; join -; there; message A1 e:1; subscribed e:1; message A2 e:2; message A3 e:3", want: "I2"},

		{name: "own as positions", log: three + " B1@e:4", b: all + "made 1; ack 1 e:4"},
		{name: "own whole in the stream", log: three + " B1@e:4", b: all + "made 1; message B1 e:4; ack 1 e:4", want: "I11"},
		{name: "own whole without a position", log: three + " B1@e:4", b: all + "made 1; show B1; ack 1 e:4", want: "I11"},
		{name: "own in the history", log: three + " B1@e:4", b: all + "made 1; ack 1 e:4; cut; open; welcome b; join e:4; there; subscribed e:4; past B1 e:4; history 1"},
		{name: "own twice in the log", log: three + " B1@e:4 B1@e:5", b: all + "made 1; ack 1 e:4; ack 1 e:5", want: "I6 I6 I6"},
		{name: "own skipped", log: three + " B1@e:4 A4@e:5", b: all + "made 1; ack 1 e:4; message A4 e:5"},
		{name: "own ack leaps", log: three + " A4@e:4 B1@e:5", b: all + "made 1; ack 1 e:5", want: "I2"},
		{name: "ack of another's key", log: three, b: all + "ack 7 e:3", want: "I6"},
		{name: "retry answered twice", log: three + " B1@e:4", b: all + "made 1; ack 1 e:4; ack 1 e:4"},

		{name: "acknowledged and missing", log: three, a: "made 1; made 2; made 3; made 4; ack 1 e:1; ack 2 e:2; ack 3 e:3; ack 4 e:4", b: all, want: "I6 I6"},
		{name: "acknowledged elsewhere", log: three, a: "made 1; made 2; made 3; ack 1 e:1; ack 2 e:2; ack 3 e:4", b: all, want: "I6 I6"},
		{name: "twice in the log", log: three + " A3@e:4", b: all + "message A3 e:4", want: "I6 I6 I6 I3"},
		{name: "never acknowledged", log: three, a: "made 1; made 2; made 3; ack 1 e:1; ack 2 e:2", b: all, want: "I6"},
		{name: "refused at the first try", log: three, a: "made 1; made 2; made 3; made 4; try 4; ack 1 e:1; ack 2 e:2; ack 3 e:3; refused 4", b: all},
		{name: "refused at a later try", log: three, a: "made 1; made 2; made 3; made 4; try 4; try 4; ack 1 e:1; ack 2 e:2; ack 3 e:3; refused 4", b: all, want: "I6"},
		{name: "a position used twice", log: three, b: hello + "message A1 e:1; message A2 e:2; message A3 e:3; settle A1 e:3", want: "I5"},
		{name: "an epoch that comes back", log: "A1@e:1 A2@f:2 A3@e:3", b: hello + "message A1 e:1; message A2 f:2; message A3 e:3", want: "I5"},
		{name: "a hole in the log", log: "A1@e:1 A2@e:2 A3@e:4", b: hello + "message A1 e:1; message A2 e:2", want: "I2 I4"},

		{name: "provisional", log: three, b: hello + "message A1 e:1; show A2; settle A2 e:2; message A3 e:3"},
		{name: "provisional, elsewhere whole", log: three, b: hello + "message A1 e:1; show A2; cut; open; welcome b; join e:1; there; show A2; message A2 e:2; message A3 e:3; subscribed e:3"},
		{name: "provisional twice", log: three, b: hello + "message A1 e:1; show A2; show A2; settle A2 e:2; message A3 e:3", want: "I3"},
		{name: "provisional after its position", log: three, b: all + "show A2", want: "I3"},
		{name: "provisional for ever", log: three, b: all + "show A4", a: "made 1; made 2; made 3; made 4; try 4; ack 1 e:1; ack 2 e:2; ack 3 e:3; refused 4", want: "I4"},
		{name: "provisional that was not wanted", log: three, b: "open; welcome b; join - full; there; subscribed e:0; show A1; message A1 e:1; message A2 e:2; message A3 e:3", want: "I8"},
		{name: "position alone of what it lacks", log: three, b: hello + "message A1 e:1; settle A2 e:2; message A3 e:3", want: "I4"},
		{name: "position alone after it is back", log: three, b: "open; welcome b; join -; there; subscribed e:0; save; message A1 e:1; cut; rewind; open; welcome b; join e:0; there; settle A1 e:1; message A2 e:2; message A3 e:3", want: "I4"},
		{name: "leaves and comes back", log: three, b: hello + "message A1 e:1; show A2; leave; join e:1 full; show A3; there; settle A2 e:2; message A3 e:3; subscribed e:3"},
		{name: "positions come when it has left", log: three, b: hello + "message A1 e:1; show A2; leave; join e:1 full; show A3; settle A2 e:2; settle A3 e:3; there; message A2 e:2; message A3 e:3; subscribed e:3"},
		{name: "position alone of what came when it had left", log: three, b: hello + "message A1 e:1; leave; join e:1; show A2; there; settle A2 e:2; message A3 e:3", want: "I4"},
		{name: "ack before there", log: three + " B1@e:4", b: all + "made 1; cut; open; welcome b; join e:3; ack 1 e:4; there; ack 1 e:4; subscribed e:4"},
		{name: "skipped for an ack before there", log: three + " B1@e:4", b: all + "made 1; cut; open; welcome b; join e:3; ack 1 e:4; there; subscribed e:4", want: "I4"},
		{name: "goes back", log: three, b: hello + "message A1 e:1; save; message A2 e:2; cut; rewind; open; welcome b; join e:1; there; message A2 e:2; message A3 e:3; subscribed e:3"},
		{name: "subscribed too far", log: three, b: hello + "message A1 e:1; cut; open; welcome b; join e:1; there; subscribed e:2; message A3 e:3", want: "I4"},
		{name: "history beyond the cursor", log: three, b: hello + "message A1 e:1; past A2 e:2; history 1; message A2 e:2; message A3 e:3", want: "I2 I3"},
		{name: "history with a hole", log: three, b: all + "past A1 e:1; past A3 e:3; history 2", want: "I2"},
		{name: "history miscounted", log: three, b: all + "past A3 e:3; history 2", want: "order"},

		{name: "given to the program", log: three + " B1@e:4", b: "gives; " + hello + "message A1 e:1; give A1; show A2; give A2; settle A2 e:2; message A3 e:3; give A3; made 1; ack 1 e:4; answer 1 e:4"},
		{name: "given late", log: three, b: "gives; " + all + "give A1; cut; give A2; give A3"},
		{name: "never given", log: three, b: "gives; " + all + "give A1; give A2", want: "I4"},
		{name: "given twice", log: three, b: "gives; " + all + "give A1; give A2; give A2; give A3", want: "I3"},
		{name: "given out of order", log: three, b: "gives; " + all + "give A1; give A3; give A2", want: "I3 I4"},
		{name: "given again with its position", log: three, b: "gives; " + hello + "message A1 e:1; give A1; show A2; give A2; settle A2 e:2; give A2; message A3 e:3; give A3", want: "I3"},
		{name: "given before it came", log: three, b: "gives; " + hello + "give A1; message A1 e:1; message A2 e:2; message A3 e:3; give A2; give A3", want: "I3 I3 I3 I4"},
		{name: "given what never came", log: three, b: "gives; " + all + "give A1; give A2; give A3; give A4", want: "I3"},
		{name: "the program is told another position", log: three + " B1@e:4", b: all + "made 1; ack 1 e:4; answer 1 e:3", want: "I6"},
		{name: "the program is told what nobody said", log: three, b: all + "answer 1 e:3", want: "I6"},

		{name: "orphans", lost: true, log: "A1@e:1 A4@f:2", a: "made 1; made 2; made 3; ack 1 e:1; ack 2 e:2; ack 3 e:3; later; made 4; ack 4 f:2", b: all + "orphans e:1 2; message A4 f:2"},
		{name: "silent loss", lost: true, log: "A1@e:1 A2@e:2 A3@f:3", a: "made 1; made 2; made 3; made 4; ack 1 e:1; ack 2 e:2; ack 4 e:3; ack 3 f:3", b: hello + "message A1 e:1; message A2 e:2; message A4 e:3", want: "I4"},
		{name: "orphans too few", lost: true, log: "A1@e:1 A4@f:2", a: "made 1; made 2; made 3; ack 1 e:1; ack 2 e:2; ack 3 e:3; later; made 4; ack 4 f:2", b: all + "orphans e:1 1; message A4 f:2", want: "I4 I3 I4 I4"},
		{name: "orphans that are there", lost: true, log: three, b: all + "orphans e:2 1; message A3 e:3", want: "I4"},
		{name: "orphans where nothing was lost", log: three, b: all + "orphans e:2 1; message A3 e:3", want: "I4 I4"},
		{name: "lost before its position came", lost: true, log: "A1@e:1 A3@f:2", a: "made 1; made 2; ack 1 e:1; ack 2 e:2; later; made 3; ack 3 f:2", b: hello + "message A1 e:1; show A2; message A3 f:2"},
		{name: "lost after the loss, and shown", lost: true, log: "A1@e:1 A3@f:2", a: "made 1; ack 1 e:1; later; made 2; made 3; refused 2; ack 3 f:2", b: hello + "message A1 e:1; show A2; message A3 f:2", want: "I4 I6"},
		{name: "reset", lost: true, log: "A4@f:1", a: "made 1; made 2; made 3; ack 1 e:1; ack 2 e:2; ack 3 e:3; later; made 4; ack 4 f:1", b: all + "reset f:0; message A4 f:1"},
		{name: "reset where nothing was lost", log: three, b: all + "reset e:3", want: "I4"},
		{name: "shown again after a reset", lost: true, log: "A1@f:1", a: "made 1; ack 1 e:1; later", b: hello + "message A1 e:1; reset f:0; message A1 f:1"},
		{name: "an offset again in one epoch", lost: true, log: "A1@e:1 A3@e:2", a: "made 1; made 2; ack 1 e:1; ack 2 e:2; later; made 3; ack 3 e:2", b: hello + "message A1 e:1; message A2 e:2; orphans e:1 1; message A3 e:2", want: "I6 I5 I5 I4"},
		{name: "lost after the loss", lost: true, log: "A1@f:1", a: "made 1; ack 1 e:1; later; made 2; ack 2 f:2; made 3; ack 3 e:2", b: hello + "message A1 e:1; reset f:0; message A1 f:1", want: "I6 I6"},
		{name: "hidden by a reset", lost: true, log: "A1@f:1 A2@f:2", a: "made 1; made 2; ack 1 f:1; ack 2 f:2", b: hello + "show A1; reset f:1; message A2 f:2"},
		{name: "not hidden by a reset", lost: true, log: "A1@f:1 A2@f:2", a: "made 1; made 2; ack 1 f:1; ack 2 f:2", b: hello + "show A2; reset f:1; reset f:2; save; reset f:1; message A2 f:2; show A1", want: "I4"},
		{name: "another client", log: three, b: all + "cut; open; welcome c; join e:3; there; subscribed e:3", want: "I11"},
		{name: "closed as one that may not come back", log: three, b: all + "closed with 4514", want: "order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := planted{t}
			k := &logChecker{logs: map[string][]stored{"r": p.log(test.log)}}
			if test.a == "" {
				test.a = p.honest(test.log)
			}
			k.records = []*record{p.record("A", "open; welcome A; "+test.a), p.record("B", strings.ReplaceAll(test.b, "welcome b", "welcome B"))}
			if test.lost {
				k.lost = planting.Add(time.Hour)
			}
			var got []string
			wrong := k.violations()
			for _, w := range wrong {
				name, _, _ := strings.Cut(w, ":")
				got = append(got, name)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("violations %q, want %q:\n%s", strings.Join(got, " "), test.want, strings.Join(wrong, "\n"))
			}
		})
	}
}

// planting is when hand-made records begin. Each event comes a second later, and what comes after "later" two hours.
var planting = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// planted makes records by hand.
type planted struct{ t *testing.T }

func plantedText(name string) (text, from, id string) {
	return fmt.Sprintf("r %s %s %s", name[:1], name[1:], name[1:]), name[:1], name[:1] + "/" + name[1:]
}

// log reads "A1@e:1 A2@e:2".
func (p planted) log(text string) (log []stored) {
	for word := range strings.FieldsSeq(text) {
		name, position, _ := strings.Cut(word, "@")
		text, from, id := plantedText(name)
		log = append(log, stored{p.position(position), id, text, from})
	}
	return log
}

func (p planted) position(text string) protocol.Position {
	at, err := protocol.ParsePosition(text)
	if err != nil {
		p.t.Fatalf("position %q: %v", text, err)
	}
	return at
}

// honest returns what A records who made its messages of a log, and was told of them.
func (p planted) honest(log string) string {
	var steps []string
	made := map[string]bool{}
	for word := range strings.FieldsSeq(log) {
		name, position, _ := strings.Cut(word, "@")
		if name[0] == 'A' && !made[name] {
			steps = append(steps, "made "+name[1:], "ack "+name[1:]+" "+position)
			made[name] = true
		}
	}
	return strings.Join(steps, "; ")
}

// record reads steps with semicolons between.
func (p planted) record(name, steps string) *record {
	r := &record{name: name}
	at := planting
	for step := range strings.SplitSeq(steps, ";") {
		words := strings.Fields(step)
		if len(words) == 0 {
			continue
		}
		if words[0] == "gives" {
			r.gives = true
			continue
		}
		at = at.Add(time.Second)
		if words[0] == "later" {
			at = at.Add(2 * time.Hour)
			continue
		}
		r.events = append(r.events, p.event(at, name, words))
	}
	return r
}

func (p planted) event(at time.Time, name string, words []string) event {
	plain := map[string]what{"open": opened, "cut": closed, "closed": closed, "save": saved, "rewind": rewound}
	if w, ok := plain[words[0]]; ok {
		return event{at, w, strings.Join(words, " "), nil}
	}
	f := &protocol.Frame{Type: words[0], Room: "r"}
	if words[0] == "other" {
		f.Room, words = "s", words[1:]
		f.Type = words[0]
	}
	switch words[0] {
	case "welcome":
		f.Client = &protocol.Credentials{ID: words[1]}
	case "join":
		if words[1] != "-" {
			f.Position = words[1]
		}
		if len(words) > 2 {
			f.Provisional = new(false)
		}
		return event{at, sent, "", f}
	case "made":
		text, _, _ := plantedText(name + words[1])
		f.Type, f.Key = protocol.TypePublish, words[1]
		f.Data, _ = json.Marshal(text)
		return event{at, made, "", f}
	case "leave":
		return event{at, sent, "", f}
	case "try":
		f.Type, f.Key = protocol.TypePublish, words[1]
		return event{at, sent, "", f}
	case "there":
		f.Log = new(true)
	case "subscribed", "reset":
		f.Position = words[1]
	case "orphans":
		f.Position, f.Count = words[1], p.number(words[2])
	case "history":
		f.Count = p.number(words[1])
	case "ack":
		_, _, f.ID = plantedText(name + words[1])
		f.Key, f.Scope, f.Position = words[1], protocol.ScopeCluster, words[2]
	case "settle":
		_, _, f.ID = plantedText(words[1])
		f.Type, f.Scope, f.Position = protocol.TypeAck, protocol.ScopeCluster, words[2]
	case "refused":
		f.Type, f.Key, f.Code = protocol.TypeError, words[1], protocol.ErrRefused
	case "message", "past", "show", "forged":
		p.message(f, words)
	case "give":
		p.message(f, append(words, ""))
		return event{at, gave, "", f}
	case "answer":
		f.Type, f.Key, f.Position = protocol.TypeAck, words[1], words[2]
		return event{at, gave, "", f}
	default:
		p.t.Fatalf("no step %q", words)
	}
	return event{at, got, "", f}
}

func (p planted) message(f *protocol.Frame, words []string) {
	text, from, id := plantedText(words[1])
	f.Type, f.ID, f.Past = protocol.TypeMessage, id, words[0] == "past"
	f.Data, _ = json.Marshal(text)
	f.From = &protocol.Client{ID: from}
	if words[0] == "forged" {
		f.From.ID = "C"
	}
	if words[0] == "show" {
		f.Scope = protocol.ScopeHub
		return
	}
	f.Position = words[2]
}

func (p planted) number(text string) *int {
	n, err := strconv.Atoi(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return &n
}
