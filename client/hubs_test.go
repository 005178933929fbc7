package client

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestGoesOver has a client of three hubs lose them one after the other: it tries home twice, then the next, and goes
// home when it is lost.
func TestGoesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect(WithHubs("http://b.test", "ws://c.test/ws"))
		r := join(t, c, p, "lobby")
		tried := func(want ...string) *peer {
			t.Helper()
			s.triedAt()
			p.conn.CloseNow()
			next := s.next()
			if got := s.triedAt(); !slices.Equal(got, want) {
				t.Errorf("tried at %v, want %v", got, want)
			}
			next.admit("lobby")
			return next
		}
		s.setOnly("c.test")
		p = tried("hub.test", "hub.test", "b.test", "b.test", "c.test")
		p.sendMessage("lobby", "at c")
		s.setOnly("b.test")
		p = tried("hub.test", "hub.test", "b.test")
		s.setOnly("hub.test")
		p = tried("hub.test")
		s.setOnly("b.test")
		p = tried("hub.test", "hub.test", "b.test")
		p.sendMessage("lobby", "at b")
		var got []string
		for m, err := range r.Messages(t.Context()) {
			if err == nil {
				got = append(got, string(m.Data))
			}
			if len(got) == 2 {
				break
			}
		}
		if strings.Join(got, ", ") != "at c, at b" {
			t.Errorf("got %q", got)
		}
	})
}

// TestHomeGoesAway has home say bye: the client goes to the next hub at once, as long after as it was told.
func TestHomeGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		_, p := s.connect(WithHubs("http://b.test"))
		s.triedAt()
		retry := int64(2_000)
		p.send(&protocol.Frame{Type: protocol.TypeBye, Retry: &retry})
		cut := time.Now()
		p.conn.Close(websocket.StatusCode(protocol.CodeDraining), "the hub is going away")
		p = s.next()
		if got := s.triedAt(); !slices.Equal(got, []string{"b.test"}) || time.Since(cut) != 2*time.Second {
			t.Errorf("tried at %v after %v", got, time.Since(cut))
		}
		p.send(&protocol.Frame{Type: protocol.TypeBye})
		p.conn.Close(websocket.StatusCode(protocol.CodeDraining), "")
		s.next()
		if got := s.triedAt(); !slices.Equal(got, []string{"hub.test"}) {
			t.Errorf("tried at %v when the other hub went away", got)
		}
	})
}

func TestDialSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		s.setOnly("b.test")
		start := time.Now()
		c, _ := s.connect(WithHubs("http://b.test"))
		if got := s.triedAt(); !slices.Equal(got, []string{"hub.test", "b.test"}) || time.Since(start) > 0 {
			t.Errorf("tried at %v in %v", got, time.Since(start))
		}
		c.Close()

		s.setAway(true)
		_, err := s.tryConnect(WithHubs("http://b.test"), WithHubs("http://me:secret@c.test"))
		if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "http://hub.test") ||
			!strings.Contains(err.Error(), "http://me:xxxxx@c.test") {
			t.Errorf("error %v", err)
		}
		if got := s.triedAt(); len(got) != 3 {
			t.Errorf("tried at %v", got)
		}
		if _, err := s.tryConnect(WithHubs("b.test")); err == nil || !strings.Contains(err.Error(), "no scheme") {
			t.Errorf("error %v of a bad address", err)
		}
	})
}
