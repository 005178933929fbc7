package e2e

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestStormInOneProcess has three hubs that the in-memory broker joins: everybody sees every message of the others
// exactly once and in the order of its publisher, nobody his own.
func TestStormInOneProcess(t *testing.T) {
	t.Parallel()
	bothKinds(t, "storm", testStormInOneProcess)
}

func testStormInOneProcess(t *testing.T, room string) {
	t.Parallel()
	u := startUp(t, 3)
	s := newStorm(t, room, u.hubs, 4)
	took := s.blow(200, 8)
	s.end(u.Stop)
	t.Logf("%d messages to %d clients in %v", s.checker.published(), len(s.clients), took)
}

// storm is clients of several hubs in one room, all of which publish and subscribe. In a log room all of them are to see
// one order.
type storm struct {
	t       *testing.T
	room    string
	checker *checker
	clients map[string]*conn // by name; those with a v in it speak hub.v1
	reading sync.WaitGroup
}

// newStorm connects a number of clients to each hub, every other of which speaks hub.v1.
func newStorm(t *testing.T, room string, hubs []*hub, clientsEach int) *storm {
	s := &storm{t: t, room: room, clients: make(map[string]*conn)}
	var names []string
	for i, h := range hubs {
		for j := range clientsEach {
			name, c := fmt.Sprintf("h%d.p%d", i, j), (*conn)(nil)
			if j%2 == 0 {
				c = dialPlain(t, h, room)
			} else {
				name = fmt.Sprintf("h%d.v%d", i, j)
				c = dialV1(t, h, name, room)
			}
			s.clients[name] = c
			names = append(names, name)
		}
	}
	s.checker = newChecker(names...)
	s.checker.oneOrder = isLog(room)
	for name, c := range s.clients {
		s.reading.Go(func() { s.read(name, c) }) // ends with the connection; end waits
	}
	return s
}

// read shows the checker what arrives.
func (s *storm) read(name string, c *conn) {
	for got := range c.in {
		text, ok := textOf(s.t, got.data)
		if ok {
			s.checker.see(name, text)
		}
	}
}

// textOf returns the text of a message, plain or in a frame of hub.v1. Other frames have none.
func textOf(tb testing.TB, data string) (text string, ok bool) {
	if data[0] != '{' {
		return data, true
	}
	f, err := protocol.DecodeFrame([]byte(data))
	switch {
	case err != nil || f.Type == protocol.TypeError:
		tb.Errorf("got %q: %v", data, err)
	case f.Type == protocol.TypeMessage:
		err = json.Unmarshal(f.Data, &text)
		if err != nil {
			tb.Errorf("got %q: %v", data, err)
		}
		return text, true
	}
	return "", false
}

// blow has every client publish, of which at most window messages are on their way at any time, and waits until all have
// arrived everywhere.
func (s *storm) blow(each, window int) time.Duration {
	s.t.Helper()
	since := time.Now()
	var publishing sync.WaitGroup
	for name, c := range s.clients {
		publishing.Go(func() { s.publish(name, c, each, window) }) // ends when all has arrived; waited for below
	}
	publishing.Wait()
	return time.Since(since)
}

// drip has one client after the other publish, each message when the one before has arrived everywhere.
func (s *storm) drip(each int) {
	s.t.Helper()
	for name, c := range s.clients {
		s.publish(name, c, each, 1)
	}
}

func (s *storm) publish(name string, c *conn, each, window int) {
	free := make(chan struct{}, window) // received before a message is sent, sent when all have seen it; never closed
	for range window {
		free <- struct{}{}
	}
	timeout := time.After(patience)
	acquire := func() bool {
		select {
		case <-free:
			return true
		case <-timeout:
			s.t.Errorf("%s: messages did not arrive", name)
			return false
		}
	}
	for range each {
		if !acquire() {
			return
		}
		s.send(name, c, func() { free <- struct{}{} })
	}
	for range window {
		if !acquire() {
			return
		}
	}
}

// send sends the next message of a client.
func (s *storm) send(name string, c *conn, settled func()) {
	text := s.checker.publish(name, settled)
	if name[len("h0.")] == 'v' {
		c.publish(s.room, text)
	} else {
		c.send(text)
	}
}

// end calls stop, which is to stop the hubs in order, takes in what they still owe, and judges.
func (s *storm) end(stop func()) {
	s.t.Helper()
	stop()
	s.reading.Wait()
	s.checker.check(s.t)
}
