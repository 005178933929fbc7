//go:build !race

package ws

import "testing"

// TestDeliveryDoesNotAllocate publishes in rooms of 20 and of 500: what is allocated for a publication does not depend
// on how many get it, so a delivery allocates nothing.
func TestDeliveryDoesNotAllocate(t *testing.T) {
	perPublication := func(members int) float64 {
		l := newHandLoop(t, Options{})
		conns := l.open("live.r", members)
		round := func() {
			l.publish("live.r", "a message of usual length, perhaps")
			for l.round1(); waiting(conns) > 0; {
				l.round1()
			}
		}
		round()
		round()
		return testing.AllocsPerRun(100, round)
	}
	few, many := perPublication(20), perPublication(500)
	t.Logf("%v allocations for a publication to 20, %v to 500", few, many)
	if many > few || few > 12 {
		t.Errorf("%v allocations for a publication to 20, %v to 500", few, many)
	}
}
