package logroom_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// schedule puts one room through events and looks at their effects. The first surprise ends it.
type schedule struct {
	room   *logroom.Room
	budget *logroom.Budget
	now    time.Duration
	got    []string
	wrong  error
}

func newSchedule(o logroom.Options, off mutant) *schedule {
	s := &schedule{budget: logroom.NewBudget(1 << 20)}
	s.room = logroom.New(o, s.budget)
	s.room.SwitchOff(off.rule)
	return s
}

// give steps the room and keeps what follows.
func (s *schedule) give(events ...logroom.Event) *schedule {
	s.got = nil
	for _, e := range events {
		for _, effect := range s.room.Step(s.now, e, nil) {
			s.got = append(s.got, describe(effect))
		}
	}
	return s
}

// want compares the effects of the last events.
func (s *schedule) want(want ...string) *schedule {
	if s.wrong == nil && !slices.Equal(s.got, want) {
		s.wrong = fmt.Errorf("got\n  %s\nwant\n  %s", strings.Join(s.got, "\n  "), strings.Join(want, "\n  "))
	}
	return s
}

// pos reads e1:5.
func pos(text string) logroom.Position {
	epoch, digits, _ := strings.Cut(text, ":")
	offset, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		panic(err)
	}
	return logroom.Position{Epoch: epoch, Offset: offset}
}

func forks(text string) logroom.Forks {
	f, err := logroom.ParseForks(text)
	if err != nil {
		panic(err)
	}
	return f
}

// message returns what a client publishes: A/1 is A's.
func message(id string) *protocol.Message {
	from, _, _ := strings.Cut(id, "/")
	return &protocol.Message{ID: id, From: protocol.Client{ID: from}}
}

// list reads entries: A/1@e1:5 A/2@e1:6.
func list(text string) []logroom.Entry {
	var out []logroom.Entry
	for item := range strings.FieldsSeq(text) {
		id, at, _ := strings.Cut(item, "@")
		out = append(out, logroom.Entry{At: pos(at), Message: message(id)})
	}
	return out
}

func published(text string) logroom.Event { return logroom.Published{Entries: list(text)} }

// page is an answer: newest epoch and top are those of the last fork and of the text.
func page(request uint64, f string, top uint64, orphans uint64, entries string) logroom.Read {
	forks := forks(f)
	return logroom.Read{Request: request, Page: logroom.Page{
		Epoch: forks[len(forks)-1].Epoch, Top: top, Forks: forks, Orphans: orphans, Entries: list(entries),
	}}
}

func reset(request uint64, f string, top uint64) logroom.Read {
	r := page(request, f, top, 0, "")
	r.Page.Reset = true
	return r
}

func join(session, cursor string) logroom.Join {
	j := logroom.Join{Session: session, Publisher: session, Provisional: true}
	if cursor != "" {
		j.Cursor = pos(cursor)
	}
	return j
}

// live has sessions join a room whose log is at e1:top; the last request is number 1.
func (s *schedule) live(top uint64, sessions ...string) *schedule {
	s.give(logroom.Connected{})
	for _, session := range sessions {
		s.give(join(session, ""))
	}
	s.give(logroom.Subscribed{Number: 1}, page(1, "e1:1", top, 0, ""))
	return s
}

