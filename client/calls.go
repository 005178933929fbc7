package client

import (
	"errors"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// call is a publication that was, or is about to be, sent on a connection.
type call struct {
	// Sent by answer and fail, while they hold link.mu, and received by publication.await, which may be gone. It holds
	// one, and what comes later takes the place of what was not received. Never closed.
	reply chan result
	size  int // bytes of data
}

// result is an answer to a publication: an acknowledgement, or an error that is a *Refused, or why the connection
// ended.
type result struct {
	ack Ack
	err error
}

// put gives r to whoever waits, unless an acknowledgement is there, which nothing takes back but one that it is
// stored: of a message that was sent again the stream may say so before the hub answers that it keeps it. The caller holds link.mu.
func (c call) put(r result) {
	select {
	case earlier := <-c.reply:
		if earlier.err == nil && (r.err != nil || r.ack.Scope == protocol.ScopeHub) {
			r = earlier
		}
	default:
	}
	c.reply <- r
}

// expect returns a channel that gets the answers to the publication of so many bytes under key, or false where the
// connection has ended.
func (l *link) expect(key string, size int) (<-chan result, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed {
		return nil, false
	}
	c, ok := l.calls[key]
	if !ok {
		c = call{reply: make(chan result, 1), size: size}
		l.calls[key] = c
	}
	return c.reply, true
}

// forget says that nobody waits for the answer any more.
func (l *link) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, key)
}

// answer gives r to whoever waits for it.
func (l *link) answer(key string, r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.calls[key]; ok {
		c.put(r)
	}
}

// fail ends what waits for answers of a connection that has ended with cause. The client was detached before.
func (l *link) fail(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = true
	var largest string
	for key, c := range l.calls {
		if largest == "" || c.size > l.calls[largest].size {
			largest = key
		}
	}
	closed, ok := errors.AsType[*CloseError](cause)
	tooBig := ok && closed.Code == protocol.CodeTooBig
	for key, c := range l.calls {
		if tooBig && key == largest { // if one of them was over the limit, then this one is
			c.put(result{err: &Refused{Code: protocol.ErrTooBig, Message: closed.Reason, Fix: "send less at once"}})
			continue
		}
		c.put(result{err: cause})
	}
	l.calls = nil
	close(l.gone)
}
