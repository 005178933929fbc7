package logroom_test

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// TestResumeStorm has thousands resume at a hub that did not have the room: it reads once, and serves them from its
// ring.
func TestResumeStorm(t *testing.T) {
	const sessions, top = 10_000, 1000
	all := make([]logroom.Entry, top)
	for i := range all {
		all[i] = logroom.Entry{
			At:      logroom.Position{Epoch: "e1", Offset: uint64(i + 1)},
			Message: message(fmt.Sprint("B/", i+1)),
		}
	}
	room := logroom.New(logroom.Options{}, logroom.NewBudget(1<<20))
	var reads []logroom.ReadPage
	attached, replayed := 0, 0
	give := func(e logroom.Event) {
		for _, effect := range room.Step(0, e, nil) {
			switch effect := effect.(type) {
			case logroom.ReadPage:
				reads = append(reads, effect)
			case logroom.Attach:
				attached++
			case logroom.Replay:
				replayed += len(effect.Items)
			}
		}
	}
	give(logroom.Connected{})
	want := 0
	for i := range sessions {
		cursor := uint64(top - i*7%100)
		want += top - int(cursor)
		give(join(fmt.Sprint("c", i), fmt.Sprint("e1:", cursor)))
		switch i {
		case 10:
			give(logroom.Subscribed{Number: 1})
		case sessions / 2:
			from := reads[0].From.Offset
			end := min(int(from)+reads[0].Limit, top)
			give(logroom.Read{Request: reads[0].Request, Page: logroom.Page{
				Epoch: "e1", Top: top, Forks: forks("e1:1"), Entries: all[from:end],
			}})
		}
	}
	if len(reads) != 1 || attached != sessions || replayed != want {
		t.Errorf("%d reads, %d attached, %d entries replayed, want 1, %d, %d",
			len(reads), attached, replayed, sessions, want)
	}
}

// TestIdle shows that a room is nothing once nobody is in it and nothing is under way, and that what it held is free.
func TestIdle(t *testing.T) {
	s := newSchedule(logroom.Options{}, mutant{}).live(5, "A", "B")
	idle := func(want bool) {
		t.Helper()
		if got := s.room.Idle(); got != want {
			t.Errorf("idle %v, want %v", got, want)
		}
	}
	s.give(logroom.Leave{Session: "A"}).want()
	idle(false)
	s.give(logroom.Publish{Message: message("B/1"), Reply: "r"}).want("Append 2 B/1")
	s.give(logroom.Leave{Session: "B"}, logroom.Leave{Session: "nobody"}).want("Unsubscribe {}")
	idle(false)
	s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:6")}).want(
		"Outcome B/1 stored at e1:6 duplicate false for r")
	idle(true)
	if s.wrong != nil || s.budget.Used() != 0 {
		t.Errorf("%v, %d bytes", s.wrong, s.budget.Used())
	}
}

