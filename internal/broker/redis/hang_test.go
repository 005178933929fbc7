//go:build !short

package redis

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestReceiveWhileRedisHangs has Redis hang, and the outbox be more than half full: an event loop calls Receive and
// Closed, and must not wait for anything. Redis is given half a minute, and publishers would be given a second.
func TestReceiveWhileRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	opts := Options{URL: server.URL(), Timeout: unhurried, Ping: time.Hour}
	b, _ := newBroker(t, opts)
	log, err := NewLog(LogOptions{Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	people, err := NewPresence(PresenceOptions{Options: opts, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	l := newListener()
	h := hub.New(hub.Options{
		Name: "h", Broker: b, Logs: log, Presence: people, Outbox: 64 << 10, AttachTimeout: unhurried, Linger: time.Hour,
	})
	h.AddShard(l)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Resume()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	l.await(t, "the hub to be connected", func() bool { return !h.Isolated() })
	plain := h.NewSession(l, new(atomic.Int64), true)
	plain.EnterPlain(t.Context(), "plain") // which may wait
	server.Pause()

	slowest := time.Duration(0)
	quick := func(what string, f func()) {
		began := time.Now()
		f()
		took := time.Since(began)
		slowest = max(slowest, took)
		if took > 300*time.Millisecond { // a busy machine
			t.Errorf("%s took %v", what, took)
		}
	}
	session := func() (*hub.Session, func(frame string, args ...any)) {
		s := h.NewSession(l, new(atomic.Int64), false)
		return s, func(frame string, args ...any) {
			frame = fmt.Sprintf(frame, args...)
			quick(frame[:min(len(frame), 60)], func() {
				if err := s.Receive([]byte(frame), false); err != nil {
					t.Error(err)
				}
			})
		}
	}
	first, receive := session()
	receive(`{"type":"hello","name":"x"}`)
	receive(`{"type":"join","room":"log"}`)
	data := strings.Repeat("x", 1000)
	for n := range 100 {
		receive(`{"type":"publish","room":"log%d","key":"%d","data":%q}`, n%3, n, data)
	}
	if !h.FarBehind() || !first.FarBehind() {
		t.Error("the outbox is not half full: nothing was shown")
	}
	for n := range 20 {
		receive(`{"type":"join","room":"live.%d"}`, n) // of all partitions, none of them there
		receive(`{"type":"publish","room":"live.%d","data":"x"}`, n)
		receive(`{"type":"join","room":"%d","history":10}`, n)
		receive(`{"type":"people","room":"live.%d"}`, n)
		receive(`{"type":"people","room":"elsewhere%d"}`, n)
		receive(`{"type":"hello","name":"x%d"}`, n)
		receive(`{"type":"leave","room":"live.%d"}`, n)
		receive(`{"type":"ping"}`)
	}
	quick("a plain message", func() {
		if err := plain.Receive([]byte("hi"), false); err != nil {
			t.Error(err)
		}
	})
	quick("Closed", func() { first.Closed(true) })
	quick("Closed", func() { plain.Closed(false) })
	t.Logf("the slowest took %v", slowest)
}
