package bench

import (
	"testing"
	"time"
)

// TestRests has something to read each time that the loop looks: with messages that go by the clock it looks seldom after
// a while, with a window always at once.
func TestRests(t *testing.T) {
	for _, o := range []Options{{Conns: 2, Rate: 1}, {Conns: 2, Window: 1}} {
		l := loadOf(t, o)
		l.begin()
		p := &loop{load: l}
		now, rests := int64(time.Minute), 0
		const looks = 1000
		for range looks {
			if rest := p.rest(now); rest > 0 {
				rests++
				now += rest
			}
			p.woken += wakeEvery
			now += 1000 // what is there to do takes a microsecond
		}
		want := 0
		if o.Rate > 0 {
			want = looks - wakeAtOnce
		}
		if rests < want-1 || rests > want {
			t.Errorf("%+v: %d rests, want %d", o, rests, want)
		}
	}
}