// TestHistory shows where the history of a join comes from.
func TestHistory(t *testing.T) {
	wants := func(session string, n int) logroom.Join {
		j := join(session, "")
		j.History = n
		return j
	}
	for _, tt := range []struct {
		name    string
		options logroom.Options
		run     func(s *schedule)
	}{
		{"from the ring", logroom.Options{}, func(s *schedule) {
			s.live(5, "A").give(published("B/6@e1:6 B/7@e1:7"))
			s.give(wants("C", 2)).want("Attach {Session:C At:e1:7 Fresh:true}", "History to C B/6@e1:6 B/7@e1:7")
		}},
		{"from the log, once for all who wait", logroom.Options{}, func(s *schedule) {
			s.live(5, "A").give(wants("B", 3), wants("C", 2)).want("Attach {Session:B At:e1:5 Fresh:true}",
				"ReadPage {Request:2 From:e1:2 Limit:3}", "Attach {Session:C At:e1:5 Fresh:true}")
			s.give(published("D/6@e1:6")).want("Deliver D/6@e1:6 holders []")
			s.give(page(2, "e1:1", 6, 0, "D/3@e1:3 D/4@e1:4 D/5@e1:5")).want(
				"History to B D/4@e1:4 D/5@e1:5 D/6@e1:6", "History to C D/5@e1:5 D/6@e1:6")
			s.give(wants("E", 4)).want("Attach {Session:E At:e1:6 Fresh:true}",
				"History to E D/3@e1:3 D/4@e1:4 D/5@e1:5 D/6@e1:6")
		}},
		{"from several pages", logroom.Options{Page: 2}, func(s *schedule) {
			s.live(5, "A").give(wants("B", 3)).want(
				"Attach {Session:B At:e1:5 Fresh:true}", "ReadPage {Request:2 From:e1:2 Limit:2}")
			s.give(page(2, "e1:1", 5, 0, "D/3@e1:3 D/4@e1:4")).want("ReadPage {Request:3 From:e1:4 Limit:1}")
			s.give(page(3, "e1:1", 5, 0, "D/5@e1:5")).want("History to B D/3@e1:3 D/4@e1:4 D/5@e1:5")
		}},
		{"of a log that was trimmed", logroom.Options{}, func(s *schedule) {
			s.live(7, "A").give(wants("B", 4)).want(
				"Attach {Session:B At:e1:7 Fresh:true}", "ReadPage {Request:2 From:e1:3 Limit:4}")
			trimmed := reset(2, "e1:1", 7)
			trimmed.Page.Before = 5
			s.give(trimmed).want("ReadPage {Request:3 From:e1:5 Limit:2}")
			s.give(page(3, "e1:1", 7, 0, "D/6@e1:6 D/7@e1:7")).want("History to B D/6@e1:6 D/7@e1:7")
			s.give(wants("C", 4)).want( // and is not asked again
				"Attach {Session:C At:e1:7 Fresh:true}", "History to C D/6@e1:6 D/7@e1:7")
		}},
		{"no more than the ring holds", logroom.Options{Ring: 2}, func(s *schedule) {
			s.live(5, "A").give(published("B/6@e1:6 B/7@e1:7"))
			s.give(wants("C", 9)).want("Attach {Session:C At:e1:7 Fresh:true}", "History to C B/6@e1:6 B/7@e1:7")
		}},
		{"no more than goes out at once", logroom.Options{Portion: 2 * logroom.Size(message("B/1"))}, func(s *schedule) {
			s.live(5, "A").give(published("B/6@e1:6 B/7@e1:7 B/8@e1:8"))
			s.give(wants("C", 3)).want("Attach {Session:C At:e1:8 Fresh:true}", "History to C B/7@e1:7 B/8@e1:8")
		}},
		{"of a hub that is cut off", logroom.Options{}, func(s *schedule) {
			s.live(5, "A").give(published("B/6@e1:6"), wants("C", 3)).want("Deliver B/6@e1:6 holders []",
				"Attach {Session:C At:e1:6 Fresh:true}", "ReadPage {Request:2 From:e1:3 Limit:2}")
			s.give(logroom.Isolated{}, logroom.Tick{}).want("History to C B/6@e1:6")
			s.give(wants("E", 9)).want("Attach {Session:E At:e1:6 Fresh:true}", "History to E B/6@e1:6")
		}},
		{"of another epoch: the room catches up first", logroom.Options{}, func(s *schedule) {
			s.live(5, "A").give(wants("C", 2)).want(
				"Attach {Session:C At:e1:5 Fresh:true}", "ReadPage {Request:2 From:e1:3 Limit:2}")
			s.give(page(2, "e1:1,e2:6", 6, 0, "B/4@e1:4 B/5@e1:5")).want("ReadPage {Request:3 From:e1:5 Limit:256}")
			s.give(page(3, "e1:1,e2:6", 6, 0, "B/6@e2:6")).want(
				"Deliver B/6@e2:6 holders []", "ReadPage {Request:4 From:e1:4 Limit:1}")
			s.give(page(4, "e1:1,e2:6", 6, 0, "B/5@e1:5")).want("History to C B/5@e1:5 B/6@e2:6")
		}},
		{"of a log that is lost between two pages", logroom.Options{Page: 1}, func(s *schedule) {
			s.live(2, "A").give(wants("C", 2)).want(
				"Attach {Session:C At:e1:2 Fresh:true}", "ReadPage {Request:2 From:e1:0 Limit:1}")
			s.give(page(2, "e1:1", 2, 0, "B/1@e1:1")).want("ReadPage {Request:3 From:e1:1 Limit:1}")
			// Another log takes its place, as long as what was read of the first.
			s.give(published("D/1@e2:1")).want("ReadPage {Request:4 From:e1:2 Limit:1}")
			s.give(reset(4, "e2:1", 1)).want(
				"Reset {Session:<nil> At:e2:1}", "ReadPage {Request:5 From:e2:0 Limit:1}")
			s.give(reset(3, "e2:1", 1)).want() // nobody waits for it any more
			s.give(page(5, "e2:1", 1, 0, "D/1@e2:1")).want("History to C D/1@e2:1")
		}},
		{"of nothing", logroom.Options{}, func(s *schedule) {
			s.live(0, "A").give(wants("C", 3)).want("Attach {Session:C At:e1:0 Fresh:true}", "History to C")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSchedule(tt.options, mutant{})
			if tt.run(s); s.wrong != nil {
				t.Error(s.wrong)
			}
		})
	}
}

