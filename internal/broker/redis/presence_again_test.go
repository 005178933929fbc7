package redis

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestPresenceWatchedAgain has a room be left and watched again while the answer to the first watch is on its way, and
// somebody leave it in between: the first answer does not count, and he is no ghost.
func TestPresenceWatchedAgain(t *testing.T) {
	own, other := hub.HubID{ID: "1", Name: "hub1"}, hub.HubID{ID: "2", Name: "hub2"}
	p, err := NewPresence(PresenceOptions{Options: Options{URL: "redis://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	r := brokertest.NewPresenceReceiver(t, own)
	p.own, p.receiver, p.link = own, r, newPresenceLink(p)
	p.others[other.ID] = &otherHub{HubID: other}
	answer := func(newest uint64, people ...hub.Person) loadReply {
		listed := hub.Listed{Hub: other, Count: len(people), People: append([]hub.Person{}, people...)}
		reply := loadReply{
			asked: p.link.loads, newest: changeID{newest, 0}, rooms: map[string][]share{"r": {{registration: "x", Listed: listed}}},
		}
		p.link.loads = nil
		return reply
	}

	p.Watch("r")
	first := answer(1, hub.Person{ID: "bob"})
	r.Unwatch(p, "r")
	p.hear(said{id: changeID{2, 0}, serial: 1, hub: other.ID, kind: kindChanges, data: encodeChanges([]roomChange{
		{Room: "r", Remove: []string{"bob"}},
	})})
	p.Watch("r")
	second := answer(2)
	p.loaded(first)
	p.loaded(second)
	if n := r.Listed("r"); n > 0 {
		t.Error("somebody who has left is there")
	}
}
