package client

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// done says that all of the history came.
func (p *peer) done() { p.send(&protocol.Frame{Type: protocol.TypeHistory, Room: "lobby"}) }

// joinPast joins the log room lobby with history, at the position 9.
func joinPast(t *testing.T, c *Client, p *peer) *Room {
	t.Helper()
	joins := make(chan *protocol.Frame, 1) // sent once, by the goroutine
	go func() {                            // ends when the client's join came; Join below waits for its answer
		joins <- p.enter("lobby")
		p.at(protocol.TypeSubscribed, "e1:9")
	}()
	r, err := c.Join(t.Context(), "lobby", WithHistory(50))
	if err != nil {
		t.Fatal(err)
	}
	if f := <-joins; f.History != 50 || f.Position != "" {
		t.Errorf("joined with %+v", f)
	}
	return r
}

// TestHistory has history come first, whatever comes meanwhile, and nothing twice.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinPast(t, c, p)
		p.entry("ten", "e1:10")
		p.ack("c1/eleven", "eleven", "e1:11")
		want(t, r, "")
		p.deliver("c2", "eight", "e1:8", true)
		want(t, r, "<eight")
		p.deliver("c1", "nine", "e1:9", true)
		p.deliver("c2", "ten", "e1:10", true)
		p.deliver("c1", "eleven", "e1:11", true) // Publish told the program of it
		p.done()
		p.entry("twelve", "e1:12")
		want(t, r, "<nine ten twelve")
		p.deliver("c2", "seven", "e1:7", true)
		want(t, r, "")

		_, f := s.cut(p)
		if f.History != 0 || f.Position != "e1:12" {
			t.Errorf("joined again with %+v", f)
		}
		if again, err := c.Join(t.Context(), "lobby", WithHistory(10)); again != r || err != nil {
			t.Errorf("joining again: %p, %v", again, err)
		}
	})
}

// TestHistoryCut has the connection lost before all of the history came.
func TestHistoryCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinPast(t, c, p)
		p.entry("ten", "e1:10")
		p.deliver("c2", "six", "e1:6", true)
		p.deliver("c2", "seven", "e1:7", true)
		synctest.Wait()
		p, f := s.cut(p)
		if f.History != 50 || f.Position != "e1:10" {
			t.Errorf("joined again with %+v", f)
		}
		p.entry("eleven", "e1:11")
		p.at(protocol.TypeSubscribed, "e1:11")
		for i, text := range []string{"six", "seven", "eight", "nine", "ten", "eleven"} {
			p.deliver("c2", text, protocol.Position{Epoch: "e1", Offset: uint64(6 + i)}.String(), true)
		}
		want(t, r, "<six <seven <eight <nine")
		p.conn.Close(4514, "displaced")
		var list []string
		for m, err := range r.Messages(t.Context()) {
			if closed, ok := errors.AsType[*CloseError](err); ok && closed.Code == 4514 {
				break
			}
			list = append(list, string(m.Data))
		}
		if len(list) != 2 || list[0] != "ten" || list[1] != "eleven" {
			t.Errorf("at the end %q", list)
		}
	})
}

// TestHistoryOfShown has a hub that is cut off at first and shows what the history has later.
func TestHistoryOfShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		isolated := true
		go func() { // ends when the client's join came; Join below waits for its answer
			p.enter("lobby")
			p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
		}()
		r, err := c.Join(t.Context(), "lobby", WithHistory(50))
		if err != nil {
			t.Fatal(err)
		}
		p.entry("eight", "")
		p.entry("nine", "")
		want(t, r, "eight? nine?") // it does not wait for a history that may be long in coming
		p.at(protocol.TypeSubscribed, "e1:9")
		p.ack("c2/eight", "", "e1:8")
		p.deliver("c2", "seven", "e1:7", true)
		p.deliver("c2", "eight", "e1:8", true)
		p.deliver("c2", "nine", "e1:9", true)
		p.done()
		want(t, r, "<seven")
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(r.shown) > 0 {
			t.Errorf("not settled: %v", r.shown)
		}
	})
}

// TestHistorySetBack has logs that lose their end while the history is on its way.
func TestHistorySetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinPast(t, c, p)
		p.at(protocol.TypeOrphans, "e1:8", 1)
		p.entry("nine", "e2:9")
		p.deliver("c2", "eight", "e1:8", true)
		p.deliver("c2", "nine", "e2:9", true)
		p.at(protocol.TypeReset, "e3:20")
		p.deliver("c2", "twenty", "e3:20", true)
		p.done()
		want(t, r, "<eight <twenty [lost 1] nine [reset]")
	})
}

// TestHistoryOfLiveRoom asks for what there is not, or for too much.
func TestHistoryOfLiveRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		go p.admit("lobby") // ends when the client's join came; Join below waits for its answer
		r, err := c.Join(t.Context(), "lobby", WithHistory(50))
		if err != nil {
			t.Fatal(err)
		}
		p.sendMessage("lobby", "one")
		for m, err := range r.Messages(t.Context()) {
			if err != nil || string(m.Data) != "one" {
				t.Errorf("got %q, %v", m.Data, err)
			}
			break
		}
		for _, n := range []int{-1, 1001} {
			_, err := c.Join(t.Context(), "other", WithHistory(n))
			if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != protocol.ErrBadPosition {
				t.Errorf("history %d: %v", n, err)
			}
		}
	})
}
