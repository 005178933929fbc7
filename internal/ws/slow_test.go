package ws_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// slowQueue is the bound of what waits for one connection in these tests.
const slowQueue = 256 << 10

// nuisances are clients that others must not have to wait for.
var nuisances = []nuisanceKind{
	{"never reads", neverReads, ""},
	{"reads a byte at a time", readsBytes, ""},
	{"floods another room", floods(messageFlood), messageFlood},
	{"floods with pings", floods(pingFlood), pingFlood},
}

type nuisanceKind struct {
	name  string
	start func(t testing.TB, h *testHub, room string) *nuisance
	flood string // the frame that it sends over and over; "" for one that does not
}

// What floods send.
var (
	messageFlood = sent(final|opText, digits(100))
	pingFlood    = sent(final|opPing, digits(100))
)

// options are those of a hub that keeps a slow client for the whole test, and one that floods not long.
func (k nuisanceKind) options() ws.Options {
	o := ws.Options{SendQueue: slowQueue, WriteTimeout: patience}
	if k.flood != "" {
		o.WriteTimeout = 300 * time.Millisecond
	}
	return o
}

// nuisance is one of them at work.
type nuisance struct {
	*rawClient
	floods bool
	ended  chan struct{} // closed by its goroutine as it ends, which it does when stop is closed or its connection is
	stop   chan struct{} // closed by the test
}

func newNuisance(t testing.TB, h *testHub, room string) *nuisance {
	return &nuisance{rawClient: openPlain(t, h, room), ended: make(chan struct{}), stop: make(chan struct{})}
}

func neverReads(t testing.TB, h *testHub, room string) *nuisance {
	n := newNuisance(t, h, room)
	close(n.ended)
	return n
}

// readsBytes reads a byte every 10 ms, which is a second where time-outs are a hundredth of what they are in use.
func readsBytes(t testing.TB, h *testHub, room string) *nuisance {
	n := newNuisance(t, h, room)
	go func() {
		defer close(n.ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		var got bytes.Buffer
		for {
			select {
			case <-n.stop:
				n.r = bufio.NewReader(io.MultiReader(&got, n.nc))
				return
			case <-tick.C:
				if _, err := io.CopyN(&got, n.nc, 1); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	return n
}

// floods sends a frame over and over, as fast as the hub takes it, and reads nothing.
func floods(frame string) func(testing.TB, *testHub, string) *nuisance {
	return func(t testing.TB, h *testHub, room string) *nuisance {
		n := newNuisance(t, h, room+"-flooded")
		n.floods = true
		go func() {
			defer close(n.ended)
			for many := strings.Repeat(frame, 500); ; {
				if _, err := io.WriteString(n.nc, many); err != nil {
					return
				}
			}
		}()
		return n
	}
}

// end stops what it does. One that reads can then be read on.
func (n *nuisance) end() {
	close(n.stop)
	if n.floods {
		_ = n.nc.Close()
	}
	<-n.ended
}

// circle is a room of clients that read, and that publish so much at a time that nothing may be dropped for them.
type circle struct {
	t       testing.TB
	members []*rawClient
	next    [][]int // by member and publisher: the number of the message that has to come next
	sent    int     // messages of each so far
}

func newCircle(t testing.TB, h *testHub, room string, members int) *circle {
	c := &circle{t: t}
	for range members {
		c.members = append(c.members, openPlain(t, h, room))
		c.next = append(c.next, make([]int, members))
	}
	return c
}

// round has each member publish some messages, and all others get them: each once, in the order of each publisher.
func (c *circle) round(messages, size int) {
	c.t.Helper()
	pad := strings.Repeat("x", size)
	for i, m := range c.members {
		for n := range messages {
			m.write(sent(final|opText, fmt.Sprintf("%d %d %s", i, c.sent+n, pad)), 0)
		}
	}
	c.sent += messages
	for i, m := range c.members {
		for range messages * (len(c.members) - 1) {
			op, payload, err := m.next()
			if err != nil || op != opText {
				c.t.Fatalf("member %d got %s, %v", i, m.show(op, payload), err)
			}
			from, n := publisherOf(c.t, payload)
			if n != c.next[i][from] {
				c.t.Fatalf("member %d got message %d of %d, want %d", i, n, from, c.next[i][from])
			}
			c.next[i][from]++
		}
	}
}

func publisherOf(t testing.TB, payload string) (from, n int) {
	t.Helper()
	if _, err := fmt.Sscanf(payload, "%d %d ", &from, &n); err != nil {
		t.Fatalf("%s: %v", short(payload), err)
	}
	return from, n
}

// TestNobodyWaits has a nuisance beside clients that talk to each other: these get everything, the hub holds no more for
// it than the queue's bound, and what it gets itself is in order.
func TestNobodyWaits(t *testing.T) {
	const members, rounds, messages, size = 4, 120, 4, 8 << 10
	for _, tt := range nuisances {
		t.Run(tt.name, func(t *testing.T) {
			h := startHub(t, newBus(), "hub1", tt.options())
			room := newRoom()
			c := newCircle(t, h, room, members)
			c.round(messages, size)
			before := memoryInUse()
			n := tt.start(t, h, room)
			for range rounds {
				c.round(messages, size)
			}
			// Its queue, what is on its way through the hub at the time, and buffers of this test.
			// What a flood makes while that is measured counts too, as nobody stops it: so the least of some.
			grown := memoryInUse() - before
			for range 10 {
				grown = min(grown, memoryInUse()-before)
			}
			if grown > slowQueue+(2<<20) {
				t.Errorf("%d bytes more are in use", grown)
			}
			if n.floods {
				checkFlood(t, h, tt.name, uint64(rounds*messages*members))
				n.end()
				return
			}
			if h.ws.Stats().Dropped[hub.DropSendQueue] == 0 {
				t.Error("it was not slow enough: nothing was dropped")
			}
			n.end()
			n.checkOrder(h, room, members)
		})
	}
}

// checkFlood fails unless there was a flood: of messages more than those of the others, or of pings so many that the
// pongs, which are not read, ended the connection.
func checkFlood(t *testing.T, h *testHub, name string, others uint64) {
	t.Helper()
	if strings.Contains(name, "pings") {
		eventually(t, "it is closed", func() bool { return h.ws.Stats().Closed[protocol.CodeTooSlow] == 1 })
		return
	}
	eventually(t, "it publishes more than all others", func() bool { return h.Stats().Received["websocket"] > 3*others })
}

// checkOrder reads all that is left, and fails where messages of one publisher are not in order, or come twice.
func (n *nuisance) checkOrder(h *testHub, room string, publishers int) {
	n.t.Helper()
	const end = "0 999999 the end"
	if _, err := h.PublishHTTP(n.t.Context(), hub.Identity{}, room, "", protocol.Text, []byte(end)); err != nil {
		n.t.Fatal(err)
	}
	last, got := slices.Repeat([]int{-1}, publishers), 0
	for {
		_, payload, err := n.next()
		if err != nil {
			n.t.Fatal(err)
		}
		from, number := publisherOf(n.t, payload)
		if number <= last[from] {
			n.t.Fatalf("got message %d of %d behind %d", number, from, last[from])
		}
		last[from] = number
		if payload == end {
			n.t.Logf("it got %d messages", got)
			return
		}
		got++
	}
}
