package ws

import (
	"net"
	"sync"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// hasEpoll says whether this system has what the epoll engine needs.
const hasEpoll = true

// loop is the epoll engine of one shard: one goroutine, which reads and writes all of the shard's connections, decodes
// what comes, and does what the shard is told, in rounds.
//
// A round takes what sockets and inbox have, and then writes to some of the connections that are owed something. To each
// goes all that it is owed by then, with one write; so under load a write carries more by itself, and with no load a
// message leaves at once. As a round writes to few, somebody in a quiet room waits for a busy one no longer than that.
type loop struct {
	// immutable
	shard   *shard
	server  *Server
	poller  *epoll.Poller
	yielder *epoll.Yielder
	others  *goroutineEngine // of connections that are no sockets, as those that come through other programs' TLS

	// owned by the loop
	conns    []*conn // by descriptor
	open     int
	serial   uint32 // of the connection that came last
	express  line   // those in rooms of few people
	bulk     line
	accepted int           // bytes taken from the inbox since all that were owed something had their turn
	paused   []*conn       // those of which more was received than may be worked on now
	yielded  time.Duration // by the server's clock: when the network was last looked at for others
	writes   int           // to how many connections the last round wrote
	turn     turn
	last     voice // that was heard
	other    voice // of somebody else, before
	wheel    wheel
	lane     *line // of those that are woken now

	// of the call under way, kept to save their allocation
	buffer   []byte
	scratch  []byte
	lent     decoder // of the connection that is read, where it has none
	headers  headers
	vectors  epoll.Vectors
	tallies  []*block // those whose tally is not zero
	then     []func()
	spanDone func(span)
	mayRead  func() bool
	round    []op

	mu      sync.Mutex
	arrived []*conn // that are to be adopted; guarded by mu
	called  []*conn // that others woke; guarded by mu
	stopped bool    // guarded by mu
}

// polled is what the loop keeps of each connection. It is owned by the loop.
type polled struct {
	fd      int32 // -1 once it is closed
	serial  uint32
	spot    spot          // in the wheel
	limit   time.Duration // by the server's clock: until when the rest has to be written, or the peer to close; 0 for none
	left    int32         // how much has to be written by then
	account uint32        // since when it saves for its next turn, in µs of the server's clock; once readDone, bytes skimmed

	stands   uint8 // in which lines it stands to be written to; see line.bit
	blocked  bool  // the socket takes no more
	paused   bool  // is not read from
	muted    bool  // and the kernel does not tell of it
	readDone bool  // the session is closed, and nothing is decoded any more
	peerDone bool  // and nothing more is to come
	ending   bool  // what is written last is in the queue
	wroteAll bool  // and was written

	secure *secure // of TLS; nil without
}

// perConn is what the engine keeps of each connection: of the two one.
type perConn struct {
	*goroutines
	polled
}

const (
	// readBuffer is how much is read of one connection before the next has its turn: some 10 µs. Of a message that is larger
	// the rest goes into a buffer that grows.
	readBuffer = 16 << 10

	// turns is to how many connections a round writes at most, each, of those in small rooms and of the others: some
	// milliseconds of writing.
	turns = 256

	// settleEvery is to how many connections is written before the deliveries are counted, at the time of that.
	settleEvery = 32
)

func newLoop(server *Server, s *shard) (engine, error) {
	poller, err := epoll.New()
	if err != nil {
		return nil, err
	}
	yielder, err := epoll.NewYielder()
	if err != nil {
		_ = poller.Close()
		return nil, err
	}
	l := &loop{shard: s, server: server, poller: poller, yielder: yielder, others: newGoroutineEngine(s), buffer: make([]byte, readBuffer), scratch: make([]byte, record)}
	l.wheel.every = server.options.granularity()
	l.spanDone, l.mayRead = l.count, l.mayDecode
	l.express.bit, l.bulk.bit = 1, 2
	l.lane = &l.express
	if err := poller.Tick(l.wheel.every); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// granularity is how exactly deadlines are kept: each is late by as much at most.
func (o *Options) granularity() time.Duration {
	shortest := min(o.HandshakeTimeout, o.PingInterval, o.PongTimeout, o.WriteTimeout, o.closeTimeout())
	return min(max(shortest/16, time.Millisecond), time.Second)
}

// start hands c over to the loop.
func (l *loop) start(c *conn, nc net.Conn) {
	p := &c.engine.polled
	fd, secure, err := detach(nc)
	if err != nil {
		c.server.log.Debug("a connection is not one of a loop, but has goroutines", "why", err)
		l.others.start(c, nc)
		return
	}
	p.fd, p.secure = int32(fd), secure
	l.mu.Lock()
	l.arrived = append(l.arrived, c)
	l.mu.Unlock()
	l.poller.Wake()
}

// told wakes the loop for its inbox.
func (l *loop) told() { l.poller.Wake() }

func (l *loop) wakeAny(c *conn) {
	if c.engine.goroutines != nil {
		l.others.wake(c)
		return
	}
	l.mu.Lock()
	l.called = append(l.called, c)
	l.mu.Unlock()
	l.poller.Wake()
}

func (l *loop) hurry(c *conn) {
	if c.engine.goroutines != nil {
		l.others.hurry(c)
		return
	}
	l.wakeAny(c)
}

// wake has c stand in line.
func (l *loop) wake(c *conn) {
	if c.engine.goroutines != nil {
		l.others.wake(c)
		return
	}
	l.wakeIn(l.lane, c)
}

func (l *loop) wakeIn(in *line, c *conn) {
	p := &c.engine.polled
	if p.stands&(in.bit|l.express.bit) != 0 || p.blocked && c.closing == nil {
		return // in its line, or in the one that goes first
	}
	p.stands |= in.bit
	in.add(c)
}

// crowd says whether those that are woken now are many.
func (l *loop) crowd(many bool) {
	l.lane = &l.express
	if many {
		l.lane = &l.bulk
	}
}

func (l *loop) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.poller.Wake()
}

// run does rounds until stop.
func (l *loop) run() {
	defer l.close()
	for {
		events, ticked, err := l.wait()
		mustWork(err)
		for _, e := range events {
			l.ready(e)
		}
		if l.adopt() {
			return
		}
		if ticked {
			l.wheel.advance(l.now(), l.due)
		}
		l.work()
		l.write()
		l.resume() // after all that others have to wait for
		l.yield()
	}
}

// close frees the loop's own descriptors.
func (l *loop) close() {
	_ = l.poller.Close()
	_ = l.yielder.Close()
}

// wait returns what has happened at the sockets, and waits for it where there is nothing else to do.
func (l *loop) wait() ([]epoll.Event, bool, error) {
	if l.busy() {
		return l.poller.Poll()
	}
	l.poller.Park()
	if l.waiting() {
		return l.poller.Poll()
	}
	return l.poller.Wait()
}

// busy reports whether there is something to go on with at once. Those that wait for the log are not: what the log says
// comes through the inbox.
func (l *loop) busy() bool {
	return !l.bulk.empty() || !l.express.empty() || l.resumable()
}

// waiting reports whether others have given the loop something to do.
func (l *loop) waiting() bool {
	if l.shard.inbox.Size() > 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrived) > 0 || len(l.called) > 0 || l.stopped
}

