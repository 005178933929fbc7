package hub

import (
	"fmt"
	"strconv"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Refusal is why the hub did not take something: what transports turn into an error frame, a problem document, or a
// close code.
type Refusal struct {
	Code   string // one of protocol.Err…
	Detail string // what was wrong
	Fix    string // what to do
}

// Error returns the detail.
func (r *Refusal) Error() string { return r.Detail }

// PublishHTTP publishes data in room on behalf of nobody in particular, as the HTTP API does: the sender is the room
// itself, and everybody in it gets the message. Without a key one is made. It returns the message's id, or a *Refusal.
// It keeps data, and
// waits while the shards are far behind.
func (h *Hub) PublishHTTP(room, key string, kind protocol.Kind, data []byte) (id string, err error) {
	if key == "" {
		// The hub's own id makes it different from what other hubs make.
		key = h.id + "." + strconv.FormatUint(h.counts.keys.Add(1), 36)
	}
	if refusal := h.check(room, key, kind, data); refusal != nil {
		return "", refusal
	}
	for _, s := range h.shards {
		s.Pace()
	}
	p := h.publication(room, key, protocol.Client{ID: "http:" + room}, kind, data)
	h.counts.http.Add(1)
	h.publish(p, nil)
	return p.ID, nil
}

// check returns why these cannot be published, or nil.
func (h *Hub) check(room, key string, kind protocol.Kind, data []byte) *Refusal {
	if err := protocol.CheckRoom(room); err != nil {
		return &Refusal{protocol.ErrBadRoom, err.Error(), protocol.RoomRule}
	}
	if err := protocol.CheckKey(key); err != nil {
		return &Refusal{protocol.ErrBadKey, err.Error(), protocol.KeyRule}
	}
	if len(data) > h.options.MaxMessage {
		return h.tooBig(len(data))
	}
	if err := kind.Check(data); err != nil {
		return &Refusal{protocol.ErrBadData, err.Error(), "send it as kind binary, or mend the data"}
	}
	return nil
}

func (h *Hub) tooBig(size int) *Refusal {
	return &Refusal{
		Code:   protocol.ErrTooBig,
		Detail: fmt.Sprintf("the message has %d bytes, more than %d", size, h.options.MaxMessage),
		Fix:    "send less at once, or start the hubs with a larger --max-message",
	}
}
