package hub_test

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// idle is a shard that does nothing.
type idle struct{}

func (idle) Pace()                                                      {}
func (idle) Join(string, *hub.Session, []byte, bool)                    {}
func (idle) Leave(string, *hub.Session)                                 {}
func (idle) Attach(_ string, _ *hub.Session, _ []byte, next func())     {}
func (idle) Detach(string, *hub.Session)                                {}
func (idle) Enqueue(*hub.Publication, *hub.Session)                     {}
func (idle) Deliver(hub.Entry, []*hub.Session, bool)                    {}
func (idle) Replay(_ *hub.Session, _ []hub.Item, _ []byte, next func()) {}
func (idle) Show(*protocol.Message, []*hub.Session)                     {}
func (idle) Ack(*hub.Session, []byte)                                   {}
func (idle) Send(*hub.Session, []byte)                                  {}
func (idle) Announce(string, []byte, *hub.Session, bool)                {}
func (idle) Broadcast([]byte)                                           {}
func (idle) Close(*hub.Session, protocol.Code, string)                  {}

// crowded returns a hub that has so many rooms of so many members each, called PREFIX0 and so on.
func crowded(b *testing.B, prefix string, rooms, members int) *hub.Hub {
	b.Helper()
	h := hub.New(hub.Options{
		Name: "hub", Broker: memory.NewBus(memory.Options{}).Broker(),
		Logs: memory.NewLogs(memory.LogOptions{}).Log(), Presence: memory.NewEverybody().Presence(),
	})
	h.AddShard(idle{})
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	for room := range rooms {
		for range members {
			h.NewSession(idle{}, nil, true).EnterPlain(b.Context(), fmt.Sprint(prefix, room))
		}
	}
	return h
}

// sizes are rooms of very different sizes, and very different numbers of them.
var sizes = []struct{ rooms, members int }{{1, 1}, {1, 100}, {1, 10_000}, {10_000, 1}}

// bySize runs f with each size, in live rooms and in log rooms.
func bySize(b *testing.B, f func(b *testing.B, h *hub.Hub, room string)) {
	for _, prefix := range []string{"live.", "log."} {
		for _, s := range sizes {
			b.Run(fmt.Sprintf("%s %d rooms of %d", prefix[:len(prefix)-1], s.rooms, s.members), func(b *testing.B) {
				f(b, crowded(b, prefix, s.rooms, s.members), prefix+"0")
			})
		}
	}
}

// BenchmarkJoinLeave has a client of hub.v1 join a room and leave it.
func BenchmarkJoinLeave(b *testing.B) {
	bySize(b, func(b *testing.B, h *hub.Hub, room string) {
		join, leave := fmt.Appendf(nil, `{"type":"join","room":%q}`, room), fmt.Appendf(nil, `{"type":"leave","room":%q}`, room)
		hello := []byte(`{"type":"hello"}`)
		var s *hub.Session
		n := 0
		b.ReportAllocs()
		for b.Loop() {
			if n%250 == 0 { // a session may join so often at once
				s = h.NewSession(idle{}, nil, false)
				_ = s.Receive(hello, false)
			}
			n++
			_ = s.Receive(join, false)
			_ = s.Receive(leave, false)
		}
	})
}

// BenchmarkPublish has a client of hub.v1 publish in a room.
func BenchmarkPublish(b *testing.B) {
	bySize(b, func(b *testing.B, h *hub.Hub, room string) {
		s := h.NewSession(idle{}, nil, false)
		_ = s.Receive([]byte(`{"type":"hello"}`), false)
		_ = s.Receive(fmt.Appendf(nil, `{"type":"join","room":%q}`, room), false)
		publish := fmt.Appendf(nil, `{"type":"publish","room":%q,"data":"0123456789012345678901234567890123456789"}`, room)
		b.ReportAllocs()
		for b.Loop() {
			s.Await()
			_ = s.Receive(publish, false)
		}
	})
}
