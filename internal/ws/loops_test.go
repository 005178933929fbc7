package ws_test

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// TestTwoLoops has two loops, many rooms with members in both, and all members publish at once: each gets all messages of
// the others in its room and of nobody else, once, in the order of each publisher.
func TestTwoLoops(t *testing.T) {
	const rooms, members, each = 12, 6, 60
	h := startHub(t, newLogs(), "hub1", ws.Options{Loops: 2})
	var work sync.WaitGroup
	var all []*rawClient
	for n := range rooms {
		room := newRoom()
		if n%2 == 0 {
			room = room[len("live."):] // a log room
		}
		var circle []*rawClient
		for range members { // connections are dealt to the loops in turn
			circle = append(circle, openPlain(t, h, room))
		}
		all = append(all, circle...)
		for i, c := range circle {
			work.Go(func() { // ends when all is written, or the connection fails
				for number := range each {
					if _, err := io.WriteString(c.nc, sent(final|opText, fmt.Sprintf("%s %d %d", room, i, number))); err != nil {
						t.Errorf("publish in %s: %v", room, err)
						return
					}
				}
			})
			work.Go(func() { // ends when all has come, or the connection fails
				if err := getAll(c, room, i, members, each); err != nil {
					t.Errorf("member %d in %s: %v", i, room, err)
				}
			})
		}
	}
	work.Wait()
	if t.Failed() {
		return
	}
	if got, want := h.Stats().Received["websocket"], uint64(rooms*members*each); got != want {
		t.Errorf("%d messages were counted as received, want %d", got, want)
	}
	eventually(t, "deliveries are counted", func() bool {
		return h.ws.Stats().Deliveries == uint64(rooms*members*(members-1)*each)
	})
	work.Go(func() { h.stop(t) })
	for _, c := range all { // what each is owed is written before the hub ends
		if got := c.untilEnd(); got != "close 4001, explained" {
			t.Errorf("then came %s", got)
		}
		_ = c.nc.Close() // which the hub waits for
	}
	work.Wait()
}

// getAll reads what member own of a room must get: so many messages of each other member.
func getAll(c *rawClient, room string, own, members, each int) error {
	next := make([]int, members)
	for range (members - 1) * each {
		payload, err := readPayload(c.r)
		if err != nil {
			return fmt.Errorf("after %v: %w", next, err)
		}
		var where string
		var from, number int
		if _, err := fmt.Sscan(string(payload), &where, &from, &number); err != nil {
			return fmt.Errorf("%q: %w", payload, err)
		}
		switch {
		case where != room || from == own:
			return fmt.Errorf("got %q", payload)
		case number != next[from]:
			return fmt.Errorf("got message %d of %d, want %d", number, from, next[from])
		}
		next[from]++
	}
	return nil
}
