package hub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func (s *Session) join(f *protocol.Frame) {
	if err := protocol.CheckRoom(f.Room); err != nil {
		s.refuse(f, &Refusal{protocol.ErrBadRoom, err.Error(), protocol.RoomRule})
		return
	}
	j, refusal := joiningOf(f)
	if refusal != nil {
		s.refuse(f, refusal)
		return
	}
	if !s.mayTell(f, 1) {
		return
	}
	if i := s.find(f.Room); i >= 0 {
		s.hub.tellThere(s.subs[i])
		return
	}
	if len(s.subs) >= s.hub.options.MaxRooms {
		s.refuse(f, &Refusal{protocol.ErrTooManyRooms,
			fmt.Sprintf("the session is in %d rooms already", len(s.subs)), "leave a room first, or open another session"})
		return
	}
	s.subs = append(s.subs, s.hub.join(s, strings.Clone(f.Room), j))
}

// joiningOf returns how f asks to join a log room.
func joiningOf(f *protocol.Frame) (j joining, refusal *Refusal) {
	j.provisional = f.Provisional == nil || *f.Provisional
	j.history = f.History
	if j.history < 0 || j.history > MaxHistory {
		return j, &Refusal{protocol.ErrBadPosition, fmt.Sprintf("history is %d", f.History),
			fmt.Sprintf("ask for 0 to %d messages", MaxHistory)}
	}
	if f.Position == "" {
		return j, nil
	}
	var err error
	if j.cursor, err = protocol.ParsePosition(f.Position); err != nil {
		return j, &Refusal{protocol.ErrBadPosition, "position: " + err.Error(), protocol.PositionRule}
	}
	return j, nil
}

// leave ends the subscription to a room; where there is none, that is what the client wants already.
func (s *Session) leave(f *protocol.Frame) {
	if i := s.find(f.Room); i >= 0 {
		s.hub.leave(s.subs[i], false)
		s.hub.endTurn(s.subs[i])
		s.subs = slices.Delete(s.subs, i, i+1)
	}
}

func (s *Session) find(room string) int {
	return slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.room == room })
}
