package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// flaky is a log in memory that can be cut off, and can lose what is published.
type flaky struct {
	*memory.Log

	mu       sync.Mutex
	receiver hub.LogReceiver // guarded by mu
	away     bool            // guarded by mu: nothing is asked for, and no answer comes
	deaf     bool            // guarded by mu: what is published is lost
	full     bool            // guarded by mu: nothing is stored
	wanted   map[string]uint64
	holding  bool     // guarded by mu: answers wait
	held     []func() // guarded by mu: they
}

func (f *flaky) Start(ctx context.Context, r hub.LogReceiver) error {
	f.receiver = r
	return f.Log.Start(ctx, ear{f})
}

func (f *flaky) is(what *bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *what
}

func (f *flaky) set(what *bool, is bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*what = is
}

func (f *flaky) Append(m *protocol.Message, done func(hub.Appended, error)) error {
	switch {
	case f.is(&f.away):
		return hub.ErrAway
	case f.is(&f.full):
		return hub.ErrNoMemory
	}
	return f.Log.Append(m, func(a hub.Appended, err error) {
		if f.is(&f.away) {
			err = fmt.Errorf("append: %w", hub.ErrUnknown)
		}
		f.mu.Lock()
		holding := f.holding
		if holding {
			f.held = append(f.held, func() { done(a, err) })
		}
		f.mu.Unlock()
		if !holding {
			done(a, err)
		}
	})
}

// hold has answers wait, or lets them go.
func (f *flaky) hold(holding bool) {
	f.mu.Lock()
	f.holding = holding
	held := f.held
	f.held = nil
	f.mu.Unlock()
	for _, answer := range held {
		answer()
	}
}

func (f *flaky) Read(room string, after hub.Position, limit int, keep bool, done func(hub.LogPage, error)) error {
	if f.is(&f.away) {
		return hub.ErrAway
	}
	return f.Log.Read(room, after, limit, keep, done)
}

func (f *flaky) Subscribe(room string, number uint64) {
	f.mu.Lock()
	f.wanted[room] = number
	away := f.away
	f.mu.Unlock()
	if !away {
		f.Log.Subscribe(room, number)
	}
}

func (f *flaky) Unsubscribe(room string) {
	f.mu.Lock()
	delete(f.wanted, room)
	f.mu.Unlock()
	f.Log.Unsubscribe(room)
}

// cut has the log away, or back.
func (f *flaky) cut(away bool) {
	f.mu.Lock()
	f.away = away
	wanted := f.wanted
	f.mu.Unlock()
	f.receiver.SetAway(away, errors.New("cut"))
	for room, number := range wanted {
		if away {
			f.Log.Unsubscribe(room)
		} else {
			f.Log.Subscribe(room, number)
		}
	}
}

// ear is what stands between the log and the hub.
type ear struct{ f *flaky }

func (e ear) Subscribed(room string, number uint64) { e.f.receiver.Subscribed(room, number) }
func (e ear) Missed(room string)                    { e.f.receiver.Missed(room) }
func (e ear) SetAway(away bool, why error)          { e.f.receiver.SetAway(away, why) }
func (e ear) Published(room string, entries []hub.Entry) {
	if !e.f.is(&e.f.deaf) {
		e.f.receiver.Published(room, entries)
	}
}

// logWorld is a hub with a log of its own, in a bubble of synctest.
type logWorld struct {
	*world
	t   *testing.T
	log *flaky
}

// inLogWorld runs f with hubs that share their log rooms.
func inLogWorld(t *testing.T, o hub.Options, hubs int, f func(t *testing.T, w []*logWorld)) {
	synctest.Test(t, func(t *testing.T) {
		logs := memory.NewLogs(memory.LogOptions{Retention: func(string) hub.Retention { return hub.Retention{History: 10} }})
		var worlds []*logWorld
		for i := range hubs {
			o := o
			log := &flaky{Log: logs.Log(), wanted: make(map[string]uint64)}
			o.Name, o.Broker, o.Logs = fmt.Sprint("hub", i+1), new(broker), log
			w := &logWorld{world: &world{shard: new(recorder), broker: o.Broker.(*broker)}, t: t, log: log}
			w.Hub = hub.New(o)
			w.AddShard(w.shard)
			if err := w.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.broker.receiver.SetIsolated(false, nil)
			defer func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}()
			w.want("broadcast status isolated=false")
			worlds = append(worlds, w)
		}
		f(t, worlds)
	})
}

// told returns what the shard was told since it was last asked, once nothing goes on any more.
func (w *logWorld) told() []string {
	synctest.Wait()
	return w.shard.take()
}

// want compares what the shard was told with lines in which * stands for anything.
func (w *logWorld) want(lines ...string) {
	w.t.Helper()
	got := w.told()
	same := len(got) == len(lines)
	for i := 0; same && i < len(got); i++ {
		same = matches(got[i], lines[i])
	}
	if !same {
		w.t.Fatalf("%s: the shard was told\n  %s\nwant\n  %s", w.Name(), strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// wantInAnyOrder is want where the log's answer may come before what it published, or after.
func (w *logWorld) wantInAnyOrder(lines ...string) {
	w.t.Helper()
	got := w.told()
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.EqualFunc(got, lines, matches) {
		w.t.Fatalf("%s: the shard was told\n  %s\nwant\n  %s", w.Name(), strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

func matches(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return text == "" || parts[len(parts)-1] == ""
}

// enter opens a session and has it join r.
func (w *logWorld) enter(handle string) *hub.Session {
	w.t.Helper()
	s := w.session(w.t, handle)
	receive(w.t, s, `{"type":"join","room":"r"}`)
	w.told()
	return s
}

func say(t *testing.T, s *hub.Session, key string) {
	t.Helper()
	receive(t, s, fmt.Sprintf(`{"type":"publish","room":"r","key":%q,"data":%q}`, key, key))
}