// BenchmarkPublished is the way of a message that comes from another hub, in a room of some size: what the core
// costs.
func BenchmarkPublished(b *testing.B) {
	for _, sessions := range []int{1, 1000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			s := newSchedule(logroom.Options{}, mutant{})
			s.give(logroom.Connected{})
			for i := range sessions {
				s.give(join(fmt.Sprint("c", i), ""))
			}
			s.give(logroom.Subscribed{Number: 1}, page(1, "e1:1", 0, 0, ""))
			m := message("B/1")
			var effects []logroom.Effect
			entries := make([]logroom.Entry, 1)
			offset := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				offset++
				entries[0] = logroom.Entry{At: logroom.Position{Epoch: "e1", Offset: offset}, Message: m}
				effects = s.room.Step(0, logroom.Published{Entries: entries}, effects[:0])
			}
			if len(effects) != 1 {
				b.Fatalf("%d effects", len(effects))
			}
		})
	}
}

// TestRoom shows in small steps what a room does where nothing rare happens.
func TestRoom(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(s *schedule)
	}{
		{"another session of the same publisher", func(s *schedule) {
			s.live(5, "A", "B")
			again := join("A2", "e1:5")
			again.Publisher = "A"
			s.give(again).want("Detach {Session:A}", "Attach {Session:A2 At:e1:5 Fresh:false}")
			s.give(logroom.Leave{Session: "A"}).want()
			s.give(published("A/1@e1:6")).want("Deliver A/1@e1:6 holders [A2]")
		}},
		{"the last leaves and the next comes", func(s *schedule) {
			s.live(5, "A").give(published("C/1@e1:6"))
			s.give(logroom.Leave{Session: "A"}, published("C/2@e1:7"), join("B", "e1:6")).want(
				"Unsubscribe {}", "Subscribe {Number:2}")
			s.give(logroom.Top{Epoch: "e1", Offset: 7}).want() // not before it is confirmed
			s.give(logroom.Subscribed{Number: 2}).want("ReadPage {Request:2 From:e1:4 Limit:3}")
		}},
		{"a read that fails is tried again", func(s *schedule) {
			s.live(5, "A").give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
			s.give(logroom.ReadFailed{Request: 2}).want()
			s.give(logroom.Tick{}).want("ReadPage {Request:3 From:e1:5 Limit:3}")
			s.give(logroom.Read{Request: 3}).want() // no log at all
			s.give(logroom.Tick{}).want("ReadPage {Request:4 From:e1:5 Limit:3}")
		}},
		{"and so are a replay's and a history's", func(s *schedule) {
			wants := join("B", "")
			wants.History = 2
			s.live(5, "A").give(wants, join("C", "e1:1")).want("Attach {Session:B At:e1:5 Fresh:true}",
				"ReadPage {Request:2 From:e1:3 Limit:2}", "ReadPage {Request:3 From:e1:1 Limit:3}")
			s.give(logroom.ReadFailed{Request: 2}, logroom.ReadFailed{Request: 3}).want()
			s.give(logroom.Tick{}).want("ReadPage {Request:4 From:e1:3 Limit:2}", "ReadPage {Request:5 From:e1:1 Limit:3}")
		}},
		{"the first read begins before the oldest cursor", func(s *schedule) {
			s.give(logroom.Connected{}, join("A", "e1:8"), join("B", "e1:6"), join("C", "")).want("Subscribe {Number:1}")
			s.give(logroom.Subscribed{Number: 1}).want("ReadPage {Request:1 From:e1:4 Limit:3}")
			s.give(page(1, "e1:1", 8, 0, "D/5@e1:5 D/6@e1:6 D/7@e1:7")).want("ReadPage {Request:2 From:e1:7 Limit:3}")
			s.give(page(2, "e1:1", 8, 0, "D/8@e1:8")).want("Attach {Session:A At:e1:8 Fresh:false}",
				"Replay to B D/7@e1:7 held false D/8@e1:8 held false", "Attach {Session:B At:e1:8 Fresh:false}",
				"Attach {Session:C At:e1:8 Fresh:true}")
		}},
		{"and not where that is too far", func(s *schedule) {
			s.give(logroom.Connected{}, join("A", "e1:5"), logroom.Subscribed{Number: 1}).want("Subscribe {Number:1}",
				"ReadPage {Request:1 From:e1:3 Limit:3}")
			s.give(page(1, "e1:1", 900, 0, "D/4@e1:4 D/5@e1:5 D/6@e1:6")).want("ReadPage {Request:2 From:e1:5 Limit:3}")
			s.give(published("D/901@e1:901")).want() // the room itself is at the end
			if got := s.room.Position(); got != pos("e1:901") && s.wrong == nil {
				s.wrong = fmt.Errorf("the room is at %v", got)
			}
		}},
		{"a replay in portions", func(s *schedule) {
			s.live(2, "A").give(published("D/3@e1:3 D/4@e1:4 D/5@e1:5 D/6@e1:6"))
			s.give(join("B", "e1:2")).want("Replay to B D/3@e1:3 held false D/4@e1:4 held false D/5@e1:5 held false")
			s.give(published("D/7@e1:7")).want("Deliver D/7@e1:7 holders []")
			s.give(logroom.Ready{Session: "B"}).want("Replay to B D/6@e1:6 held false D/7@e1:7 held false",
				"Attach {Session:B At:e1:7 Fresh:false}")
			s.give(logroom.Ready{Session: "B"}, logroom.Ready{Session: "nobody"}).want()
		}},
		{"orphans of a replay", func(s *schedule) {
			s.live(9, "A").give(join("B", "e1:2"), page(2, "e1:1", 9, 0, "D/3@e1:3 D/4@e1:4 D/5@e1:5"))
			s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1}, page(3, "e1:1,e2:4", 3, 4, "")).want(
				"ReadPage {Request:3 From:e1:9 Limit:3}", "Orphans {Session:<nil> At:e1:3 To:9}",
				"Orphans {Session:B At:e1:3 To:5}")
			s.give(logroom.Ready{Session: "B"}).want("Attach {Session:B At:e1:3 Fresh:false}")
		}},
		{"an epoch that nobody has heard of", func(s *schedule) {
			s.live(5, "A").give(published("D/6@e2:6")).want("ReadPage {Request:2 From:e1:5 Limit:3}")
		}},
		{"a cursor that the room cannot place", func(s *schedule) {
			s.live(5, "A").give(join("B", "e9:5")).want("ReadPage {Request:2 From:e1:5 Limit:3}")
			s.give(page(2, "e1:1", 5, 0, "")).want("Reset {Session:B At:e1:5}", "Attach {Session:B At:e1:5 Fresh:false}")
		}},
		{"an old primary is back", func(s *schedule) {
			s.live(5, "A").give(logroom.Top{Epoch: "e2", Offset: 5}, page(2, "e1:1,e2:6", 5, 0, ""))
			s.give(published("D/6@e1:6")).want()
			s.give(logroom.Top{Epoch: "e1", Offset: 6}).want("ReadPage {Request:3 From:e1:5 Limit:3}")
		}},
		{"confirmed before it is connected", func(s *schedule) {
			s.live(5, "A").give(logroom.Isolated{}, logroom.Subscribed{Number: 1}).want()
			s.give(logroom.Connected{}).want("ReadPage {Request:2 From:e1:5 Limit:3}")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSchedule(logroom.Options{Ring: 5, Page: 3}, mutant{})
			if tt.run(s); s.wrong != nil {
				t.Error(s.wrong)
			}
		})
	}
}

// TestBufferBytes shows that what waits during a catch-up is bounded in bytes too.
func TestBufferBytes(t *testing.T) {
	s := newSchedule(logroom.Options{BufferBytes: 2 * logroom.Size(message("B/1"))}, mutant{}).live(5, "A")
	s.give(logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
	for i := range 100 {
		s.give(published(fmt.Sprintf("B/%d@e1:%d", i%10, 6+i))).want()
		if n := s.room.Sizes().Buffer; n > 3 {
			t.Fatalf("%d entries wait", n)
		}
	}
	s.give(page(2, "e1:1", 5, 0, "")).want("ReadPage {Request:3 From:e1:5 Limit:256}")
	if s.wrong != nil {
		t.Error(s.wrong)
	}
}
