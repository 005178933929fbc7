package client

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestResume has connections that are lost: the client goes on where it was, and there is no gap.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		p, f := s.cut(p)
		if f.Position != "e1:7" || f.Provisional != nil || f.History != 0 {
			t.Errorf("after subscribed: %+v", f)
		}
		p.entry("one", "e1:8")
		p.at(protocol.TypeSubscribed, "e1:8")
		p.entry("two", "e1:9")
		want(t, r, "one two")

		p, f = s.cut(p)
		if f.Position != "e1:9" {
			t.Errorf("after a message: %+v", f)
		}
		p.ack("c1/k", "k", "e1:10") // its own, an entry like others
		p.ack("", "", "e1:11")      // something that this hub cannot read
		p.ack("c1/k", "k", "e1:10") // again, which moves nothing
		synctest.Wait()
		p, f = s.cut(p)
		if f.Position != "e1:11" {
			t.Errorf("after acks: %+v", f)
		}
		p.deliver("c2", "old", "e1:3", true)
		synctest.Wait()
		p, f = s.cut(p)
		if f.Position != "e1:11" {
			t.Errorf("after history: %+v", f)
		}
		p.entry("three", "e2:12") // another epoch, without loss
		want(t, r, "three")       // it asked for no history
		if _, f = s.cut(p); f.Position != "e2:12" {
			t.Errorf("in another epoch: %+v", f)
		}
		want(t, r, "")
	})
}

// TestSetBack has logs that lost their end, or do not go on.
func TestSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		p.entry("one", "e1:8")
		p.entry("two", "e1:9")
		p, _ = s.cut(p)
		p.at(protocol.TypeOrphans, "e1:8", 1)
		p.entry("two", "e2:9") // its sender had it still
		p.at(protocol.TypeSubscribed, "e2:9")
		want(t, r, "one two [lost 1] two")
		p.at(protocol.TypeOrphans, "e1:7", 2) // while it is connected, too
		synctest.Wait()
		p, f := s.cut(p)
		if f.Position != "e1:7" {
			t.Errorf("after orphans: %+v", f)
		}
		p.at(protocol.TypeReset, "e3:2") // an offset that is less
		p.at(protocol.TypeSubscribed, "e3:2")
		p.entry("three", "e3:3")
		want(t, r, "[lost 2] [reset] three")
		p.at(protocol.TypeReset, "e4:0")
		synctest.Wait()
		if _, f := s.cut(p); f.Position != "e4:0" {
			t.Errorf("after reset: %+v", f)
		}
		want(t, r, "[reset]")
	})
}

// TestProvisional has messages that are shown before they are stored.
func TestProvisional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		for _, text := range []string{"one", "two", "three", "four"} {
			p.entry(text, "")
		}
		p.entry("one", "") // again
		want(t, r, "one? two? three? four?")
		p.ack("c2/one", "", "e1:8")
		p.entry("two", "e1:9") // whole, as a hub may forget what it showed
		p.entry("five", "e1:10")
		p.ack("c2/one", "", "e1:8") // again
		want(t, r, "five")

		p, f := s.cut(p) // it keeps the ids over connections and resets
		if f.Position != "e1:10" {
			t.Errorf("joined again with %+v", f)
		}
		p.at(protocol.TypeReset, "e2:20")
		p.entry("three", "")
		p.entry("three", "e2:21")
		p.ack("c2/four", "", "e2:20") // at the cursor: it settles, and moves nothing
		p.entry("four", "e2:22")
		want(t, r, "[reset] four")

		time.Sleep(forgetShown)
		p.entry("six", "")
		synctest.Wait()
		time.Sleep(forgetShown + time.Second) // nobody can store it any more
		p, _ = s.cut(p)
		p.at(protocol.TypeSubscribed, "e2:22")
		p.entry("six", "e2:23")
		want(t, r, "six? six")
	})
}

// TestManyProvisional has so many messages that are not stored that the client cannot keep all their ids: it joins anew
// as one that takes no more, and gets the rest from the log.
func TestManyProvisional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect(WithBuffer(16 << 20))
		r := joinLog(t, c, p, "e1:7")
		for i := range maxShown {
			p.entry(strconv.Itoa(i), "")
		}
		synctest.Wait()
		if len(p.frames) != 0 {
			t.Errorf("the client sent %+v", p.expect("nothing"))
		}
		p.pings.Store(true)
		p.entry("4096", "")
		p.entry("4097", "")
		p.expect(protocol.TypeLeave)
		p.expect(protocol.TypePing)
		p.ack("c2/4096", "", "e1:8") // of what was not shown: it may not move the cursor
		p.send(&protocol.Frame{Type: protocol.TypePong})
		if f := p.enter("lobby"); f.Position != "e1:7" || f.Provisional == nil || *f.Provisional {
			t.Errorf("joined again with %+v", f)
		}
		p.at(protocol.TypeSubscribed, "e1:7")
		p.entry("4096", "e1:8")
		p.entry("17", "e1:9")
		n := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for m, err := range r.Messages(ctx) {
			if err != nil || string(m.Data) != strconv.Itoa(n) || m.Provisional != (n < maxShown) {
				t.Fatalf("got %q, %v, want %d", m.Data, err, n)
			}
			n++
		}
		if n != maxShown+1 {
			t.Errorf("got %d messages", n)
		}
		p, f := s.cut(p) // one was settled
		if f.Position != "e1:9" || f.Provisional != nil {
			t.Errorf("joined later with %+v", f)
		}
		p.entry("4098", "")
		p.at(protocol.TypeSubscribed, "e1:9")
		want(t, r, "4098?")
		p, f = s.cut(p)
		if f.Position != "e1:9" || f.Provisional == nil || *f.Provisional {
			t.Errorf("joined full with %+v", f)
		}
		p.entry("4099", "") // which the hub was told not to send
		want(t, r, "")
		if len(p.frames) > 0 {
			t.Errorf("the client sent %+v", p.expect("nothing"))
		}
	})
}

