package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestOneHandOver is the seam's rule: a publication goes once to each shard and once to the broker, however many
// sessions there are.
func TestOneHandOver(t *testing.T) {
	w := newWorld(t, hub.Options{})
	a := w.session(t, "a")
	receive(t, a, `{"type":"join","room":"r"}`)
	for i := range 10 {
		receive(t, w.session(t, i), `{"type":"join","room":"r"}`)
	}
	w.shard.take()
	receive(t, a, `{"type":"publish","room":"r","key":"k","data":"hi"}`)
	want(t, w.shard.take(), `publish r "hi" except a`, "send a ack key=k live")
	if len(w.broker.published) != 1 {
		t.Errorf("published %d times", len(w.broker.published))
	}
}

// TestStorm shows what keeps a message from going round: the hub's own publication that comes back is dropped, and
// another hub's is passed on to the sessions and not published again, also where both hubs have one name.
func TestStorm(t *testing.T) {
	w := newWorld(t, hub.Options{})
	s := w.session(t, "a")
	receive(t, s, `{"type":"join","room":"r"}`)
	receive(t, s, `{"type":"publish","room":"r","key":"k","data":"mine"}`)
	own := w.broker.published[0]
	w.shard.take()

	w.broker.receiver.Deliver([]*hub.Publication{own})
	want(t, w.shard.take())

	other := *own
	other.Origin, other.Data = "another", []byte("theirs")
	w.broker.receiver.Deliver([]*hub.Publication{own, &other})
	want(t, w.shard.take(), `publish r "theirs" except nobody`)
	if len(w.broker.published) != 1 {
		t.Errorf("published %d times, want once", len(w.broker.published))
	}
	if got := w.Stats(); got.Received["websocket"] != 1 || got.Received["broker"] != 1 || got.Broker.Reconnects != 7 {
		t.Errorf("stats %+v", got)
	}
}

func TestIsolated(t *testing.T) {
	w := newWorld(t, hub.Options{})
	if !w.Isolated() {
		t.Error("a hub whose broker said nothing takes itself for connected")
	}
	s := w.NewSession(w.shard, "a", false)
	receive(t, s, `{"type":"hello"}`)
	w.broker.receiver.SetIsolated(false, nil)
	w.broker.receiver.SetIsolated(false, nil)
	w.broker.receiver.SetIsolated(true, errors.New("away"))
	want(t, w.shard.take(), "send a welcome", "send a status isolated=true", "broadcast status isolated=false",
		"broadcast status isolated=true")
	if !w.Isolated() {
		t.Error("not isolated")
	}
	receive(t, s, `{"type":"publish","room":"r","key":"k","data":"hi"}`)
	want(t, w.shard.take(), `publish r "hi" except a`, "send a ack key=k live")
}

func TestRefusedByBroker(t *testing.T) {
	b := &broker{refuse: fmt.Errorf("WRONGPASS: %w", hub.ErrRefused)}
	if err := hub.New(hub.Options{Broker: b}).Start(t.Context()); !errors.Is(err, hub.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestRoomOrder shows in which order shards hear of a room: membership before the answer to join, and that before any
// message.
func TestRoomOrder(t *testing.T) {
	w := newWorld(t, hub.Options{})
	a, b := w.session(t, "a"), w.session(t, "b")
	w.shard.take()
	receive(t, a, `{"type":"join","room":"r"}`)
	receive(t, b, `{"type":"join","room":"r"}`)
	receive(t, b, `{"type":"hello","name":"B"}`)
	receive(t, b, `{"type":"leave","room":"r"}`)
	a.Closed(false)
	b.Closed(false)
	want(t, w.shard.take(),
		"join r a: there count=1 people=1", "announce r joined count=1 except a",
		"join r b: there count=2 people=2", "announce r joined count=2 except b",
		"announce r updated count=2 except b",
		"leave r b", "announce r left count=1 except nobody",
		"leave r a",
	)
	if got := w.Stats().Rooms; got != 0 {
		t.Errorf("%d rooms are left", got)
	}
}

// TestCrowd shows that a room too large for lists is told counts, and those seldom, and gets its list back when it has
// become small again.
func TestCrowd(t *testing.T) {
	const most = 32
	w := newWorld(t, hub.Options{MaxPeople: most})
	var sessions []*hub.Session
	join := func() []string {
		s := w.session(t, "s")
		w.shard.take()
		receive(t, s, `{"type":"join","room":"r"}`)
		sessions = append(sessions, s)
		return w.shard.take()
	}
	for range most {
		join()
	}
	want(t, join(), "join r s: there count=33", "announce r there count=33 except s")
	want(t, join(), "join r s: there count=34")
	want(t, join(), "join r s: there count=35")
	want(t, join(), "join r s: there count=36", "announce r there count=36 except s")

	var told []string
	for len(sessions) > 0 {
		sessions[0].Closed(false)
		sessions = sessions[1:]
		for _, line := range w.shard.take() {
			if strings.HasPrefix(line, "announce") {
				told = append(told, strings.TrimSuffix(line, " except nobody"))
			}
		}
		if len(told) > 0 && strings.Contains(told[len(told)-1], "people=") {
			break
		}
	}
	want(t, told, "announce r there count=33", "announce r there count=30", "announce r there count=28",
		"announce r there count=26", "announce r there count=24", "announce r there count=23 people=23")
	sessions[0].Closed(false)
	want(t, w.shard.take(), "leave r s", "announce r left count=22 except nobody")
}

func TestPublishHTTP(t *testing.T) {
	w := newWorld(t, hub.Options{MaxMessage: 10})
	id, err := w.PublishHTTP(t.Context(), hub.Identity{}, "r", "k1", protocol.Text, []byte("hi"))
	if err != nil || id.ID != "http:r/k1" {
		t.Errorf("got %+v, %v", id, err)
	}
	first, err := w.PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.JSON, []byte("{}"))
	second, err2 := w.PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.JSON, []byte("{}"))
	if err != nil || err2 != nil || first.ID == second.ID {
		t.Errorf("got %+v, %+v, %v, %v", first, second, err, err2)
	}
	for _, tt := range []struct {
		name string
		room string
		key  string
		kind protocol.Kind
		data string
		code string
	}{
		{"room", "a b", "k", protocol.Text, "x", "bad_room"},
		{"key", "r", "a b", protocol.Text, "x", "bad_key"},
		{"text", "r", "k", protocol.Text, "\xff", "bad_data"},
		{"json", "r", "k", protocol.JSON, "{", "bad_data"},
		{"two values", "r", "k", protocol.JSON, "1 2", "bad_data"},
		{"json not in UTF-8", "r", "k", protocol.JSON, "\"\xff\"", "bad_data"},
		{"size", "r", "k", protocol.Binary, "0123456789a", "too_big"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.PublishHTTP(t.Context(), hub.Identity{}, tt.room, tt.key, tt.kind, []byte(tt.data))
			var r *hub.Refusal
			if !errors.As(err, &r) || r.Code != tt.code || r.Fix == "" || r.Detail == "" {
				t.Errorf("got %+v, want code %s", err, tt.code)
			}
		})
	}
}

