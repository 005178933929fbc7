package hub

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
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

// Published is how far a publication over HTTP came.
type Published struct {
	ID        string
	Scope     string   // protocol.ScopeLive, ScopeCluster or ScopeHub
	At        Position // of scope cluster
	Duplicate bool     // it was stored before
}

// PublishHTTP publishes data in room on behalf of who, as the HTTP API does: the sender is the subject, or the room itself
// where that is nobody in particular, and everybody in it gets the message. Without a key one is made, and the hub retries what is not known to be
// stored. It returns a *Refusal where the message was refused, or nothing is known of it in time. It keeps data, and
// waits while shards or log are far behind.
func (h *Hub) PublishHTTP(ctx context.Context, who Identity, room, key string, kind protocol.Kind, data []byte) (Published, error) {
	own := key == ""
	if own {
		key = rand.Text() // nobody can have used it, nor use it before
	}
	if refusal := h.check(room, key, kind, data); refusal != nil {
		return Published{}, refusal
	}
	for _, s := range h.shards {
		s.Pace()
	}
	p := h.publication(room, key, who.sender(room), kind, data)
	h.counts.http.Add(1)
	if h.isLog(room) {
		h.Await()
		return h.publishAndWait(ctx, &p.Message, own)
	}
	h.publish(p, nil)
	return Published{ID: p.ID, Scope: protocol.ScopeLive}, nil
}

// publishAndWait publishes m in a log room and waits for its outcome.
func (h *Hub) publishAndWait(ctx context.Context, m *protocol.Message, own bool) (Published, error) {
	var birth *Position
	if !own {
		birth = new(Position) // it may be a retry of what is stored
	}
	outcome := make(httpReply, 1) // sent by whoever tells the outcome
	h.publishLog(m, own, birth, outcome)
	ctx, cancel := context.WithTimeout(ctx, h.options.PublishTimeout)
	defer cancel()
	select {
	case o := <-outcome:
		switch refusal := refusalOf(o.Result); {
		case refusal != nil:
			return Published{}, refusal
		case o.Result == logroom.Kept:
			return Published{ID: m.ID, Scope: protocol.ScopeHub}, nil
		}
		return Published{ID: m.ID, Scope: protocol.ScopeCluster, At: o.At, Duplicate: o.Duplicate}, nil
	case <-ctx.Done():
		return Published{}, refusalOf(logroom.Unknown)
	}
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