// TestManyProvisionalCut has the connection lost while the client joins anew because it can keep no more ids.
func TestManyProvisionalCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect(WithBuffer(16 << 20))
		joinLog(t, c, p, "e1:7")
		p.pings.Store(true)
		for i := range maxShown + 1 {
			p.entry(strconv.Itoa(i), "")
		}
		p.expect(protocol.TypeLeave)
		p.ack("c2/4096", "", "e1:8") // of what was not shown: the cursor stays
		synctest.Wait()
		if _, f := s.cut(p); f.Position != "e1:7" || f.Provisional == nil || *f.Provisional {
			t.Errorf("joined again with %+v", f)
		}
	})
}

// TestOwnMessages has a hub that does not know the client any more: what it sent as another is its own.
func TestOwnMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		s.setWho(protocol.Credentials{ID: "c9", Secret: "s9"})
		p, f := s.cut(p)
		if f.Position != "e1:7" {
			t.Errorf("joined again with %+v", f)
		}
		p.deliver("c1", "stored", "e1:8", false)
		p.deliver("c1", "kept", "", false)
		p.deliver("c9", "new", "", false)
		p.entry("other", "e1:9")
		want(t, r, "other")
		if c.ID() != "c9" {
			t.Errorf("it is called %q", c.ID())
		}
	})
}

// TestJoinLog says when Join returns: when the messages that are published from then on arrive, or may.
func TestJoinLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		start := time.Now()
		go func() { // ends when all was sent; Join below waits for it
			p.enter("lobby")
			time.Sleep(time.Second)
			p.at(protocol.TypeSubscribed, "e1:7")
		}()
		r, err := c.Join(t.Context(), "lobby")
		if d := time.Since(start); err != nil || d != time.Second {
			t.Errorf("joined after %v: %v", d, err)
		}
		r.Leave()
		p.expect(protocol.TypeLeave)

		// A connection that is lost before is no gap, as nothing was joined.
		go func() { // as above
			p.enter("lobby")
			p, _ = s.cut(p)
			p.at(protocol.TypeReset, "e1:9")
		}()
		if r, err = c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
		want(t, r, "[reset]")
		r.Leave()
		p.expect(protocol.TypeLeave)

		// The hub is cut off, and later says so.
		isolated := true
		start = time.Now()
		go func() { // as above
			p.enter("lobby")
			time.Sleep(time.Second)
			p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
		}()
		r, err = c.Join(t.Context(), "lobby")
		if d := time.Since(start); err != nil || d != time.Second {
			t.Errorf("joined after %v: %v", d, err)
		}
		p.entry("one", "")
		p.ack("c1/k", "k", "e1:30") // an answer alone
		synctest.Wait()
		p, f := s.cut(p)
		if f.Position != "" {
			t.Errorf("joined again with %+v", f)
		}
		p.at(protocol.TypeSubscribed, "e1:31")
		want(t, r, "one? [away]") // nobody knows what was published meanwhile

		// And before.
		r.Leave()
		p.expect(protocol.TypeLeave)
		p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
		synctest.Wait()
		go p.enter("lobby") // ends with the join; Join waits for the answer
		if _, err := c.Join(t.Context(), "lobby"); err != nil {
			t.Error(err)
		}
	})
}

// TestBadStream has a hub that sends nonsense, which is passed over.
func TestBadStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		for _, position := range []string{"", "8", "e1:", ":8", "e1:-8"} {
			p.at(protocol.TypeSubscribed, position)
			p.at(protocol.TypeReset, position)
			p.at(protocol.TypeOrphans, position, 1)
		}
		p.at(protocol.TypeOrphans, "e1:5")
		p.at(protocol.TypeOrphans, "e1:5", 0)
		p.ack("c2/one", "", "8")
		p.sendText(`{"type":"message","room":"lobby","id":"c2/one","position":"8","time":"2026-01-02T03:04:05Z","data":""}`)
		want(t, r, "")
		if _, f := s.cut(p); f.Position != "e1:7" {
			t.Errorf("joined again with %+v", f)
		}
	})
}

// TestOtherKind has a room that is a log room at one hub, and a live room at another.
func TestOtherKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		p.conn.CloseNow()
		p = s.next()
		p.admit("lobby")
		p.sendMessage("lobby", "live")
		synctest.Wait()
		p, f := s.cut(p)
		if f.Position != "" {
			t.Errorf("joined again with %+v", f)
		}
		p.at(protocol.TypeSubscribed, "e1:8")
		p.entry("log", "e1:9")
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var list []string
		for m, err := range r.Messages(ctx) {
			if gap, ok := errors.AsType[*Gap](err); ok && gap.Away > 0 {
				list = append(list, "gap")
				continue
			}
			list = append(list, string(m.Data))
		}
		if len(list) != 4 || list[0] != "gap" || list[1] != "live" || list[2] != "gap" || list[3] != "log" {
			t.Errorf("got %q", list)
		}
	})
}
