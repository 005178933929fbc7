package logroom_test

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// publish is a publication whose answer is asked for under a name.
func publish(id, birth, reply string) logroom.Publish {
	p := logroom.Publish{Message: message(id), Reply: reply}
	if birth != "" {
		p.Birth = pos(birth)
	}
	return p
}

// TestPublish shows what becomes of a publication.
func TestPublish(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(s *schedule)
	}{
		{"stored, and told by the stream", func(s *schedule) {
			s.live(5, "A", "B").give(publish("A/1", "e1:5", "r")).want("Append 2 A/1")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:6")}).want("Deliver A/1@e1:6 holders [A]")
			s.give(published("A/1@e1:6")).want()
		}},
		{"stored, and the copy comes first", func(s *schedule) {
			s.live(5, "A", "B").give(publish("A/1", "e1:5", "r"))
			s.give(published("A/1@e1:6")).want("Deliver A/1@e1:6 holders [A]")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:6")}).want() // A has it from the stream
		}},
		{"stored, and read before the sender was there", func(s *schedule) {
			s.live(5, "B").give(publish("A/1", "", "r"), published("A/1@e1:6"), join("A", "")).want(
				"Append 2 A/1", "Deliver A/1@e1:6 holders []", "Attach {Session:A At:e1:6 Fresh:true}")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:6")}).want(
				"Outcome A/1 stored at e1:6 duplicate false for r")
		}},
		{"stored, and passed over by a reset", func(s *schedule) {
			s.live(5, "A").give(publish("A/1", "e1:5", "r"), logroom.Unsubscribed{}, logroom.Subscribed{Number: 1})
			s.give(reset(3, "e2:1", 9)).want("Reset {Session:<nil> At:e2:9}")
			s.give(logroom.Appended{Request: 2, Epoch: "e2", At: pos("e2:8")}).want(
				"Outcome A/1 stored at e2:8 duplicate false for r")
		}},
		{"stored beyond the next", func(s *schedule) {
			s.live(5, "A").give(publish("A/1", "e1:5", "r"))
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:7")}).want()
			s.give(published("C/1@e1:6 A/1@e1:7")).want("Deliver C/1@e1:6 holders []", "Deliver A/1@e1:7 holders [A]")
		}},
		{"by somebody who is not in the room", func(s *schedule) {
			s.live(5, "A").give(publish("C/1", "", "r")).want("Append 2 C/1")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:7")}).want(
				"Outcome C/1 stored at e1:7 duplicate false for r")
		}},
		{"refused, and unknown", func(s *schedule) {
			s.live(5, "A").give(publish("A/1", "e1:5", "r1"), publish("A/2", "e1:5", "r2"))
			s.give(logroom.AppendFailed{Request: 2, Refused: true}).want("Outcome A/1 refused at none duplicate false for r1")
			s.give(logroom.AppendFailed{Request: 3}).want("Outcome A/2 unknown at none duplicate false for r2")
			s.give(logroom.AppendFailed{Request: 3}, logroom.Appended{Request: 3}).want()
		}},
		{"answered out of order", func(s *schedule) {
			s.live(5, "A").give(publish("C/1", "", "r1"), publish("C/2", "", "r2"), publish("C/3", "", "r3"))
			s.give(logroom.Appended{Request: 3, Epoch: "e1", At: pos("e1:4"), Duplicate: true}).want(
				"Outcome C/2 stored at e1:4 duplicate true for r2")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:3"), Duplicate: true}).want(
				"Outcome C/1 stored at e1:3 duplicate true for r1")
			s.give(logroom.AppendFailed{Request: 4}).want("Outcome C/3 unknown at none duplicate false for r3")
			if n := s.room.Sizes().Unanswered; n != 0 && s.wrong == nil {
				s.wrong = fmt.Errorf("%d are in flight", n)
			}
		}},
		{"in flight when the hub is cut off", func(s *schedule) {
			own := publish("C/1", "", "")
			own.Own = true
			s.live(5, "A", "B").give(publish("A/1", "e1:5", "r1"), own)
			s.give(logroom.Isolated{}).want("Outcome A/1 unknown at none duplicate false for r1", "Show C/1 to [A B]",
				"Outcome C/1 kept at none duplicate false for ")
			s.give(logroom.Appended{Request: 2, Epoch: "e1", At: pos("e1:6")}).want() // too late to count
		}},
		{"kept, and retried", func(s *schedule) {
			s.live(5, "A", "B").give(logroom.Isolated{})
			s.give(publish("A/1", "e1:5", "r1")).want("Show A/1 to [B]", "Outcome A/1 kept at none duplicate false for r1")
			s.give(publish("A/1", "e1:5", "r2")).want("Outcome A/1 kept at none duplicate false for r2")
			s.give(logroom.Leave{Session: "A"}, logroom.Connected{}, publish("A/1", "e1:5", "r3")).want()
			s.give(logroom.Subscribed{Number: 1}, page(2, "e1:1", 5, 0, "")).want(
				"ReadPage {Request:2 From:e1:5 Limit:256}", "Append 3 A/1")
			s.give(logroom.AppendFailed{Request: 3}).want()
			s.give(logroom.Tick{}).want("Append 4 A/1")
			s.give(logroom.AppendFailed{Request: 3}, logroom.Tick{}).want() // of before
			s.give(logroom.Appended{Request: 4, Epoch: "e1", At: pos("e1:6")}).want(
				"Outcome A/1 stored at e1:6 duplicate false for r1",
				"Outcome A/1 stored at e1:6 duplicate false for r2",
				"Outcome A/1 stored at e1:6 duplicate false for r3", "Deliver A/1@e1:6 holders [B]")
			s.give(publish("A/1", "e1:5", "r4")).want("Append 5 A/1") // it is kept no more
			s.give(logroom.Appended{Request: 5, Epoch: "e1", At: pos("e1:6"), Duplicate: true}).want(
				"Outcome A/1 stored at e1:6 duplicate true for r4")
		}},
		{"more than the budget", func(s *schedule) {
			s.live(5, "A", "B").give(logroom.Isolated{})
			big := publish("A/1", "e1:5", "r1")
			big.Message.Data = make([]byte, 1<<20)
			s.give(big).want("Outcome A/1 full at none duplicate false for r1")
		}},
		{"held by who was shown it on this connection", func(s *schedule) {
			s.live(5, "A", "B", "C", "D").give(logroom.Isolated{}, publish("A/1", "e1:5", "r")).want(
				"Show A/1 to [B C D]", "Outcome A/1 kept at none duplicate false for r")
			s.give(logroom.Leave{Session: "B"}, logroom.Leave{Session: "C"}, join("C", "e1:5"), join("E", "e1:5"))
			s.give(publish("A/1", "e1:5", "r")).want("Outcome A/1 kept at none duplicate false for r")
			s.give(logroom.Connected{}, logroom.Subscribed{Number: 1}, page(2, "e1:1", 5, 0, "")).want(
				"ReadPage {Request:2 From:e1:5 Limit:256}", "Append 3 A/1")
			s.give(logroom.Appended{Request: 3, Epoch: "e1", At: pos("e1:6")}).want("Deliver A/1@e1:6 holders [A D]")
		}},
		{"shown to a crowd", func(s *schedule) {
			const people, messages = 500, 1000
			s.live(5)
			for i := range people {
				s.give(join(fmt.Sprint("c", i), ""))
			}
			s.give(logroom.Subscribed{Number: 1}, page(1, "e1:1", 5, 0, ""), logroom.Isolated{})
			for i := range messages {
				s.give(publish(fmt.Sprint("c0/", i), "e1:5", "r"))
			}
			if got := s.room.Sizes(); got.Marks != messages || got.Pairs != 0 {
				s.wrong = fmt.Errorf("%d marks that name %d people", got.Marks, got.Pairs)
			}
		}},
		{"what fails is queued in its order", func(s *schedule) {
			own := func(id string) logroom.Publish { return logroom.Publish{Message: message(id), Own: true, Reply: id} }
			s.live(5, "A", "B").give(own("C/1"), own("C/2"), own("C/3")).want("Append 2 C/1", "Append 3 C/2", "Append 4 C/3")
			s.give(logroom.AppendFailed{Request: 4}, logroom.AppendFailed{Request: 2}, own("C/4"), logroom.Isolated{}).want(
				"Show C/1 to [A B]", "Outcome C/1 kept at none duplicate false for C/1",
				"Show C/2 to [A B]", "Outcome C/2 kept at none duplicate false for C/2",
				"Show C/3 to [A B]", "Outcome C/3 kept at none duplicate false for C/3",
				"Show C/4 to [A B]", "Outcome C/4 kept at none duplicate false for C/4")
			s.give(logroom.Connected{}, logroom.Subscribed{Number: 1}, page(5, "e1:1", 5, 0, "")).want(
				"ReadPage {Request:5 From:e1:5 Limit:256}", "Append 6 C/1")
		}},
		{"queued, and then cut off", func(s *schedule) {
			s.live(5, "A", "B").give(publish("C/1", "", ""))
			s.give(logroom.Publish{Message: message("C/2"), Own: true, Reply: "r"}).want("Append 3 C/2")
			// Its answer is lost, and the hub has it to retry; only then it learns that it is cut off.
			s.give(logroom.AppendFailed{Request: 3}).want()
			s.give(publish("A/1", "e1:5", "r1")).want()
			s.give(logroom.Isolated{}).want("Outcome C/1 unknown at none duplicate false for ",
				"Show C/2 to [A B]", "Outcome C/2 kept at none duplicate false for r",
				"Show A/1 to [B]", "Outcome A/1 kept at none duplicate false for r1")
			s.give(logroom.Connected{}, logroom.Isolated{}).want() // shown and told once
		}},
		{"shown to whom cannot have it", func(s *schedule) {
			s.live(5, "A", "B").give(logroom.Isolated{}, join("C", "e1:3"), join("D", "e1:6"), join("E", "e2:1"))
			none := join("F", "e1:5")
			none.Provisional = false
			s.give(none).want("Attach {Session:F At:e1:5 Fresh:false}")
			s.give(publish("A/1", "e1:4", "r")).want("Show A/1 to [C]", "Outcome A/1 kept at none duplicate false for r")
			s.give(publish("A/2", "e1:6", "r")).want("Show A/2 to [B C D]", "Outcome A/2 kept at none duplicate false for r")
			s.give(publish("A/3", "", "r")).want("Outcome A/3 kept at none duplicate false for r")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSchedule(logroom.Options{}, mutant{})
			if tt.run(s); s.wrong != nil {
				t.Error(s.wrong)
			}
		})
	}
}
