package api

import (
	"net/http"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// people is the answer to who is in a room.
type people struct {
	People []person `json:"people"`
	Count  int      `json:"count"` // all of them
	Next   *string  `json:"next"`  // null at the end
}

type person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Hub  string `json:"hub"`
}

// rooms is the answer to which rooms have people.
type rooms struct {
	Rooms []room  `json:"rooms"`
	Next  *string `json:"next"` // null at the end
}

type room struct {
	Room   string `json:"room"`
	Kind   string `json:"kind"` // "log" or "live"
	People int    `json:"people"`
}

// defaultPeople is how many people, or rooms, a request gets that does not say.
const defaultPeople = 100

func (a *Handler) people(w http.ResponseWriter, r *http.Request) {
	after, limit, refusal := queryOf(r.URL.RawQuery, "ID", defaultPeople, hub.MaxPeoplePage)
	if refusal != nil {
		a.refuse(w, refusal)
		return
	}
	page, err := a.hub.People(r.Context(), r.PathValue("room"), after, limit)
	if err != nil {
		a.refuse(w, err)
		return
	}
	answer := people{People: make([]person, len(page.People)), Count: page.Count, Next: orNull(page.Next)}
	for i, p := range page.People {
		answer.People[i] = person{ID: p.ID, Name: p.Name, Hub: p.Hub}
	}
	reply(w, http.StatusOK, answer)
}

func (a *Handler) rooms(w http.ResponseWriter, r *http.Request) {
	after, limit, refusal := queryOf(r.URL.RawQuery, "NAME", defaultPeople, hub.MaxPeoplePage)
	if refusal != nil {
		a.refuse(w, refusal)
		return
	}
	page, err := a.hub.Rooms(r.Context(), after, limit)
	if err != nil {
		a.refuse(w, err)
		return
	}
	answer := rooms{Rooms: make([]room, len(page.Rooms)), Next: orNull(page.Next)}
	for i, p := range page.Rooms {
		answer.Rooms[i] = room{Room: p.Room, Kind: "live", People: p.People}
		if a.hub.IsLog(p.Room) {
			answer.Rooms[i].Kind = "log"
		}
	}
	reply(w, http.StatusOK, answer)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
