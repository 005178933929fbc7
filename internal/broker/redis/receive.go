package redis

import "time"

// grumble is how often invalid envelopes are logged.
const grumble = time.Minute

// receive takes one envelope from the library's reading goroutine, which is one at a time. What this broker sent itself
// is left out unread: its hub has it.
func (l *link) receive(envelope string) {
	b := l.broker
	h, rest, err := cutHeader(envelope)
	if err != nil {
		b.invalid(err)
		return
	}
	if h.broker == b.id || !b.fence.pass(h.broker, h.life) {
		return
	}
	for rest != "" {
		p, behind, err := cutPublication(rest, h.origin)
		switch {
		case err == nil:
			if !l.in.Put(p, p.Size()) {
				b.counts.queue.Add(1)
			}
		case p == nil:
			b.invalid(err)
			return
		default:
			b.invalid(err)
		}
		rest = behind
	}
}

// invalid counts what could not be decoded, as one publication, and logs it now and then.
func (b *Broker) invalid(err error) {
	b.counts.invalid.Add(1)
	if time.Since(b.grumbled) > grumble {
		b.grumbled = time.Now()
		b.log.Warn("dropped what another program published at Redis: are all hubs of one version?", "why", err)
	}
}

// fence keeps out what a broker published in a life that is over, where something of a later one has come already:
// Redis may find it in its buffers when it goes on after it hung, and it would break the order. It was counted as
// dropped by the broker that sent it. The keys are brokers, the values their latest lives.
type fence map[uint64]uint64

// fenced is how many brokers a fence remembers before it begins anew, as they never come back after their end.
const fenced = 4096

// pass notes that something of broker's life has come, and reports whether it is to be let in.
func (f fence) pass(broker, life uint64) bool {
	last, known := f[broker]
	if life < last {
		return false
	}
	if !known && len(f) >= fenced {
		clear(f)
	}
	if life != last {
		f[broker] = life
	}
	return true
}
