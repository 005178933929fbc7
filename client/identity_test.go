package client

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestComesBackAsItself has hubs that know the client, and one that does not.
func TestComesBackAsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		if p.hello.Client != nil {
			t.Errorf("a new client says that it is %+v", p.hello.Client)
		}
		p.conn.CloseNow()
		p = s.next()
		if who := p.hello.Client; who == nil || *who != (protocol.Credentials{ID: "c1", Secret: "s1"}) || c.ID() != "c1" {
			t.Errorf("it comes back as %+v and is called %q", who, c.ID())
		}

		s.setWho(protocol.Credentials{ID: "c7", Secret: "s7"})
		p.conn.CloseNow()
		p = s.next()
		synctest.Wait()
		if who := p.hello.Client; who == nil || who.ID != "c1" || c.ID() != "c7" {
			t.Errorf("it comes back as %+v and is called %q", who, c.ID())
		}
		s.setWho(protocol.Credentials{ID: "c8"}) // a hub that gives no secret
		p.conn.CloseNow()
		p = s.next()
		synctest.Wait()
		if who := p.hello.Client; who == nil || *who != (protocol.Credentials{ID: "c7", Secret: "s7"}) || c.ID() != "c8" {
			t.Errorf("it comes back as %+v and is called %q", who, c.ID())
		}
		p.conn.CloseNow()
		if p = s.next(); p.hello.Client != nil {
			t.Errorf("without a secret it says that it is %+v", p.hello.Client)
		}
	})
}

func TestIdentity(t *testing.T) {
	var i identity
	for n := range maxFormer + 2 {
		i.become(protocol.Credentials{ID: strconv.Itoa(n)})
		i.become(protocol.Credentials{ID: strconv.Itoa(n)})
	}
	for id, want := range map[string]bool{"": false, "0": false, "1": true, "64": true, "65": true, "66": false} {
		if got := i.is(id); got != want {
			t.Errorf("is(%q) = %v", id, got)
		}
	}
	if len(i.former) != maxFormer {
		t.Errorf("%d former ids", len(i.former))
	}
}