// now is the server's clock.
func (l *loop) now() time.Duration { return l.server.clock() }

// adopt takes in what others handed over, and reports whether the loop is to end.
func (l *loop) adopt() bool {
	l.mu.Lock()
	arrived, called, stopped := l.arrived, l.called, l.stopped
	l.arrived, l.called = nil, nil
	l.mu.Unlock()
	for _, c := range arrived {
		l.begin(c)
	}
	for _, c := range called {
		c.mu.Lock()
		l.wake(c)
		c.mu.Unlock()
	}
	return stopped && l.open == 0
}

// begin makes c one of the loop's connections.
func (l *loop) begin(c *conn) {
	p := &c.engine.polled
	l.serial++
	if l.serial > epoll.SerialMost {
		l.serial = 1
	}
	p.serial = l.serial
	fd := int(p.fd)
	for len(l.conns) <= fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	l.open++
	c.reading.heard = l.now()
	c.mu.Lock()
	c.started = true
	l.wake(c) // what it was told before waits
	c.mu.Unlock()
	l.place(c)
	if err := l.poller.Add(fd, p.serial, true, false); err != nil {
		c.server.log.Error("cannot watch a connection", "error", err)
		c.abort(protocol.CodeInternal)
		return
	}
	p.account = micros(c.reading.heard) - turnBurst/turnRate // it may begin with a burst
	l.hear(c, c.reading.heard)
	l.startTurn(c, c.reading.heard)
	defer l.endTurn()
	if c.speaks != events {
		l.decode(c) // what came with the handshake
	}
	l.readSecure(c)
}

// work does what the shard was told. Where much was taken already and not yet written, the rest waits, and with it those
// who publish.
func (l *loop) work() {
	if l.accepted > l.shard.pace {
		return
	}
	l.accepted += l.shard.inbox.Size()
	l.round = l.shard.inbox.Take(l.round)
	l.shard.work(l.round)
}

// may reports whether more messages may be worked on: where too much waited, some of it would be lost.
func (l *loop) may() bool {
	return l.accepted+l.shard.inbox.Size() <= l.shard.pace && !l.server.behind(l.shard)
}

// due is called when the time of c has come.
func (l *loop) due(c *conn) {
	p, now := &c.engine.polled, l.now()
	if p.fd < 0 {
		return
	}
	switch {
	case p.limit > 0 && now >= p.limit:
		if c.howClosed() != nil {
			l.finish(c)
			return
		}
		c.abort(protocol.CodeTooSlow)
	case p.readDone || c.howClosed() != nil:
	case now >= c.reading.look:
		c.idle()
		if how, ended := c.silence(); ended {
			l.endSession(c, how, how.code != protocol.CodeExpired) // whose peer may be talking
		}
	}
	if p.fd >= 0 {
		l.place(c)
	}
}

// place has the wheel call due when c is to be looked at.
func (l *loop) place(c *conn) {
	p := &c.engine.polled
	at := c.reading.look
	switch {
	case p.limit > 0 && (p.readDone || p.ending):
		at = p.limit
	case p.limit > 0:
		at = min(at, p.limit)
	case p.readDone:
		at = l.now() + c.server.options.closeTimeout()
	}
	l.wheel.place(c, at)
}

// watch tells the kernel what of c is of interest.
func (l *loop) watch(c *conn) {
	p := &c.engine.polled
	if err := l.poller.Change(int(p.fd), p.serial, !p.muted && !p.peerDone, p.blocked); err != nil {
		c.server.log.Error("cannot watch a connection", "error", err)
		c.abort(protocol.CodeInternal)
	}
}

// idle gives back memory that a connection which is idle does not need.
func (c *conn) idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.idle()
}
