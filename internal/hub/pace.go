package hub

import (
	"sync"
	"time"
)

// paceMost is how long somebody who publishes waits for the log at most.
const paceMost = time.Second

// pace has those who publish wait while the log is far behind, rather than have what they publish refused.
type pace struct {
	mu      sync.Mutex
	changed chan struct{} // closed when the outbox may have changed; nil while nobody waits; guarded by mu
}

// await waits while more than half of the outbox is taken and the log is there, but not for long: what fills it may be
// more than the log will take.
func (h *Hub) await() {
	if !h.farBehind() {
		return
	}
	timer := time.NewTimer(paceMost)
	defer timer.Stop()
	for {
		changed := h.pace.wait()
		if !h.farBehind() {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

func (h *Hub) farBehind() bool {
	return h.outbox.Used() > h.options.Outbox/2 && !h.logAway.Load()
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

// signal wakes those who wait.
func (p *pace) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
