package hub

import (
	"errors"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
)

// logReceiver is the side of the hub that its log sees.
type logReceiver struct{ *Hub }

// Subscribed implements LogReceiver, and so do the methods below.
func (h logReceiver) Subscribed(room string, number uint64) {
	h.event(room, logroom.Subscribed{Number: number})
}

// Published hands over what was stored. It waits while the shards are far behind: the log then keeps it, as far as its
// bound goes, and has the room read the rest.
func (h logReceiver) Published(room string, entries []Entry) {
	for _, s := range h.shards {
		s.Pace()
	}
	for _, e := range entries {
		if e.Message.Hub != h.name {
			h.counts.fromBroker.Add(1)
		}
	}
	h.event(room, logroom.Published{Entries: entries})
}

// Missed has the room subscribe once more: what it missed is read when that is confirmed.
func (h logReceiver) Missed(room string) {
	st := h.stripe(room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r := st.rooms[room]; r != nil && r.log != nil && len(r.subs) > 0 {
		h.step(st, r, logroom.Unsubscribed{})
		h.logs.Subscribe(room, r.number)
	}
}

// SetAway tells the rooms and the sessions. A room that is made meanwhile sees the new state, or is told here.
func (h logReceiver) SetAway(away bool, why error) {
	h.logAway.Store(away)
	h.setIsolated(&h.away.log, away)
	var e logroom.Event = logroom.Connected{}
	if away {
		e = logroom.Isolated{}
	}
	for i := range h.stripes {
		st := &h.stripes[i]
		st.mu.Lock()
		for _, r := range st.rooms {
			if r.log != nil {
				h.step(st, r, e)
				h.dropIdle(st, r)
			}
		}
		st.mu.Unlock()
	}
	h.paced()
}

// event gives the room of this name an event, if there is one.
func (h logReceiver) event(room string, e logroom.Event) {
	st := h.stripe(room)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r := st.rooms[room]; r != nil && r.log != nil {
		h.step(st, r, e)
	}
}

// appendFailed says what err means for the room: whether the log will never take the message, or whoever has it is to
// try again.
func appendFailed(e logroom.Append, err error) logroom.AppendFailed {
	again := errors.Is(err, ErrUnknown) || errors.Is(err, ErrAway) || errors.Is(err, ErrBusy)
	return logroom.AppendFailed{Request: e.Request, Refused: !again}
}
