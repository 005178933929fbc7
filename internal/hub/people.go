package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// MaxPeoplePage is the most people, or rooms, that are told at once over HTTP; in a frame it is MaxPeopleFrame.
const (
	MaxPeoplePage  = 1000
	MaxPeopleFrame = 256
)

// People returns at most limit of the people of room on all hubs, in the order of their ids, those behind after. Where the
// other hubs cannot be reached it is those that this hub knows of. It returns a *Refusal, or what ctx ends with.
func (h *Hub) People(ctx context.Context, room, after string, limit int) (PeoplePage, error) {
	if err := protocol.CheckRoom(room); err != nil {
		return PeoplePage{}, &Refusal{protocol.ErrBadRoom, err.Error(), protocol.RoomRule}
	}
	return await(ctx, func(done func(PeoplePage, error)) { h.people(room, after, limit, done) })
}

// Rooms returns at most limit of the rooms that have people on any hub, in the order of their names, those behind after.
// Where the other hubs cannot be reached it is those of this hub.
func (h *Hub) Rooms(ctx context.Context, after string, limit int) (RoomsPage, error) {
	limit = max(1, min(limit, MaxPeoplePage))
	return await(ctx, func(done func(RoomsPage, error)) {
		own := func(err error) {
			if err != nil && !errors.Is(err, ErrAway) {
				done(RoomsPage{}, busy(err))
				return
			}
			done(h.ownRooms(after, limit), nil)
		}
		if h.presence == nil {
			own(nil)
			return
		}
		err := h.presence.Rooms(after, limit, func(p RoomsPage, err error) {
			if err != nil {
				own(err)
				return
			}
			done(p, nil)
		})
		if err != nil {
			own(err)
		}
	})
}

// await waits for what ask answers.
func await[T any](ctx context.Context, ask func(done func(T, error))) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1) // for the one answer, whether somebody still waits or not
	ask(func(value T, err error) { answers <- answer{value, err} })
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// people answers as People does, by done. What this hub knows by heart it answers itself.
func (h *Hub) people(room, after string, limit int, done func(PeoplePage, error)) {
	limit = max(1, min(limit, MaxPeoplePage))
	if places, known := h.known(room, h.presence == nil); known || h.presence == nil {
		done(pageOf(places, after, limit), nil)
		return
	}
	answer := func(p PeoplePage, err error) {
		switch {
		case errors.Is(err, ErrAway):
			places, _ := h.known(room, true)
			done(pageOf(places, after, limit), nil)
		case err != nil:
			done(PeoplePage{}, busy(err))
		default:
			done(p, nil)
		}
	}
	if err := h.presence.People(room, after, limit, answer); err != nil {
		answer(PeoplePage{}, err)
	}
}

func busy(err error) error {
	return &Refusal{protocol.ErrIsolated, "who is there cannot be asked for now: " + err.Error(), "try again in a second"}
}

// known returns the people of a room as far as this hub knows them, and whether these are all. Of a crowd, where others
// are to be asked first, it returns none: there may be thousands, and whoever comes waits for the lock.
func (h *Hub) known(room string, crowds bool) (places []Place, all bool) {
	st := h.stripe(room)
	st.mu.Lock()
	r := st.rooms[room]
	if r == nil || r.roster.Crowd() && !crowds {
		st.mu.Unlock()
		return nil, false
	}
	if !r.roster.Crowd() {
		defer st.mu.Unlock()
		return r.roster.People(), r.loaded
	}
	people := r.people()
	st.mu.Unlock()
	places = make([]Place, len(people))
	for i, p := range people {
		places[i] = Place{Person: p, Hub: h.name}
	}
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.ID, b.ID) })
	return places, false
}

// pageOf returns a page of all places.
func pageOf(places []Place, after string, limit int) PeoplePage {
	p := PeoplePage{Count: len(places)}
	first, _ := slices.BinarySearchFunc(places, after, func(p Place, after string) int {
		if p.ID <= after {
			return -1
		}
		return 1
	})
	p.People = places[first:]
	if len(p.People) > limit {
		p.People = p.People[:limit]
		p.Next = p.People[limit-1].ID
	}
	return p
}

// ownRooms returns a page of the rooms that have people on this hub.
func (h *Hub) ownRooms(after string, limit int) (p RoomsPage) {
	counts := make(map[string]int)
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		for name, r := range st.rooms {
			if n := r.roster.Count(); n > 0 && name > after {
				counts[name] = n
			}
		}
		st.mu.Unlock()
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if len(p.Rooms) == limit {
			p.Next = p.Rooms[limit-1].Room
			break
		}
		p.Rooms = append(p.Rooms, RoomPeople{name, counts[name]})
	}
	return p
}

// people answers a frame that asks for people of a room.
func (s *Session) people(f *protocol.Frame) {
	if err := protocol.CheckRoom(f.Room); err != nil {
		s.refuse(f, &Refusal{protocol.ErrBadRoom, err.Error(), protocol.RoomRule})
		return
	}
	limit := 100
	if f.Limit != nil {
		limit = *f.Limit
	}
	if limit < 1 || limit > MaxPeopleFrame {
		s.refuse(f, &Refusal{protocol.ErrBadQuery, fmt.Sprintf("limit is %d", limit), fmt.Sprintf("ask for 1 to %d people", MaxPeopleFrame)})
		return
	}
	if !s.mayTell(f, 1) {
		return
	}
	s.hub.people(strings.Clone(f.Room), strings.Clone(f.After), limit, func(p PeoplePage, err error) {
		var refusal *Refusal
		if errors.As(err, &refusal) {
			s.refuse(f, refusal)
			return
		}
		s.send(&protocol.Frame{
			Type: protocol.TypePeople, Room: f.Room, People: peopleOf(p.People), Count: &p.Count, Next: p.Next,
		})
	})
}
