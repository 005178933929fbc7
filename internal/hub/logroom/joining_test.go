package logroom_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// TestPublishedBeforeJoining has a client publish, and join before that is answered, as the first in a room that then
// catches up, whose first read has the message already. The publisher is told all the same.
func TestPublishedBeforeJoining(t *testing.T) {
	s := newSchedule(logroom.Options{}, mutant{})
	s.give(logroom.Connected{}, publish("A/1", "", "r")).want("Append 1 A/1")
	var all []string
	for _, e := range []logroom.Event{
		join("A", ""), logroom.Subscribed{Number: 1},
		logroom.Appended{Request: 1, Epoch: "e1", At: pos("e1:1")},
		page(2, "e1:1", 1, 0, ""), logroom.Tick{},
	} {
		all = append(all, s.give(e).got...)
	}
	if !slices.ContainsFunc(all, func(e string) bool { return strings.HasPrefix(e, "Outcome A/1 stored") }) {
		t.Errorf("the publisher is never told that its message is stored:\n  %s", strings.Join(all, "\n  "))
	}
}
