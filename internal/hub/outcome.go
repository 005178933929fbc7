package hub

import (
	"sync/atomic"

	"github.com/soumya-codes/realtime-hub/internal/hub/logroom"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// reply is who is told how a publication in a log room went. answer is called under the lock of the room's stripe.
type reply interface {
	answer(r *room, o logroom.Outcome)
}

// v1Reply answers a session of hub.v1, with an ack or an error frame.
type v1Reply struct {
	to  *addressee
	key string
}

// addressee is a session for as long as it is open: what waits for the log for minutes does not keep its connection.
type addressee struct{ atomic.Pointer[Session] }

// address returns the session's addressee.
func (s *Session) address() *addressee {
	if s.addressee == nil {
		s.addressee = new(addressee)
		s.addressee.Store(s)
	}
	return s.addressee
}

func (v v1Reply) answer(r *room, o logroom.Outcome) {
	s := v.to.Load()
	if s == nil || r.client[s.ID()].missing(o.At) {
		return
	}
	ack := protocol.Ack{Room: r.name, Key: v.key, ID: o.ID}
	switch o.Result {
	case logroom.Stored:
		ack.Scope, ack.At, ack.Duplicate = protocol.ScopeCluster, o.At, o.Duplicate
	case logroom.Kept:
		ack.Scope = protocol.ScopeHub
	default:
		s.refuse(&protocol.Frame{Room: r.name, Key: v.key}, refusalOf(o.Result))
		return
	}
	s.shard.Send(s, protocol.AppendAck(nil, ack))
}

// missing reports whether sub, which waits for its turn to resume, has yet to get what lies before a position: told of it
// now, the client would take that for the next of its stream. The stream brings it.
func (sub *subscription) missing(at Position) bool {
	if sub == nil || sub.waits == nil || sub.waits.cursor.IsZero() || at.IsZero() {
		return false
	}
	return at.Epoch != sub.waits.cursor.Epoch || at.Offset > sub.waits.cursor.Offset
}

// plainReply answers a plain session, which can be told nothing but that it ends: nothing is lost in silence.
type plainReply struct{ to *addressee }

func (p plainReply) answer(_ *room, o logroom.Outcome) {
	if s, refusal := p.to.Load(), refusalOf(o.Result); s != nil && refusal != nil {
		s.shard.Close(s, protocol.CodeTooMany, refusal.Detail)
	}
}

// httpReply answers whoever waits in PublishHTTP. It holds one outcome, as the first one counts.
type httpReply chan logroom.Outcome

func (c httpReply) answer(_ *room, o logroom.Outcome) {
	select {
	case c <- o:
	default:
	}
}

// refusalOf returns what the publisher is told of a message that is not stored, or may not be; nil of one that is, or
// will be.
func refusalOf(r logroom.Result) *Refusal {
	switch r {
	case logroom.Full:
		return &Refusal{protocol.ErrOutboxFull, "the hub keeps no more messages that are not stored yet",
			"publish it again later: nothing was shown"}
	case logroom.Refused:
		return &Refusal{protocol.ErrRefused, "the log does not take the message, as its memory is full",
			"publish it again later: nothing was stored"}
	case logroom.Unknown:
		return &Refusal{protocol.ErrUnknown, "the log did not answer in time: the message may be stored, now or later",
			"publish it again under the same key: it is stored once. Of a message without a key the hub takes care itself"}
	}
	return nil
}

// resumeResult says how a resume went: a value of the metric's label, from a closed set.
type resumeResult uint8

// The results. 0 is that of no resume.
const (
	resumed  resumeResult = 1 + iota // it went on where it was
	orphaned                         // and was told of positions that were lost
	wasReset                         // it went on at the end of the log
)

func (r resumeResult) String() string { return [...]string{"", "resumed", "orphans", "reset"}[r] }

// resumes counts resumes by their result.
type resumes struct{ resumed, orphans, reset atomic.Uint64 }

func (c *resumes) add(r resumeResult) {
	switch r {
	case resumed:
		c.resumed.Add(1)
	case orphaned:
		c.orphans.Add(1)
	case wasReset:
		c.reset.Add(1)
	}
}
