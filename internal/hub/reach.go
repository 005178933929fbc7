package hub

import "time"

// This file has those who join a live room wait, where that is necessary, until the broker brings what other hubs publish
// in it: whoever was told to be there misses nothing.

// reach asks the broker for r, a live room that is new here. The stripe is locked.
func (h *Hub) reach(r *room) {
	ready := func() { h.reached(r) }
	if r.reached = h.broker.Want(r.name, ready); !r.reached {
		r.late = time.AfterFunc(h.options.AttachTimeout, ready) // Redis takes its time
	}
}

// unreach undoes that. The stripe is locked.
func (h *Hub) unreach(r *room) {
	h.broker.Unwant(r.name)
	if r.late != nil {
		r.late.Stop()
	}
}

// reached answers those who joined r. It is called by broker or timer, whichever is first.
func (h *Hub) reached(r *room) {
	st := h.stripe(r.name)
	st.mu.Lock()
	defer st.mu.Unlock()
	if r.reached || st.rooms[r.name] != r {
		return
	}
	r.reached = true
	r.late.Stop()
	there := r.there().Encode()
	for _, sub := range r.subs {
		var answer []byte
		if sub.session.speaksV1() {
			answer = there
		}
		r.admit(sub, answer)
	}
	for _, sub := range r.again {
		if sub.index >= 0 {
			sub.session.shard.Send(sub.session, there)
		}
	}
	r.again = nil
}

// admit makes the session of sub a member in its shard, behind answer. The stripe is locked.
func (r *room) admit(sub *subscription, answer []byte) {
	sub.session.shard.Join(r.name, sub.session, answer, r.log == nil)
	if r.log == nil {
		sub.attached()
	}
}

// attached notes that nothing is missed any more. The stripe is locked.
func (sub *subscription) attached() {
	if sub.ready != nil {
		close(sub.ready)
		sub.ready = nil
	}
}
