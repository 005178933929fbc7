package ws

import (
	"net/http"
	"sync"
	"time"
)

// snapshots are streams of events that all tell the same: what take returns, at once and then at each tick. A snapshot
// is taken and encoded once for all of them, and none where nobody listens: its goroutine runs from the first listener
// to the last. All methods may be called by several goroutines at once.
//
// Lock order: mu is taken before a connection's mu and before whatever take locks.
type snapshots struct {
	// immutable
	server *Server
	take   func() []byte
	every  time.Duration

	mu        sync.Mutex
	listeners map[*conn]struct{} // guarded by mu
	newest    *block             // nil where nobody listens; guarded by mu
	stop      chan struct{}      // closed as the last listener ends, received by the ticker; one for each; guarded by mu
}

// Snapshots returns the handler of streams of what take returns: one line of text, at once and then after each interval
// of this length. The streams are connections like those of ServeEvents, but that one which does not read is not owed
// what it missed: only the newest snapshot waits for it. take is called by one goroutine at a time.
func (s *Server) Snapshots(take func() []byte, every time.Duration) http.HandlerFunc {
	p := &snapshots{server: s, take: take, every: every, listeners: make(map[*conn]struct{})}
	return p.serve
}

// snapshotBuffer is how many bytes the system keeps for a stream of snapshots. Left alone it would take some megabytes,
// an hour of snapshots, before it is seen that nobody reads.
const snapshotBuffer = 16 << 10

func (p *snapshots) serve(w http.ResponseWriter, r *http.Request) {
	c := p.server.newStream(w, r, p)
	if c == nil {
		return
	}
	p.add(c)
	if nc := p.server.takeOver(w, r, c); nc != nil {
		if sized, ok := nc.(interface{ SetWriteBuffer(int) error }); ok {
			_ = sized.SetWriteBuffer(snapshotBuffer) // where it fails it is as large as others
		}
		p.server.start(c, nc, p.server.options.PingInterval)
	}
}

// add has c told the newest snapshot, and each from then on. The caller has added c to the server, so that Shutdown
// waits for c, and with it for the ticker.
func (p *snapshots) add(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.listeners) == 0 {
		p.newest = snapshotBlock(p.take())
		stop := make(chan struct{})
		p.stop = stop
		p.server.busy.Go(func() { p.tick(stop) }) // ends with the last listener; Shutdown waits for it
	}
	p.listeners[c] = struct{}{}
	c.pushNewest(p.newest)
}

// remove ends that. It is called once c is of no more use.
func (p *snapshots) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.listeners[c]; !ok {
		return
	}
	delete(p.listeners, c)
	if len(p.listeners) == 0 {
		close(p.stop)
		p.newest = nil
	}
}

// tick takes a snapshot at each tick and has all listeners told, until stop is closed.
func (p *snapshots) tick(stop chan struct{}) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			p.tell(stop)
		}
	}
}

func (p *snapshots) tell(stop chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-stop: // while the lock was waited for
		return
	default:
	}
	p.newest = snapshotBlock(p.take())
	for c := range p.listeners {
		c.pushNewest(p.newest)
	}
}

// pushNewest appends a snapshot, in the place of one that waits.
func (c *conn) pushNewest(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil || c.queue.replaceSnapshot(b) {
		return
	}
	c.queue.append(b.whole())
	c.bound()
	if c.started {
		c.shard.engine.wakeAny(c)
	}
}

// replaceSnapshot puts b in the place of a snapshot that waits, and reports whether there is one.
func (q *sendQueue) replaceSnapshot(b *block) bool {
	first := int(q.taken)
	if q.begun > 0 {
		first = max(first, 1) // a snapshot is a block by itself
	}
	for i := first; i < len(q.spans); i++ {
		if old := q.spans[i]; old.frames[0].snapshot {
			q.spans[i] = b.whole()
			q.bytes += len(b.bytes) - len(old.block.bytes)
			return true
		}
	}
	return false
}
