package hub_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// farWorld is a hub whose broker brings what is wanted when the test says so.
func farWorld(t *testing.T, o hub.Options) *world {
	t.Helper()
	w := newWorld(t, o)
	w.broker.far = true
	return w
}

// TestReach has clients join a live room that the broker does not bring yet: they are answered when it does, once for
// each join, and those who left meanwhile are not.
func TestReach(t *testing.T) {
	w := farWorld(t, hub.Options{AttachTimeout: time.Hour})
	a, b, gone := w.session(t, "a"), w.session(t, "b"), w.session(t, "gone")
	w.shard.take()
	receive(t, a, `{"type":"join","room":"r"}`)
	receive(t, b, `{"type":"join","room":"r"}`)
	receive(t, gone, `{"type":"join","room":"r"}`)
	receive(t, a, `{"type":"join","room":"r"}`) // is answered too
	receive(t, gone, `{"type":"join","room":"r"}`)
	receive(t, gone, `{"type":"leave","room":"r"}`)
	receive(t, b, `{"type":"publish","room":"r","key":"k","data":"hi"}`)
	want(t, w.shard.take(), "announce r joined count=1 except a", "announce r joined count=2 except b",
		"announce r joined count=3 except gone", "announce r left count=2 except nobody",
		`publish r "hi" except b`, "send b ack key=k live")

	w.broker.reach()
	want(t, w.shard.take(), "join r a: there count=2 people=2", "join r b: there count=2 people=2",
		"send a there count=2 people=2")
	w.broker.reach()
	receive(t, gone, `{"type":"join","room":"r"}`) // it is there
	want(t, w.shard.take(), "join r gone: there count=3 people=3", "announce r joined count=3 except gone")
	if w.broker.wanted["r"] != 1 {
		t.Errorf("wanted: %v, want the room once", w.broker.wanted)
	}

	for _, s := range []*hub.Session{a, b, gone} {
		s.Closed(false)
	}
	if len(w.broker.wanted) != 0 {
		t.Errorf("wanted: %v, want nothing", w.broker.wanted)
	}
}

// TestReachTooLate has the broker bring a room when the one that it was wanted for is gone, and another of its name waits.
func TestReachTooLate(t *testing.T) {
	w := farWorld(t, hub.Options{AttachTimeout: time.Hour})
	a := w.session(t, "a")
	receive(t, a, `{"type":"join","room":"r"}`)
	first := w.broker.waits
	w.broker.waits = nil
	receive(t, a, `{"type":"leave","room":"r"}`)
	receive(t, a, `{"type":"join","room":"r"}`)
	w.shard.take()
	first[0]()
	want(t, w.shard.take())
	w.broker.reach()
	want(t, w.shard.take(), "join r a: there count=1 people=1")
}

// TestReachPlain has a plain session and a stream wait for their live room, which no call that an event loop makes does.
func TestReachPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := farWorld(t, hub.Options{AttachTimeout: time.Hour})
		entered := make(chan string, 2) // sent by those who enter
		go func() {                     // ends when the room is there
			w.NewSession(w.shard, "p", true).EnterPlain(t.Context(), "r")
			entered <- "p"
		}()
		synctest.Wait()
		go func() { // ends when the room is there
			w.NewStream(w.shard, "s").EnterStream(t.Context(), "r", hub.Position{}, false)
			entered <- "s"
		}()
		synctest.Wait()
		if len(entered) != 0 || len(w.shard.take()) != 2 { // nobody else hears of their coming
			t.Errorf("%d have entered a room that is not there", len(entered))
		}
		w.broker.reach()
		synctest.Wait()
		want(t, w.shard.take(), "join r p: nothing", "join r s: nothing")
		if len(entered) != 2 {
			t.Errorf("%d have entered, want 2", len(entered))
		}
		stop(t, w)
	})
}

// TestReachInTime has the broker bring nothing: the clients are answered all the same, when the time is over.
func TestReachInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := farWorld(t, hub.Options{AttachTimeout: 300 * time.Millisecond})
		a := w.session(t, "a")
		w.shard.take()
		receive(t, a, `{"type":"join","room":"r"}`)
		w.shard.take()
		began := time.Now()
		w.NewSession(w.shard, "p", true).EnterPlain(t.Context(), "r")
		if took := time.Since(began); took != 300*time.Millisecond {
			t.Errorf("the handshake took %v", took)
		}
		synctest.Wait()
		want(t, w.shard.take(), "announce r joined count=2 except p",
			"join r a: there count=2 people=2", "join r p: nothing")
		w.broker.reach()
		want(t, w.shard.take())
		stop(t, w)
	})
}

// TestReachDisplaced has a client come back while its first session still waits for the room.
func TestReachDisplaced(t *testing.T) {
	w := farWorld(t, hub.Options{AttachTimeout: time.Hour})
	a := w.NewSession(w.shard, "a", false)
	receive(t, a, `{"type":"hello","name":"x"}`)
	receive(t, a, `{"type":"join","room":"r"}`)
	again := w.NewSession(w.shard, "again", false)
	receive(t, again, fmt.Sprintf(`{"type":"hello","name":"x","client":{"id":%q,"secret":%q}}`, a.ID(), w.SecretOf(a.ID())))
	w.shard.take()
	receive(t, again, `{"type":"join","room":"r"}`)
	a.Closed(true)
	want(t, w.shard.take())
	w.broker.reach()
	want(t, w.shard.take(), "join r again: there count=1 people=1")
}

func stop(t *testing.T, w *world) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
