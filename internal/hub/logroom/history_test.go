package logroom_test

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// TestHistoryOfOneIsNotThatOfAnother has two sessions ask for history while nothing is in the ring, the first
// for little, the second for more. The second gets all that there is of what it asked for.
func TestHistoryOfOneIsNotThatOfAnother(t *testing.T) {
	s := newSchedule(logroom.Options{}, mutant{}).live(5, "A")
	for session, n := range []int{1, 4} {
		j := join(fmt.Sprint("S", session), "")
		j.History = n
		s.give(j)
	}
	all := "D/1@e1:1 D/2@e1:2 D/3@e1:3 D/4@e1:4 D/5@e1:5"
	var got string
	answer := func(e logroom.Event) (asked []logroom.ReadPage) {
		for _, effect := range s.room.Step(0, e, nil) {
			switch effect := effect.(type) {
			case logroom.ReadPage:
				asked = append(asked, effect)
			case logroom.History:
				if effect.Session == "S1" {
					got = describe(effect)
				}
			}
		}
		return asked
	}
	asked := answer(page(2, "e1:1", 5, 0, "D/5@e1:5"))
	for len(asked) > 0 { // whatever else it reads
		from := list(all)[asked[0].From.Offset:]
		r := page(asked[0].Request, "e1:1", 5, 0, "")
		r.Page.Entries = from[:min(len(from), asked[0].Limit)]
		asked = answer(r)
	}
	if want := "History to S1 D/2@e1:2 D/3@e1:3 D/4@e1:4 D/5@e1:5"; got != want {
		t.Errorf("who asked for 4 got\n  %s\nwant\n  %s", got, want)
	}
}