// TestTellsLittle shows that one session cannot have the others be told without end: a name that does not change is
// not told, and beyond a burst changes are refused.
func TestTellsLittle(t *testing.T) {
	w := newWorld(t, hub.Options{})
	s := w.session(t, "a")
	receive(t, s, `{"type":"join","room":"r"}`)
	w.shard.take()
	receive(t, s, `{"type":"hello","name":"x"}`)
	want(t, w.shard.take())

	told, refused := 0, 0
	for i := range 5000 {
		receive(t, s, fmt.Sprintf(`{"type":"hello","name":"n%d"}`, i))
		receive(t, s, `{"type":"join","room":"r"}`)
	}
	for _, line := range w.shard.take() {
		switch {
		case strings.HasPrefix(line, "announce r updated"), strings.HasPrefix(line, "send a there"):
			told++
		case line == "send a error too_many_requests":
			refused++
		default:
			t.Fatalf("told: %s", line)
		}
	}
	if told < 200 || told > 5000 || told+refused != 10_000 {
		t.Errorf("%d were told and %d refused", told, refused)
	}
	receive(t, s, `{"type":"publish","room":"r","key":"k","data":"hi"}`) // is not counted
	want(t, w.shard.take(), `publish r "hi" except a`, "send a ack key=k live")
}

// TestPublicationKeepsNothing shows that a publication does not alias what the transport reads into.
func TestPublicationKeepsNothing(t *testing.T) {
	w := newWorld(t, hub.Options{})
	s := w.NewSession(w.shard, "a", true)
	s.EnterPlain(t.Context(), "r")
	buf := []byte("first")
	if err := s.Receive(buf, false); err != nil {
		t.Fatal(err)
	}
	copy(buf, "other")
	if got := string(w.broker.published[0].Data); got != "first" {
		t.Errorf("the publication became %q", got)
	}
}

// FuzzReceive looks for frames of a client that break the core.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{`{"type":"join","room":"r"}`, `{"type":"publish","room":"r","kind":"json","data":[1]}`,
		`{"type":"leave","room":"r"}`, `{"type":"hello","name":"\ud800"}`, `{"type":"publish","room":"\u0000","data":"x"}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w := newWorld(t, hub.Options{})
		s := w.session(t, "a")
		_ = s.Receive(frame, false)
		_ = s.Receive([]byte(`{"type":"join","room":"r"}`), false)
		s.Closed(false)
		if n := w.Stats().Rooms; n != 0 {
			t.Errorf("%d rooms are left", n)
		}
		for _, p := range w.broker.published {
			if !json.Valid(protocol.AppendMessage(nil, protocol.Delivery{Message: &p.Message})) {
				t.Errorf("the message %+v is not to be told", p)
			}
		}
	})
}

// TestConcurrent has many sessions come, publish and go at once; the race detector looks on.
func TestConcurrent(t *testing.T) {
	w := newWorld(t, hub.Options{})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 50 {
				s := w.NewSession(w.shard, i, false)
				for _, frame := range []string{`{"type":"hello"}`, `{"type":"join","room":"r"}`,
					fmt.Sprintf(`{"type":"join","room":"r%d"}`, n%5), `{"type":"publish","room":"r","data":"x"}`,
					`{"type":"hello","name":"n"}`, `{"type":"leave","room":"r"}`} {
					if err := s.Receive([]byte(frame), false); err != nil {
						t.Error(err)
					}
				}
				w.broker.receiver.SetIsolated(n%2 == 0, nil)
				s.Closed(false)
			}
		})
	}
	all.Wait()
	if got := w.Stats(); got.Rooms != 0 || got.Received["websocket"] != 800 {
		t.Errorf("stats %+v", got)
	}
}
