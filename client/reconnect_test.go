package client

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "lobby")
		p.sendMessage("lobby", "before")
		synctest.Wait()
		s.setAway(true)
		p.conn.CloseNow()
		time.Sleep(time.Minute)
		if c.Connected() {
			t.Error("connected to a hub that is away")
		}
		s.setAway(false)
		p = s.next()
		p.admit("lobby")
		p.sendMessage("lobby", "after")

		var got []string
		for m, err := range r.Messages(t.Context()) {
			if gap, ok := errors.AsType[*Gap](err); ok {
				if gap.Away < time.Minute || gap.Cause == nil || gap.Dropped != 0 {
					t.Errorf("gap %+v", gap)
				}
				got = append(got, "gap")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, string(m.Data)); len(got) == 3 {
				break
			}
		}
		if got[0] != "before" || got[1] != "gap" || got[2] != "after" {
			t.Errorf("got %q", got)
		}
	})
}

// TestBackoff looks at when the client tries: each wait is at most the whole, which doubles.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		_, p := s.connect(WithBackoff(time.Second, 5*time.Second))
		s.setAway(true)
		cut := time.Now()
		p.conn.CloseNow()
		time.Sleep(time.Minute)
		last := time.Duration(0)
		tries := s.tries(cut)[1:] // the first is that of connect, at the same time by the bubble's clock
		for i, whole := range []time.Duration{1, 2, 4, 5, 5, 5} {
			whole *= time.Second
			if wait := tries[i] - last; wait <= 0 || wait > whole {
				t.Errorf("wait %d: %v, want up to %v", i, wait, whole)
			}
			last = tries[i]
		}
	})
}

// TestSpread has 10,000 clients lose their hub at the same time: in no 100 ms do many more try than would if their first
// tries were spread evenly over the first wait, which is a fifth, nor so many later on.
func TestSpread(t *testing.T) {
	const clients, slot = 10_000, 100 * time.Millisecond
	o := defaults()
	slots := map[int][]int{} // by the number of the try
	for range clients {
		b := backoff{first: o.firstBackoff, longest: o.maxBackoff}
		at := time.Duration(0)
		for try := range 4 {
			at += b.next()
			i := int(at / slot)
			for len(slots[try]) <= i {
				slots[try] = append(slots[try], 0)
			}
			slots[try][i]++
		}
	}
	for try, counts := range slots {
		limit := clients / 4
		if try > 0 {
			limit = clients / 8
		}
		if most := slices.Max(counts); most > limit {
			t.Errorf("try %d: %d of %d in one slot of %v, more than %d", try, most, clients, slot, limit)
		}
	}
}

func TestByeSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		_, p := s.connect()
		retry := int64(7_300)
		p.send(&protocol.Frame{Type: protocol.TypeBye, Retry: &retry})
		cut := time.Now()
		p.conn.Close(4001, "the hub is going away")
		s.next()
		if d := time.Since(cut); d != 7_300*time.Millisecond {
			t.Errorf("connected again after %v", d)
		}
	})
}

func TestNotAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "lobby")
		p.sendMessage("lobby", "last")
		p.conn.Close(4514, "displaced")
		<-c.Done()
		var got []error
		for m, err := range r.Messages(t.Context()) {
			if err == nil && string(m.Data) != "last" {
				t.Errorf("got %q", m.Data)
			}
			got = append(got, err)
		}
		if len(got) != 2 || got[0] != nil {
			t.Fatalf("the range gave %v", got)
		}
		for _, err := range []error{got[1], c.Err()} {
			closed, ok := errors.AsType[*CloseError](err)
			if !ok || closed.Code != 4514 || closed.Reason != "displaced" {
				t.Errorf("error %v", err)
			}
		}
		if _, err := c.Join(t.Context(), "lobby"); !errors.Is(err, c.Err()) {
			t.Errorf("join: %v", err)
		}
		cut := time.Now()
		time.Sleep(time.Hour)
		if n := len(s.tries(cut.Add(1))); n != 0 {
			t.Errorf("%d tries to connect", n)
		}
	})
}

// TestDeadHub has a hub that is connected and answers nothing.
func TestDeadHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		_, p := s.connect(WithPing(15*time.Second, 10*time.Second), WithBackoff(time.Second, time.Second))
		start := time.Now()
		time.Sleep(time.Minute) // all answered: nothing happens
		select {
		case <-s.peers:
			t.Fatal("connected again though all pings were answered")
		default:
		}
		p.mute.Store(true)
		s.next()
		if d := time.Since(start); d < time.Minute+10*time.Second || d > time.Minute+26*time.Second {
			t.Errorf("gave up after %v", d)
		}
	})
}

// TestRejoinRefused has a hub that takes a room back.
func TestRejoinRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "lobby")
		p.conn.Close(websocket.StatusGoingAway, "")
		p = s.next()
		f := p.expect(protocol.TypeJoin)
		p.send(&protocol.Frame{Type: protocol.TypeError, Code: protocol.ErrTooManyRooms, Room: f.Room})
		for _, err := range r.Messages(t.Context()) {
			if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != protocol.ErrTooManyRooms {
				t.Errorf("got %v", err)
			}
		}
	})
}
