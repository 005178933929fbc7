package bench

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestLedger has messages lost, doubled and swapped at random, and compares what was counted with a simple count.
func TestLedger(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		l := loadOf(t, Options{Conns: 3, Publishers: 2, Size: 20})
		l.phase, l.to = publishing, int64(time.Hour)
		c := l.conns[2] // gets what both publish
		var bodies [][]byte
		for range 1 + random.IntN(60) {
			p := &l.publishers[random.IntN(2)]
			l.publish(p, 0, 0)
			bodies = append(bodies, append([]byte(nil), l.body...))
		}
		published := len(bodies)
		for range random.IntN(10) { // swap
			i, j := random.IntN(len(bodies)), random.IntN(len(bodies))
			bodies[i], bodies[j] = bodies[j], bodies[i]
		}
		for range random.IntN(10) { // double
			bodies = append(bodies, bodies[random.IntN(len(bodies))])
		}
		for range random.IntN(10) { // lose
			if len(bodies) > 0 {
				bodies = bodies[:len(bodies)-1]
			}
		}
		var delivered, duplicates, late uint64
		seen := map[string]bool{}
		newest := map[int]uint32{}
		for _, body := range bodies {
			s, _ := readStamp(body, l.mark)
			switch {
			case seen[string(body)]:
				duplicates++
			case s.number < newest[s.publisher]:
				late++
				delivered++
			default:
				delivered++
			}
			seen[string(body)] = true
			newest[s.publisher] = max(newest[s.publisher], s.number)
			l.message(c, body, 1)
		}
		n := l.counts
		if n.delivered != delivered || n.duplicates != duplicates || n.outOfOrder != late {
			t.Fatalf("seed %d: delivered %d, doubled %d, out of order %d; want %d, %d, %d", seed, n.delivered, n.duplicates,
				n.outOfOrder, delivered, duplicates, late)
		}
		if n.expected != 2*uint64(published) {
			t.Fatalf("seed %d: %d expected of %d published", seed, n.expected, published)
		}
		// What has not come would be hopeless if c were gone.
		l.lost(c, 1006, nil)
		l.recount()
		if want := uint64(published) - delivered; l.hopeless != want {
			t.Fatalf("seed %d: %d cannot come, want %d", seed, l.hopeless, want)
		}
	}
}

// TestStrange has messages that are not what was published.
func TestStrange(t *testing.T) {
	l := loadOf(t, Options{Conns: 4, Publishers: 2, Rooms: 2})
	l.phase, l.to = publishing, int64(time.Hour)
	l.publish(&l.publishers[0], 0, 0)
	body := append([]byte(nil), l.body...)
	other := func(s stamp, run uint32) []byte {
		b := append([]byte(nil), body...)
		s.put(b, run)
		return b
	}
	for name, b := range map[string][]byte{
		"empty":            nil,
		"shorter":          body[:len(body)-1],
		"longer":           append(body[:len(body):len(body)], '.'),
		"of another run":   other(stamp{}, l.run^1),
		"of nobody":        other(stamp{publisher: 2}, l.run),
		"not sent yet":     other(stamp{number: 1}, l.run),
		"from the future":  other(stamp{at: 1 << 20}, l.run),
		"of another's":     []byte("hello, everybody, this is somebody else who is in the same room"),
		"of another room ": body,
	} {
		before := l.counts
		c := l.conns[2]
		if name == "of another room " {
			c = l.conns[3]
		}
		l.message(c, b, 1)
		if l.counts.strange != before.strange+1 || l.counts.delivered != before.delivered {
			t.Errorf("a message %s counts as %+v", name, l.counts)
		}
	}
	l.message(l.conns[0], body, 1)
	if l.counts.echoed != 1 || l.counts.delivered != 0 {
		t.Errorf("a message that came back counts as %+v", l.counts)
	}
}
