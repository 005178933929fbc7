package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// checker judges what publishers published and clients saw. Publishers number their messages from 1; a client that
// publishes has its own name as publisher's. Its methods may be called by several goroutines at once.
type checker struct {
	mayMiss func(client string, m message) bool // immutable; nil: nothing may be lost

	mu      sync.Mutex
	clients []string             // guarded by mu
	sent    map[string]int       // messages published, by publisher; guarded by mu
	seen    map[string][]message // what arrived, in order, by client; guarded by mu
	left    map[message]int      // clients that have yet to see a message; guarded by mu
	settled map[message]func()   // called once all have seen it; guarded by mu
}

// message is the n-th of a publisher.
type message struct {
	publisher string
	n         int
}

func (m message) String() string { return m.publisher + " " + strconv.Itoa(m.n) }

// newChecker returns a checker for clients, of which each is to see all that the others publish from now on.
func newChecker(clients ...string) *checker {
	return &checker{
		clients: clients,
		sent:    make(map[string]int),
		seen:    make(map[string][]message),
		left:    make(map[message]int),
		settled: make(map[message]func()),
	}
}

// publish records that publisher publishes its next message, and returns the text of it. It is called before the message
// is sent. settled is called, by whoever saw it last, when all have seen it; it may be nil.
func (c *checker) publish(publisher string, settled func()) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[publisher]++
	m := message{publisher, c.sent[publisher]}
	c.left[m] = len(c.clients)
	if slices.Contains(c.clients, publisher) {
		c.left[m]--
	}
	c.settled[m] = settled
	return m.String()
}

// see records that client saw text.
func (c *checker) see(client, text string) {
	publisher, number, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	m := message{publisher, n}
	if err != nil {
		m = message{publisher: text} // a phantom, as there is no message 0
	}
	c.mu.Lock()
	c.seen[client] = append(c.seen[client], m)
	var settled func()
	if c.left[m]--; c.left[m] == 0 {
		settled = c.settled[m]
	}
	c.mu.Unlock()
	if settled != nil {
		settled()
	}
}

// violations returns what is wrong, in words.
func (c *checker) violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var wrong []string
	for _, client := range c.clients {
		last := make(map[string]int) // the highest number seen, by publisher
		times := make(map[message]int)
		for _, m := range c.seen[client] {
			times[m]++
			switch {
			case m.n < 1 || m.n > c.sent[m.publisher]:
				wrong = append(wrong, fmt.Sprintf("%s saw %q, which nobody published", client, m))
			case m.publisher == client:
				wrong = append(wrong, fmt.Sprintf("%s saw its own message %d", client, m.n))
			case times[m] > 1:
				wrong = append(wrong, fmt.Sprintf("%s saw %q %d times", client, m, times[m]))
			case m.n < last[m.publisher]:
				wrong = append(wrong, fmt.Sprintf("%s saw %q after number %d", client, m, last[m.publisher]))
			default:
				last[m.publisher] = m.n
			}
		}
		for publisher, sent := range c.sent {
			for n := 1; n <= sent && publisher != client; n++ {
				m := message{publisher, n}
				if times[m] == 0 && (c.mayMiss == nil || !c.mayMiss(client, m)) {
					wrong = append(wrong, fmt.Sprintf("%s never saw %q", client, m))
				}
			}
		}
	}
	return wrong
}

// check fails the test where something is wrong.
func (c *checker) check(tb testing.TB) {
	tb.Helper()
	wrong := c.violations()
	for _, w := range wrong[:min(len(wrong), 10)] {
		tb.Error(w)
	}
	if len(wrong) > 10 {
		tb.Errorf("and %d more", len(wrong)-10)
	}
}

// counts returns how many messages each publisher published so far.
func (c *checker) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.sent)
}

// published returns how many messages were published in all.
func (c *checker) published() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, sent := range c.sent {
		n += sent
	}
	return n
}

// TestChecker shows that the checker finds what it is there to find.
func TestChecker(t *testing.T) {
	for _, test := range []struct {
		name string
		seen []string // by B, where A published 3 and B one
		want string
	}{
		{"all well", []string{"A 1", "A 2", "A 3"}, ""},
		{"lost", []string{"A 1", "A 3"}, `B never saw "A 2"`},
		{"lost at the end", []string{"A 1", "A 2"}, `B never saw "A 3"`},
		{"twice", []string{"A 1", "A 2", "A 2", "A 3"}, `B saw "A 2" 2 times`},
		{"twice, later", []string{"A 1", "A 2", "A 3", "A 1"}, `B saw "A 1" 2 times`},
		{"out of order", []string{"A 2", "A 1", "A 3"}, `B saw "A 1" after number 2`},
		{"own", []string{"A 1", "A 2", "B 1", "A 3"}, `B saw its own message 1`},
		{"never published", []string{"A 1", "A 2", "A 3", "A 4"}, `B saw "A 4", which nobody published`},
		{"phantom", []string{"A 1", "A 2", "A 3", "hello"}, `B saw "hello 0", which nobody published`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newChecker("A", "B")
			settled := 0
			for range 3 {
				c.publish("A", func() { settled++ })
			}
			c.publish("B", nil)
			c.see("A", "B 1")
			for _, text := range test.seen {
				c.see("B", text)
			}
			if got := strings.Join(c.violations(), "; "); got != test.want {
				t.Errorf("violations %q, want %q", got, test.want)
			}
			if want := 3; test.want == "" && settled != want {
				t.Errorf("%d settled, want %d", settled, want)
			}
		})
	}
}
