package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// logHub is a hub with one log room and one client, which does what docs/protocol.md allows, at random: it shows
// messages before they are stored, forgets what it showed, does not answer, and loses connections.
type logHub struct {
	script *script
	rng    *rand.Rand
	peer   *peer

	log      []string        // ids, by offset less 1
	kept     []string        // ids that are not stored yet
	shown    map[string]bool // ids that the client was shown on this connection
	joined   bool
	takes    bool // messages without a position
	isolated bool
	made     int

	others map[string]uint64 // the offsets of the messages of others that are stored, by id
	first  uint64            // where the client joined
	cuts   int
}

func (h *logHub) chance(percent int) bool { return h.rng.IntN(100) < percent }

func (h *logHub) at(offset int) string {
	return protocol.Position{Epoch: "e1", Offset: uint64(offset)}.String()
}

// send sends entry n of the log: whole, or where the client has it, its position alone.
func (h *logHub) send(n int) {
	id := h.log[n-1]
	key := protocol.KeyOf(id, "c1")
	if key != "" || h.shown[id] && !h.chance(20) {
		h.peer.ack(id, key, h.at(n))
	} else {
		h.peer.entry(strings.TrimPrefix(id, "c2/"), h.at(n))
	}
	delete(h.shown, id)
}

// store appends a message to the log, and returns its offset and whether it was there before.
func (h *logHub) store(id string) (int, bool) {
	for i, other := range h.log {
		if other == id {
			return i + 1, true
		}
	}
	h.log = append(h.log, id)
	if !strings.HasPrefix(id, "c1/") {
		h.others[id] = uint64(len(h.log))
	}
	if h.joined {
		h.send(len(h.log))
	}
	return len(h.log), false
}

// publish is somebody else's message.
func (h *logHub) publish() {
	h.made++
	id := "c2/" + strconv.Itoa(h.made)
	if !h.isolated {
		h.store(id)
		return
	}
	h.kept = append(h.kept, id)
	if h.joined && h.takes {
		h.shown[id] = true
		h.peer.entry(strconv.Itoa(h.made), "")
	}
}

// heal stores what was kept, in some order.
func (h *logHub) heal() {
	h.isolated = false
	h.rng.Shuffle(len(h.kept), func(i, j int) { h.kept[i], h.kept[j] = h.kept[j], h.kept[i] })
	for _, id := range h.kept {
		h.store(id)
	}
	h.kept = nil
}

// take answers a frame of the client.
func (h *logHub) take(f *protocol.Frame) {
	switch f.Type {
	case protocol.TypeJoin:
		count, log := 1, true
		h.peer.send(&protocol.Frame{Type: protocol.TypeThere, Room: "lobby", Count: &count, Log: &log})
		from := len(h.log)
		if f.Position == "" {
			h.first = uint64(from)
		} else {
			at, _ := protocol.ParsePosition(f.Position)
			from = int(at.Offset)
		}
		for n := from + 1; n <= len(h.log); n++ {
			h.send(n)
		}
		h.peer.at(protocol.TypeSubscribed, h.at(len(h.log)))
		h.joined, h.takes = true, f.Provisional == nil || *f.Provisional
	case protocol.TypePublish:
		id := "c1/" + f.Key
		switch {
		case h.chance(20): // comes to nothing, and nobody knows
			h.peer.fail(f, protocol.ErrUnknown)
		case h.chance(20):
			h.store(id) // the answer may be lost with the connection
			if h.chance(50) {
				h.peer.fail(f, protocol.ErrUnknown)
			}
		default:
			if n, duplicate := h.store(id); duplicate || !h.joined {
				h.peer.ack(id, f.Key, h.at(n))
			}
		}
	}
}

// step does something, and waits a little.
func (h *logHub) step(calm bool) {
	for len(h.peer.frames) > 0 {
		if f, ok := <-h.peer.frames; ok {
			h.take(f)
		}
	}
	switch {
	case calm:
	case h.chance(5):
		h.cuts++
		h.peer.conn.CloseNow()
		h.peer = h.script.next()
		h.joined, h.shown = false, make(map[string]bool)
	case h.chance(10):
		h.isolated = true
	case h.chance(20):
		h.heal()
	case h.chance(60):
		h.publish()
	}
	time.Sleep(time.Duration(h.rng.IntN(20)) * time.Millisecond)
}

// TestCuts has a hub and connections as bad as may be: each message of the others comes once, in the order of the log
// but for those that come before they are stored, and each of the client's own is stored once.
func TestCuts(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testCuts(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func testCuts(t *testing.T, rng *rand.Rand) {
	s := newScript(t)
	c, p := s.connect(WithBackoff(time.Millisecond, 10*time.Millisecond))
	h := &logHub{script: s, rng: rng, peer: p, shown: make(map[string]bool), others: make(map[string]uint64)}
	for range 5 {
		h.publish()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rooms, acks := make(chan *Room, 1), make(chan Ack, 100) // sent by the goroutines below; hold all that is sent
	var publishers sync.WaitGroup
	publishers.Go(func() { // ends with Join
		r, err := c.Join(ctx, "lobby")
		if err != nil {
			t.Error(err)
		}
		rooms <- r
	})
	for len(rooms) == 0 {
		h.step(true)
		synctest.Wait()
	}
	for range 5 {
		publishers.Go(func() { // ends when all are published
			for range 20 {
				ack, err := c.Publish(ctx, "lobby", protocol.Text, []byte("mine"))
				if err != nil {
					t.Error(err)
				}
				acks <- ack
			}
		})
	}
	for range 500 {
		h.step(false)
	}
	h.heal()
	for len(acks) < cap(acks) {
		h.step(true)
	}
	publishers.Wait()
	h.step(true)
	synctest.Wait()
	h.check(t, <-rooms, acks)
}

// check compares what the client was told with the log.
func (h *logHub) check(t *testing.T, r *Room, acks <-chan Ack) {
	for len(acks) > 0 {
		ack := <-acks
		if n := int(ack.Position.Offset); n < 1 || n > len(h.log) || h.log[n-1] != ack.ID {
			t.Errorf("%s is not at %d", ack.ID, n)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	came, last, early := make(map[string]bool), h.first, 0
	for m, err := range r.Messages(ctx) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		if came[m.ID] || m.From.ID == "c1" {
			t.Errorf("%s came twice, or is the client's own", m.ID)
		}
		came[m.ID] = true
		if m.Provisional {
			early++
			continue
		}
		if m.Position.Offset <= last || m.Position.Offset != h.others[m.ID] {
			t.Errorf("%s came at %v, behind %d", m.ID, m.Position, last)
		}
		last = m.Position.Offset
	}
	for id, offset := range h.others {
		if offset > h.first && !came[id] {
			t.Errorf("%s at %d did not come", id, offset)
		}
	}
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	if len(r.shown) > 0 || r.cursor.Offset != uint64(len(h.log)) {
		t.Errorf("%d ids are kept, and the cursor is %v of %d", len(r.shown), r.cursor, len(h.log))
	}
	t.Logf("%d messages of %d, %d before they were stored; %d cuts", len(came), len(h.log), early, h.cuts)
}