// directed are the schedules that random seeds meet too seldom, with the rule that each shows.
var directed = []struct {
	name string
	rule string
	run  func(off mutant) error
}{
	{"a late entry of a lost epoch after a rewind", "epoch", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(8, "A")
		s.give(published("B/1@e1:9 B/2@e1:10"))
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}).want("ReadPage {Request:2 From:e1:10 Limit:256}")
		s.give(page(2, "e1:1,e2:9", 8, 9, "")).want("Orphans {Session:<nil> At:e1:8 To:10}")
		s.give(published("B/1@e1:9")).want()
		s.give(published("C/1@e2:9")).want("Deliver C/1@e2:9 holders []")
		return s.wrong
	}},
	{"a new epoch without loss", "newest", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}).want("ReadPage {Request:2 From:e1:5 Limit:256}")
		s.give(page(2, "e1:1,e2:6", 5, 0, "")).want()
		s.give(published("B/1@e2:6")).want("Deliver B/1@e2:6 holders []")
		return s.wrong
	}},
	{"the fork list pruned by reads alone", "name", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		r := uint64(1)
		server := &server{w: newWorld(config{metaLife: time.Hour}, nil, mutant{}, false), run: "r", data: newDataset()}
		server.w.primary = server
		for range 5 { // what the log is: e1:1 to e1:5
			server.publish(0, "e1", []*protocol.Message{message(fmt.Sprint("B/", len(server.data.keys)))})
		}
		for i := range 3 * logroom.MaxForks {
			server.replica = fmt.Sprint("restarted ", i)
			s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
			r++
			at := s.room.Position()
			s.want(fmt.Sprintf("ReadPage {Request:%d From:%v Limit:256}", r, at))
			s.give(logroom.Read{Request: r, Page: server.read(0, fmt.Sprint("n", i), at, 256)}).want()
		}
		if n := s.room.Sizes().Forks; s.wrong == nil && n != logroom.MaxForks {
			s.wrong = fmt.Errorf("%d forks", n)
		}
		return s.wrong
	}},
	{"a key of a log that is gone", "script: keys by fork list", func(off mutant) error {
		c := config{history: 1000, streamLife: time.Hour, metaLife: 2 * time.Hour, keyLife: time.Hour}
		w := newWorld(c, nil, off, false)
		redis := w.primary
		redis.publish(0, "e1", []*protocol.Message{message("A/1")})
		redis.data.rooms = map[int]*log{} // evicted, and the key is not
		redis.publish(0, "e2", []*protocol.Message{message("B/1")})
		for i := range logroom.MaxForks { // until no list says that e1 was not of this log
			redis.replica = fmt.Sprint("promoted ", i)
			redis.read(0, fmt.Sprint("n", i), pos("e2:1"), 1)
		}
		if _, out := redis.publish(0, "e3", []*protocol.Message{message("A/1")}); out[0].duplicate {
			return fmt.Errorf("%w: %+v", w.failed, out)
		}
		return w.failed
	}},
	{"a replay beyond the room's cursor", "replay bound", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A")
		s.give(join("B", "e1:8")).want("ReadPage {Request:2 From:e1:8 Limit:256}")
		// The page has more than the room, whose copies of 11 and 12 were lost; then Redis loses them too.
		s.give(page(2, "e1:1", 12, 0, "C/9@e1:9 C/10@e1:10 C/11@e1:11 C/12@e1:12")).want(
			"Replay to B C/9@e1:9 held false C/10@e1:10 held false", "Attach {Session:B At:e1:10 Fresh:false}")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
		s.give(page(3, "e1:1,e2:11", 12, 0, "D/1@e2:11 D/2@e2:12")).want(
			"Deliver D/1@e2:11 holders []", "Deliver D/2@e2:12 holders []")
		return s.wrong
	}},
	{"a page of another epoch for one session", "replay epoch", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A")
		s.give(join("B", "e1:5")).want("ReadPage {Request:2 From:e1:5 Limit:256}")
		s.give(page(2, "e1:1,e2:8", 10, 0, "C/6@e1:6 C/7@e1:7 D/8@e2:8 D/9@e2:9 D/10@e2:10")).want(
			"ReadPage {Request:3 From:e1:10 Limit:256}")
		return s.wrong
	}},
	{"a full buffer that keeps only what is late", "overflow", func(off mutant) error {
		s := newSchedule(logroom.Options{Buffer: 1}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
		s.give(published("B/1@e1:6"), published("B/0@e1:5")).want()
		s.give(page(2, "e1:1", 5, 0, "")).want("ReadPage {Request:3 From:e1:5 Limit:256}")
		return s.wrong
	}},
	{"a trigger during a catch-up", "again", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
		s.give(logroom.Top{Epoch: "e2", Offset: 5}).want()
		s.give(page(2, "e1:1", 5, 0, "")).want("ReadPage {Request:3 From:e1:5 Limit:256}")
		return s.wrong
	}},
	{"a log that is lost between two pages of a history", "gone", func(off mutant) error {
		s := newSchedule(logroom.Options{Page: 1}, off).live(2, "A")
		wants := join("C", "")
		wants.History = 2
		s.give(wants).want("Attach {Session:C At:e1:2 Fresh:true}", "ReadPage {Request:2 From:e1:0 Limit:1}")
		s.give(page(2, "e1:1", 2, 0, "B/1@e1:1")).want("ReadPage {Request:3 From:e1:1 Limit:1}")
		s.give(published("D/1@e2:1"), reset(4, "e2:1", 1), reset(3, "e2:1", 1)).want(
			"ReadPage {Request:4 From:e1:2 Limit:1}", "Reset {Session:<nil> At:e2:1}", "ReadPage {Request:5 From:e2:0 Limit:1}")
		return s.wrong
	}},
	{"the last publication fails first", "order", func(off mutant) error {
		own := func(id string) logroom.Publish { return logroom.Publish{Message: message(id), Own: true} }
		s := newSchedule(logroom.Options{}, off).live(5, "A").give(own("C/1"), own("C/2"))
		s.give(logroom.AppendFailed{Request: 3}, logroom.AppendFailed{Request: 2}, logroom.Tick{}).want("Append 4 C/1")
		return s.wrong
	}},
	{"cut off after the answer was lost", "show", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Publish{Message: message("C/1"), Own: true, Reply: "r"}, logroom.AppendFailed{Request: 2})
		s.give(logroom.Isolated{}).want("Show C/1 to [A]", "Outcome C/1 kept at none duplicate false for r")
		return s.wrong
	}},
	{"stored, and passed over by a reset", "skipped", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(publish("A/1", "e1:5", "r"), logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}, reset(3, "e2:1", 9))
		s.give(logroom.Appended{Request: 2, Epoch: "e2", At: pos("e2:8")}).want(
			"Outcome A/1 stored at e2:8 duplicate false for r")
		return s.wrong
	}},
	{"an end that nobody told of", "check", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Top{Epoch: "e1", Offset: 5}).want()
		s.give(logroom.Top{Epoch: "e2", Offset: 5}).want("ReadPage {Request:2 From:e1:5 Limit:256}")
		return s.wrong
	}},
	{"an entry that nobody hands over", "owed", func(off mutant) error {
		s := newSchedule(logroom.Options{Patience: time.Second}, off).live(5, "A")
		s.give(logroom.Top{Epoch: "e1", Offset: 6}, logroom.Tick{}).want()
		s.now = time.Second / 2
		s.give(logroom.Top{Epoch: "e1", Offset: 7}, logroom.Tick{}).want() // does not make it wait for longer
		s.now = time.Second
		s.give(logroom.Tick{}).want("ReadPage {Request:2 From:e1:5 Limit:256}")
		s.give(page(2, "e1:1", 7, 0, "B/1@e1:6 B/2@e1:7")).want("Deliver B/1@e1:6 holders []", "Deliver B/2@e1:7 holders []")
		s.now = time.Minute
		s.give(logroom.Tick{}).want()
		return s.wrong
	}},
	{"an answer before the copies of what lies between", "answer", func(off mutant) error {
		s := newSchedule(logroom.Options{Patience: time.Second}, off).live(5, "A")
		s.give(publish("A/1", "e1:5", "r")).want("Append 2 A/1")
		s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:7")}).want()
		s.give(published("B/1@e1:6")).want("Deliver B/1@e1:6 holders []")
		s.give(published("A/1@e1:7")).want("Deliver A/1@e1:7 holders [A]")
		s.now = time.Minute
		s.give(logroom.Tick{}).want()
		return s.wrong
	}},
	{"a reply of a newer epoch", "ack newest", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A")
		s.give(logroom.Publish{Message: message("A/1"), Birth: pos("e1:5"), Reply: "reply"}).want("Append 2 A/1")
		// It was stored before, and the cursor of A lies beyond; but which log that was, the room does not know.
		s.give(logroom.Appended{Request: 2, Epoch: "e2", At: pos("e2:7"), Duplicate: true}).want(
			"ReadPage {Request:3 From:e1:10 Limit:256}")
		return s.wrong
	}},
	{"publications behind the outbox", "queue", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A", "B")
		s.give(logroom.Isolated{}, logroom.Unsubscribed{}).want()
		s.give(logroom.Publish{Message: message("A/1"), Birth: pos("e1:10"), Reply: "r1"}).want(
			"Show A/1 to [B]", "Outcome A/1 kept at none duplicate false for r1")
		s.give(logroom.Connected{}, logroom.Publish{Message: message("A/2"), Birth: pos("e1:10"), Reply: "r2"}).want()
		s.give(logroom.Subscribed{Number: 1}, page(2, "e1:1", 10, 0, "")).want(
			"ReadPage {Request:2 From:e1:10 Limit:256}", "Append 3 A/1")
		s.give(logroom.Appended{Request: 3, Epoch: "e1", At: pos("e1:11")}).want(
			"Deliver A/1@e1:11 holders [A B]", "Append 4 A/2")
		s.give(logroom.Appended{Request: 4, Epoch: "e1", At: pos("e1:12")}).want("Deliver A/2@e1:12 holders [A]")
		return s.wrong
	}},
	{"the outbox waits for the catch-up", "first", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A", "B")
		s.give(logroom.Isolated{}, logroom.Unsubscribed{}, logroom.Publish{Message: message("A/1"), Birth: pos("e1:10")})
		s.give(logroom.Connected{}).want()
		s.give(logroom.Subscribed{Number: 1}).want("ReadPage {Request:2 From:e1:10 Limit:256}")
		s.give(page(2, "e1:1", 11, 0, "C/1@e1:11")).want("Deliver C/1@e1:11 holders []", "Append 3 A/1")
		return s.wrong
	}},
	{"what was stored all along is settled", "settle", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(10, "A", "B")
		s.give(logroom.Publish{Message: message("C/1"), Own: true}).want("Append 2 C/1")
		s.give(logroom.Isolated{}).want("Show C/1 to [A B]", "Outcome C/1 kept at none duplicate false for <nil>")
		// The copy comes all the same, to A; B came back and has it from elsewhere.
		s.give(logroom.Leave{Session: "A"}, join("A", "e1:10")).want("Attach {Session:A At:e1:10 Fresh:false}")
		s.give(logroom.Connected{}, logroom.Subscribed{Number: 1}, page(3, "e1:1", 10, 0, "")).want(
			"ReadPage {Request:3 From:e1:10 Limit:256}", "Append 4 C/1")
		s.give(logroom.Appended{Request: 4, Epoch: "e1", At: pos("e1:9"), Duplicate: true}).want(
			"Outcome C/1 stored at e1:9 duplicate true for <nil>", "Settle {Session:B ID:C/1 At:e1:9}")
		return s.wrong
	}},
	{"no read before the subscription is confirmed", "confirmed", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off)
		s.give(logroom.Connected{}, join("A", "")).want("Subscribe {Number:1}")
		s.give(logroom.Subscribed{Number: 1}).want("ReadPage {Request:1 From:none Limit:256}")
		s.give(page(1, "e1:1", 5, 0, "")).want("Attach {Session:A At:e1:5 Fresh:true}")
		return s.wrong
	}},
	{"a confirmation of a subscription that is over", "", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off)
		s.give(logroom.Connected{}, join("A", ""), logroom.Leave{Session: "A"}, join("B", "")).want(
			"Subscribe {Number:1}", "Unsubscribe {}", "Subscribe {Number:2}")
		s.give(logroom.Subscribed{Number: 1}).want()
		s.give(logroom.Subscribed{Number: 2}).want("ReadPage {Request:1 From:none Limit:256}")
		return s.wrong
	}},
	{"live entries during a catch-up", "buffer", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
		s.give(published("B/1@e1:6")).want()
		s.give(page(2, "e1:1", 5, 0, "")).want("Deliver B/1@e1:6 holders []")
		return s.wrong
	}},
	{"a resume that is ahead of the room", "resume wait", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}, join("B", "e1:7"))
		s.give(page(2, "e1:1", 5, 0, "")).want("ReadPage {Request:3 From:e1:5 Limit:256}")
		s.give(page(3, "e1:1", 7, 0, "C/1@e1:6 C/2@e1:7")).want(
			"Deliver C/1@e1:6 holders []", "Deliver C/2@e1:7 holders []", "Attach {Session:B At:e1:7 Fresh:false}")
		return s.wrong
	}},
	{"what is too old is not stored", "age", func(off mutant) error {
		s := newSchedule(logroom.Options{MaxAge: time.Minute}, off).live(5, "A")
		s.give(logroom.Isolated{}, logroom.Publish{Message: message("A/1"), Birth: pos("e1:5")})
		s.now = time.Minute + 1
		s.give(logroom.Tick{}).want("Drop A/1")
		s.give(logroom.Connected{}, logroom.Subscribed{Number: 1}, page(2, "e1:1", 5, 0, "")).want(
			"ReadPage {Request:2 From:e1:5 Limit:256}")
		return s.wrong
	}},
	{"what was shown and then came as history", "recalled", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(9, "A")
		s.give(logroom.Isolated{}, logroom.Leave{Session: "A"})
		wants := join("A", "") // into a room that knows nothing
		wants.History = 1
		s.give(wants, publish("B/1", "", "r")).want("Subscribe {Number:2}", "Show B/1 to [A]",
			"Outcome B/1 kept at none duplicate false for r")
		s.give(logroom.Connected{}, logroom.Subscribed{Number: 2}, page(2, "e1:1", 10, 0, "")).want(
			"ReadPage {Request:2 From:none Limit:256}", "Attach {Session:A At:e1:10 Fresh:true}",
			"ReadPage {Request:3 From:e1:9 Limit:1}", "Append 4 B/1")
		s.give(page(3, "e1:1", 10, 0, "B/1@e1:10")).want("History to A B/1@e1:10") // another hub was quicker
		// Redis loses everything, and the append comes to an empty log: A has no row of it any more.
		s.give(logroom.Appended{Request: 4, Epoch: "e2", At: pos("e2:1")}).want(
			"Outcome B/1 stored at e2:1 duplicate false for r", "ReadPage {Request:5 From:e1:10 Limit:256}")
		s.give(reset(5, "e2:1", 0)).want(
			"Reset {Session:<nil> At:e2:0}")
		s.give(published("B/1@e2:1")).want("Deliver B/1@e2:1 holders []")
		return s.wrong
	}},
	{"a log that loses what is being replayed", "orphans replay", func(off mutant) error {
		s := newSchedule(logroom.Options{Page: 4}, off).live(10, "A")
		s.give(join("B", "e1:2"))
		s.give(page(2, "e1:1", 10, 0, "C/3@e1:3 C/4@e1:4 C/5@e1:5 C/6@e1:6")).want(
			"Replay to B C/3@e1:3 held false C/4@e1:4 held false C/5@e1:5 held false C/6@e1:6 held false")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}, page(3, "e1:1,e2:4", 3, 4, "")).want(
			"ReadPage {Request:3 From:e1:10 Limit:4}", "Orphans {Session:<nil> At:e1:3 To:10}",
			"Orphans {Session:B At:e1:3 To:6}")
		return s.wrong
	}},
	{"a reply of a catch-up that was abandoned", "awaited", func(off mutant) error {
		s := newSchedule(logroom.Options{}, off).live(5, "A")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}).want("ReadPage {Request:2 From:e1:5 Limit:256}")
		s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}).want("ReadPage {Request:3 From:e1:5 Limit:256}")
		s.give(page(2, "e1:1", 5, 0, "")).want()
		s.give(page(3, "e1:1", 6, 0, "B/1@e1:6")).want("Deliver B/1@e1:6 holders []")
		return s.wrong
	}},
}

func TestDirected(t *testing.T) {
	for _, tt := range directed {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.run(mutant{}); err != nil {
				t.Error(err)
			}
		})
	}
}
