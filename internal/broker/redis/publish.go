package redis

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const (
	// maxEnvelope is where an envelope is full: large enough that a command costs nothing beside what it carries, small
	// enough not to keep Redis from its other clients. One publication may be larger.
	maxEnvelope = 256 << 10

	// maxRound is how much is sent before the answers are waited for. It bounds what is in doubt when a link ends, and
	// what a slow connection must carry within Options.Timeout.
	maxRound = 1 << 20
)

// publish is the publisher's goroutine: it takes all that waits, sends it, and takes the next when Redis confirmed, so
// that rounds grow under load and nothing waits without. It ends with the link, and ends it when nothing is left after
// drain was closed.
func (l *link) publish() {
	round := newRound(header{broker: l.broker.id, life: l.life})
	var taken []*hub.Publication
	for {
		draining := false
		select {
		case <-l.ctx.Done():
			return
		case <-l.out.Ready():
		case <-l.drain:
			draining = true // and nothing is put any more
		}
		taken = l.out.Take(taken)
		if draining && len(taken) == 0 {
			l.fail(errClosed)
			return
		}
		for rest := taken; len(rest) > 0; {
			n := round.fill(rest)
			rest = rest[n:]
			if unconfirmed, err := l.send(round); err != nil {
				l.broker.counts.unconfirmed.Add(uint64(unconfirmed))
				l.broker.counts.isolated.Add(uint64(len(rest)))
				l.fail(err)
				return
			}
		}
	}
}

// send publishes a round and waits for the answers. It returns how many publications were not confirmed, with the error
// of the first. The round may be filled again only if there was none: otherwise the library may still read it.
func (l *link) send(r *round) (unconfirmed int, err error) {
	ctx, cancel := context.WithTimeout(l.ctx, l.broker.opts.Timeout)
	defer cancel()
	r.commands = r.commands[:0]
	for _, e := range r.envelopes {
		r.commands = append(r.commands,
			l.client.B().Publish().Channel(channels[e.partition]).Message(rueidis.BinaryString(e.bytes)).Build())
	}
	for i, reply := range l.client.DoMulti(ctx, r.commands...) {
		if replyErr := reply.Error(); replyErr != nil {
			unconfirmed += r.envelopes[i].count
			if err == nil {
				err = fmt.Errorf("publish: %w", replyErr)
			}
		}
	}
	return unconfirmed, err
}

// envelope is one on its way to being published.
type envelope struct {
	partition int
	origin    string
	count     int // publications
	bytes     []byte
}

// round is the envelopes that go out together, in the order in which they are sent. Its memory is used again.
type round struct {
	header    header // but for the origin
	envelopes []envelope
	commands  []rueidis.Completed // of send

	open   [partitions]int // the number of the envelope that takes a partition's next publication, -1 for none
	newest map[string]int  // by sender (From.ID): the number of the last envelope with something of it; 0 if missing
}

func newRound(h header) *round { return &round{header: h, newest: map[string]int{}} }

// fill empties the round and puts into it the first of ps, at least one, until it is full. It returns how many.
//
// Publications of one room stay in their order, as their envelopes are sent in theirs. So do those of one sender: where
// it changed between rooms in such a way that the envelope of the room's partition stands before the sender's last one,
// a new one is begun.
func (r *round) fill(ps []*hub.Publication) (n int) {
	r.envelopes = r.envelopes[:0]
	clear(r.newest)
	for i := range r.open {
		r.open[i] = -1
	}
	size := 0
	for n < len(ps) && (n == 0 || size+ps[n].Size() <= maxRound) {
		r.add(ps[n])
		size += ps[n].Size()
		n++
	}
	return n
}

func (r *round) add(p *hub.Publication) {
	i := r.open[partition(p.Room)]
	if i < 0 || !r.envelopes[i].takes(p) || i < r.newest[p.From.ID] {
		i = r.begin(partition(p.Room), p.Origin)
	}
	e := &r.envelopes[i]
	e.bytes = appendPublication(e.bytes, p)
	e.count++
	if i > 0 { // a round of one envelope needs no map
		r.newest[p.From.ID] = i
	}
}

// takes reports whether p may stand in e, which is of its partition.
func (e *envelope) takes(p *hub.Publication) bool {
	return e.origin == p.Origin && len(e.bytes)+p.Size() <= maxEnvelope
}

// begin appends an envelope, in the memory of one of an earlier round where there is one, and returns its number.
func (r *round) begin(partition int, origin string) int {
	i := len(r.envelopes)
	if i < cap(r.envelopes) {
		r.envelopes = r.envelopes[:i+1]
	} else {
		r.envelopes = append(r.envelopes, envelope{})
	}
	e := &r.envelopes[i]
	h := r.header
	h.origin = origin
	*e = envelope{partition: partition, origin: origin, bytes: appendHeader(e.bytes[:0], h)}
	r.open[partition] = i
	return i
}
