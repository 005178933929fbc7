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
	// immutable
	mayMiss  func(client string, m message) bool // nil: nothing may be lost
	oneOrder bool                                // all clients are to see the messages in the same order
	anyOrder bool                                // not even those of one publisher need come in their order

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
			case m.n < last[m.publisher] && !c.anyOrder:
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
	return append(wrong, c.orderViolations()...)
}

// orderViolations compares the order in which clients saw messages with that of each other. c.mu is held.
func (c *checker) orderViolations() (wrong []string) {
	if !c.oneOrder {
		return nil
	}
	for i, client := range c.clients {
		place := make(map[message]int)
		for n, m := range c.seen[client] {
			place[m] = n
		}
		for _, other := range c.clients[i+1:] {
			last, before := -1, message{}
			for _, m := range c.seen[other] {
				n, both := place[m]
				if both && n < last {
					wrong = append(wrong, fmt.Sprintf("%s saw %q before %q, and %s after it", client, m, before, other))
				}
				if both {
					last, before = n, m
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

// TestCheckerOfOrder shows that the checker finds clients that saw messages in another order than others.
func TestCheckerOfOrder(t *testing.T) {
	for _, test := range []struct {
		name     string
		a, b     string // what A and B saw of what C and D published, two messages each
		oneOrder bool
		want     string
	}{
		{"the same", "C 1,D 1,D 2,C 2", "C 1,D 1,D 2,C 2", true, ""},
		{"two orders", "C 1,D 1,D 2,C 2", "C 1,D 1,C 2,D 2", true, `A saw "D 2" before "C 2", and B after it`},
		{"two orders, and nobody minds", "C 1,D 1,D 2,C 2", "C 1,D 1,C 2,D 2", false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newChecker("A", "B")
			c.oneOrder = test.oneOrder
			for _, publisher := range []string{"C", "C", "D", "D"} {
				c.publish(publisher, nil)
			}
			for client, seen := range map[string]string{"A": test.a, "B": test.b} {
				for text := range strings.SplitSeq(seen, ",") {
					c.see(client, text)
				}
			}
			if got := strings.Join(c.violations(), "; "); got != test.want {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
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
