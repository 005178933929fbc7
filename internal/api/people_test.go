package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/api"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

type page struct {
	People []struct{ ID, Name, Hub string }
	Rooms  []struct {
		Room, Kind string
		People     int
	}
	Count int
	Next  *string
}

// TestPeople pages through who is in a room of two hubs, and through the rooms, at either hub.
func TestPeople(t *testing.T) {
	bus, logs, everybody := memory.NewBus(memory.Options{}), memory.NewLogs(memory.LogOptions{}), memory.NewEverybody()
	var handlers []*api.Handler
	var want []string
	for i := range 2 {
		h := hub.New(hub.Options{
			Name: fmt.Sprint("hub", i+1), Broker: bus.Broker(), Logs: logs.Log(), Presence: everybody.Presence(),
		})
		shard := new(capture)
		h.AddShard(shard)
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		for n := range 3 {
			s := h.NewSession(shard, nil, true)
			s.EnterPlain(t.Context(), "live.a")
			t.Cleanup(func() { s.Closed(false) })
			want = append(want, s.ID())
			other := h.NewSession(shard, nil, true)
			other.EnterPlain(t.Context(), fmt.Sprint("r", n))
			t.Cleanup(func() { other.Closed(false) })
		}
		handlers = append(handlers, handlerOf(h))
	}
	slices.Sort(want)
	for _, a := range handlers {
		known := func() bool { // what the other hub says takes a moment
			rooms := get[page](t, a, 200, "GET", "/v1/rooms", "").Rooms
			return get[page](t, a, 200, "GET", "/v1/rooms/live.a/people", "").Count == 6 && len(rooms) == 4 && rooms[3].People == 2
		}
		for tick, over := time.Tick(time.Millisecond), time.After(time.Minute); !known(); {
			select {
			case <-tick:
			case <-over:
				t.Fatal("the hubs never knew of each other's people")
			}
		}
		var ids, hubs, rooms []string
		for after := "x=1"; after != ""; {
			p := get[page](t, a, 200, "GET", "/v1/rooms/live.a/people?limit=4&"+after, "")
			if p.Count != 6 {
				t.Errorf("%d people", p.Count)
			}
			for _, who := range p.People {
				ids, hubs = append(ids, who.ID), append(hubs, who.Hub)
			}
			after = ""
			if p.Next != nil {
				after = "after=" + *p.Next
			}
		}
		slices.Sort(hubs)
		if !slices.Equal(ids, want) || fmt.Sprint(slices.Compact(hubs)) != "[hub1 hub2]" {
			t.Errorf("people %v on %v, want %v", ids, hubs, want)
		}
		for after := "x=1"; after != ""; {
			p := get[page](t, a, 200, "GET", "/v1/rooms?limit=3&"+after, "")
			for _, r := range p.Rooms {
				rooms = append(rooms, fmt.Sprint(r.Room, " ", r.Kind, " ", r.People))
			}
			after = ""
			if p.Next != nil {
				after = "after=" + *p.Next
			}
		}
		if got := fmt.Sprint(rooms); got != "[live.a live 6 r0 log 2 r1 log 2 r2 log 2]" {
			t.Errorf("rooms %v", got)
		}
	}
}
