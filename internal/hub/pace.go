package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// paceMost is how long somebody who publishes waits for the log at most, and a transport has somebody wait.
const paceMost = time.Second

// pace has those who publish wait while the log is far behind, rather than have what they publish refused.
type pace struct {
	since atomic.Int64 // of the hub's clock: when the log was found to be far behind; 0 where it is not

	mu      sync.Mutex
	changed chan struct{} // closed when the outbox may have changed; nil while nobody waits; guarded by mu
}

// FarBehind reports whether those who publish in log rooms are to wait: more than half of the outbox is taken and the log
// is there. It is not so for longer than a second at a time, as what fills the outbox may be more than the log will take;
// what is published then is refused where there is no room. It does not block.
func (h *Hub) FarBehind() bool {
	if h.outbox.Used() <= h.options.Outbox/2 || h.logAway.Load() {
		if h.pace.since.Load() != 0 {
			h.pace.since.Store(0)
		}
		return false
	}
	now := int64(h.now()) + 1 // not 0
	if h.pace.since.CompareAndSwap(0, now) {
		return true
	}
	return now-h.pace.since.Load() < int64(paceMost)
}

// Await waits while the log is far behind, but no longer than a second. It is for those who publish and may wait, and hold
// no lock.
func (h *Hub) Await() {
	if !h.FarBehind() {
		return
	}
	timer := time.NewTimer(paceMost)
	defer timer.Stop()
	for {
		changed := h.pace.wait()
		if !h.FarBehind() {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

// FarBehind reports whether nothing is to be received from the session for now, as it may publish in a log room and
// Hub.FarBehind says so. It is called by whoever calls Receive, which itself never waits. It does not block.
func (s *Session) FarBehind() bool { return s.appends() && s.hub.FarBehind() }

// Await waits while that is so, but no longer than a second. It is called by whoever calls Receive, before, where that
// may wait.
func (s *Session) Await() {
	if s.appends() {
		s.hub.Await()
	}
}

// appends reports whether the session may publish in a log room. One that was closed is in no room any more.
func (s *Session) appends() bool {
	return s.opened && s.hub.logs != nil && (s.speaksV1() || s.plain && len(s.subs) > 0 && s.hub.isLog(s.subs[0].room))
}

// wait returns a channel that is closed at the next change.
func (p *pace) wait() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// paced notes that the outbox may have changed.
func (h *Hub) paced() {
	h.FarBehind() // notes where it is not any more
	h.pace.signal()
}

// signal wakes those who wait.
func (p *pace) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
