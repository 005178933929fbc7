package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// recorder is a shard that writes down what it is told.
type recorder struct {
	mu   sync.Mutex
	told []string // guarded by mu
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

// take returns what was told since it was last called.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	return told
}

func (r *recorder) Pace() {}

func (r *recorder) Join(room string, s *hub.Session, answer []byte, attached bool) {
	if !attached {
		r.note("join %s %v behind: %s", room, s.Handle, brief(answer))
		return
	}
	r.note("join %s %v: %s", room, s.Handle, brief(answer))
}
func (r *recorder) Leave(room string, s *hub.Session) { r.note("leave %s %v", room, s.Handle) }
func (r *recorder) Enqueue(p *hub.Publication, except *hub.Session) {
	r.note("publish %s %q except %v", p.Room, p.Data, handle(except))
}
func (r *recorder) Attach(room string, s *hub.Session, frame []byte, next func()) {
	r.note("attach %s %v: %s", room, s.Handle, brief(frame))
	if next != nil {
		go next() // as the connection's writer does; ends at once
	}
}
func (r *recorder) Detach(room string, s *hub.Session) { r.note("detach %s %v", room, s.Handle) }
func (r *recorder) Deliver(e hub.Entry, holders []*hub.Session, remote bool) {
	r.note("deliver %s %q holders %v", e.Message.Room, e.Message.Data, handles(holders))
}
func (r *recorder) Replay(s *hub.Session, items []hub.Item, end []byte, next func()) {
	r.note("replay %v %d: %s", s.Handle, len(items), brief(end))
	if next != nil {
		go next() // as the connection's writer does; ends at once
	}
}
func (r *recorder) Show(m *protocol.Message, to []*hub.Session) {
	r.note("show %s %q to %v", m.Room, m.Data, handles(to))
}
func (r *recorder) Ack(s *hub.Session, frame []byte) { r.Send(s, frame) }

func (r *recorder) Send(s *hub.Session, frame []byte) { r.note("send %v %s", s.Handle, brief(frame)) }
func (r *recorder) Announce(room string, frame []byte, except *hub.Session, attached bool) {
	if attached {
		r.note("announce %s %s to those attached", room, brief(frame))
		return
	}
	r.note("announce %s %s except %v", room, brief(frame), handle(except))
}
func (r *recorder) Broadcast(frame []byte) { r.note("broadcast %s", brief(frame)) }
func (r *recorder) Close(s *hub.Session, code protocol.Code, reason string) {
	r.note("close %v %d", s.Handle, code)
}

func handles(list []*hub.Session) []any {
	var out []any
	for _, s := range list {
		out = append(out, s.Handle)
	}
	return out
}

func handle(s *hub.Session) any {
	if s == nil {
		return "nobody"
	}
	return s.Handle
}

// brief returns what a test looks at in a frame.
func brief(frame []byte) string {
	if frame == nil {
		return "nothing"
	}
	var f protocol.Frame
	if err := json.Unmarshal(frame, &f); err != nil {
		return err.Error()
	}
	s := f.Type
	if f.Count != nil {
		s += fmt.Sprintf(" count=%d", *f.Count)
	}
	if f.People != nil {
		s += fmt.Sprintf(" people=%d", len(f.People))
	}
	if f.Isolated != nil {
		s += fmt.Sprintf(" isolated=%v", *f.Isolated)
	}
	if f.Code != "" {
		s += " " + f.Code
	}
	if f.Key != "" {
		s += " key=" + f.Key
	}
	if f.Scope != "" {
		s += " " + f.Scope
	}
	if f.Position != "" {
		_, offset, _ := strings.Cut(f.Position, ":")
		s += " at=" + offset
	}
	if f.Duplicate {
		s += " duplicate"
	}
	return s
}

// broker is a hub.Broker that keeps what is published and lets the test be the other hubs.
type broker struct {
	receiver hub.Receiver
	refuse   error

	mu        sync.Mutex
	published []*hub.Publication // guarded by mu
	wanted    map[string]int     // guarded by mu
	far       bool               // guarded by mu: what is wanted is not there yet
	waits     []func()           // guarded by mu: who waits for it
}

func (b *broker) Start(_ context.Context, r hub.Receiver) error {
	b.receiver = r
	return b.refuse
}

func (b *broker) Publish(p *hub.Publication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.published = append(b.published, p)
}

func (b *broker) Want(room string, ready func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wanted == nil {
		b.wanted = make(map[string]int)
	}
	b.wanted[room]++
	if b.far {
		b.waits = append(b.waits, ready)
	}
	return !b.far
}

func (b *broker) Unwant(room string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wanted[room]--; b.wanted[room] == 0 {
		delete(b.wanted, room)
	}
}

// reach has what was wanted be there.
func (b *broker) reach() {
	b.mu.Lock()
	waits := b.waits
	b.waits = nil
	b.mu.Unlock()
	for _, ready := range waits {
		ready()
	}
}

func (b *broker) Stats() hub.BrokerStats { return hub.BrokerStats{Reconnects: 7} }
func (b *broker) Close() error           { return nil }

// world is a hub with one shard and one broker that tests can see into.
type world struct {
	*hub.Hub
	shard  *recorder
	broker *broker
}

func newWorld(t *testing.T, o hub.Options) *world {
	t.Helper()
	w := &world{shard: new(recorder), broker: new(broker)}
	o.Name, o.Broker = "hub1", w.broker
	w.Hub = hub.New(o)
	w.AddShard(w.shard)
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// session opens a session of hub.v1 that has said hello.
func (w *world) session(t *testing.T, handle any) *hub.Session {
	t.Helper()
	s := w.NewSession(w.shard, handle, false)
	receive(t, s, `{"type":"hello","name":"x"}`)
	return s
}

func receive(t *testing.T, s *hub.Session, frame string) {
	t.Helper()
	if err := s.Receive([]byte(frame), false); err != nil {
		t.Fatalf("receive %s: %v", frame, err)
	}
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
