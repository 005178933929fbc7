package bench

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"time"
)

// load is the state of one test: everything that is counted, and what is to be sent when. It moves no byte. It is owned
// by its engine, which has one goroutine work at it at a time.
type load struct {
	// immutable
	opts Options
	base time.Time // all times are ns since
	run  uint32    // marks this run's messages
	mark uint16    // the same, as readStamp compares it

	conns      []*conn
	publishers []publisher
	members    []int // of each room
	present    []int // of each room: those that are not gone
	turn       Turn
	begun      begun
	random     *rand.PCG
	body       []byte  // of the message that is being published
	touched    []*conn // have something to write

	// connecting
	ready   int
	target  int           // how many are to be
	reached chan struct{} // closed when so many are, or the test has failed; received by Run; made by await
	failed  error         // why the test cannot go on

	// the timetable
	phase    phase
	from, to int64 // what is measured: planned times from and to
	pace     pace
	settled  chan struct{} // closed when all that is expected has come; received by Run
	deserted chan struct{} // closed when all connections are gone; received by Run

	counts counts
	ledger ledger
	delay  Histogram // from the planned time to the subscriber
	ack    Histogram // from the planned time to the acknowledgement
	late   Histogram // from the planned time to the socket
	acks   map[string]*uint64
	noes   map[string]*uint64
	ended  map[string]int // connections that are gone, by close code
	gone   int            // the same in all

	broken   error  // why the engine has ended by itself
	hopeless uint64 // deliveries that cannot come any more; see recount
}

// phase is how far the test is.
type phase uint8

const (
	connecting phase = iota
	publishing
	draining // nothing more is published
	closing  // connections that end are no news
)

// counts are plain sums. Those of the window are of the time that is measured.
type counts struct {
	published, expected, delivered, duplicates, outOfOrder, echoed, strange, told, resets, unsent, givenUp, pings uint64

	windowOffered, windowPublished, windowDeliveries, windowIn, windowOut, windowReads, windowWrites uint64

	acked uint64 // messages that were acknowledged or refused
}

// publisher is what is kept of a connection that publishes.
type publisher struct {
	conn  *conn
	place int    // among the publishers of its room
	sent  uint32 // messages; the number of the next one
	ring  []slot // of the messages on their way; with a window alone
}

// conn is one connection. An engine has its own part in it.
type conn struct {
	// immutable
	index     int
	room      int
	publisher int // its number, or -1
	peer      Peer

	next       []uint32 // by place: the number that comes next of each publisher of the room
	out        []byte   // to be written
	carry      []byte   // read, and not a whole frame yet
	fragments  []byte   // of the message that is being put together
	fragment   Opcode   // its kind; opContinuation where there is none
	ready      bool
	awaitsPong bool
	touched    bool // is in load.touched
	blocked    bool // its socket takes no more for now; set by the engine
	gone       bool

	socket // the engine's part
}

// newLoad returns the load of a test whose options have their defaults.
func newLoad(o Options) *load {
	l := &load{
		opts: o, base: time.Now(), run: rand.Uint32() & maxRun, random: rand.NewPCG(rand.Uint64(), rand.Uint64()),
		conns: make([]*conn, o.Conns), publishers: make([]publisher, o.Publishers), members: make([]int, o.Rooms), present: make([]int, o.Rooms),
		body:    make([]byte, o.Size),
		reached: make(chan struct{}), settled: make(chan struct{}), deserted: make(chan struct{}),
		acks: map[string]*uint64{}, noes: map[string]*uint64{}, ended: map[string]int{},
	}
	l.mark = runMark(l.run)
	l.turn.load = l
	for i := range l.body {
		l.body[i] = '.'
	}
	places := make([]int, o.Rooms)
	for i := range l.conns {
		c := &conn{index: i, room: o.roomOf(i), publisher: -1}
		if i < o.Publishers {
			c.publisher = i
			l.publishers[i] = publisher{conn: c, place: places[c.room]}
			places[c.room]++
		}
		l.members[c.room]++
		l.present[c.room]++
		l.conns[i] = c
	}
	for _, c := range l.conns {
		c.next = make([]uint32, places[c.room])
	}
	l.pace = newPace(l)
	return l
}

// now returns the time in ns since the base.
func (l *load) now() int64 { return int64(time.Since(l.base)) }

// mask returns the key of the next frame (RFC 6455 §5.3).
func (l *load) mask() uint32 { return uint32(l.random.Uint64()) }

// receivers returns how many connections get a message of a room, as long as all are there.
func (l *load) receivers(room int) int {
	if l.opts.Echo {
		return l.members[room]
	}
	return l.members[room] - 1
}

// touch notes that there is something to write to c.
func (l *load) touch(c *conn) {
	if !c.touched {
		c.touched = true
		l.touched = append(l.touched, c)
	}
}

// at returns the turn of c at a time.
func (l *load) at(c *conn, now int64) *Turn {
	l.turn.conn, l.turn.at = c, now
	return &l.turn
}

// opened begins to speak on c, whose handshake is done.
func (l *load) opened(c *conn) {
	c.peer = l.opts.Dialect.Peer(l.opts.roomName(c.room))
	c.peer.Start(l.at(c, l.now()))
}

func (l *load) setReady(c *conn) {
	if c.ready || c.gone {
		return
	}
	c.ready = true
	if l.ready++; l.ready == l.target && l.failed == nil {
		close(l.reached)
	}
}

// await returns a channel that is closed when n connections are ready, or the test has failed. The last one that it
// returned counts no more.
func (l *load) await(n int) <-chan struct{} {
	l.target, l.reached = n, make(chan struct{})
	if l.failed != nil || l.ready >= n {
		close(l.reached)
	}
	return l.reached
}

// fail has the test end before it began.
func (l *load) fail(err error) {
	if l.failed != nil || l.phase != connecting {
		return
	}
	l.failed = err
	if l.ready < l.target {
		close(l.reached)
	}
}

// lost notes that c is gone, with a close code, or 0 and an error. What it has not got yet is not waited for.
func (l *load) lost(c *conn, code int, err error) {
	if c.gone {
		return
	}
	c.gone = true
	l.present[c.room]--
	c.out, c.carry, c.fragments = nil, nil, nil
	if l.phase == closing {
		return
	}
	if !c.ready {
		l.fail(notReady(c, code, err))
		return
	}
	l.ended[strconv.Itoa(code)]++
	if l.gone++; l.gone == len(l.conns) {
		close(l.deserted)
	}
	l.pace.forget(c)
	if l.phase == draining {
		l.recount()
		l.checkSettled()
	}
}

// lacks reports whether a message of p has not come to c.
func (l *load) lacks(c *conn, p *publisher, number uint32) bool {
	return number >= c.next[p.place] || l.ledger.lacks(pair{c.index, p.place}, number)
}

// recount counts the deliveries that cannot come any more, as their connections are gone.
func (l *load) recount() {
	l.hopeless = 0
	if len(l.ended) == 0 {
		return
	}
	for _, c := range l.conns {
		if !c.gone {
			continue
		}
		for i := range l.publishers {
			p := &l.publishers[i]
			if p.conn.room == c.room && (p.conn != c || l.opts.Echo) {
				l.hopeless += uint64(p.sent-c.next[p.place]) + l.ledger.count(pair{c.index, p.place})
			}
		}
	}
}

// notReady returns the error for a connection that ended too early.
func notReady(c *conn, code int, err error) error {
	switch {
	case errors.Is(err, ErrRefused):
	case code != 0:
		err = fmt.Errorf("%w: it closes with %d", ErrUnreachable, code)
	default:
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("connection %d, before it was ready: %w", c.index+1, err)
}

// begin begins to publish now.
func (l *load) begin() {
	now := l.now()
	l.phase = publishing
	l.from = now + int64(l.opts.Warmup)
	l.to = l.from + int64(l.opts.Duration)
	l.pace.begin(now)
}

// finish ends the publishing. What was to be sent and could not yet is sent until drained.
func (l *load) finish() {
	l.phase = draining
	l.recount()
	l.checkSettled()
}

// checkSettled closes settled once nothing more can come. It is called while nothing more is published.
func (l *load) checkSettled() {
	select {
	case <-l.settled:
	default:
		acked := !l.opts.Dialect.Acks() || l.counts.acked >= l.counts.published
		if acked && l.pace.done() && l.counts.delivered+l.hopeless >= l.counts.expected {
			close(l.settled)
		}
	}
}

// inWindow reports whether now is in the time that is measured.
func (l *load) inWindow(now int64) bool { return l.phase != connecting && l.from <= now && now < l.to }

// read notes n bytes that one call read.
func (l *load) read(n int, now int64) {
	if l.inWindow(now) {
		l.counts.windowIn += uint64(n)
		l.counts.windowReads++
	}
}

// wrote notes n bytes that one call wrote.
func (l *load) wrote(n int, now int64) {
	if l.inWindow(now) {
		l.counts.windowOut += uint64(n)
		l.counts.windowWrites++
	}
}

// count adds one to what m has for name, and allocates only at the first.
func count(m map[string]*uint64, name []byte) {
	n := m[string(name)]
	if n == nil {
		n = new(uint64)
		m[string(name)] = n
	}
	*n++
}

// plain returns what was counted by count.
func plain(m map[string]*uint64) map[string]uint64 {
	sums := make(map[string]uint64, len(m))
	for name, n := range m {
		sums[name] = *n
	}
	return sums
}

// result returns what was counted.
func (l *load) result() *Load {
	n := &l.counts
	seconds := time.Duration(l.to - l.from).Seconds()
	r := &Load{
		Offered: n.windowOffered, Published: n.windowPublished, Deliveries: n.windowDeliveries, Seconds: seconds,
		PublishedPerSecond:  float64(n.windowPublished) / seconds,
		DeliveriesPerSecond: float64(n.windowDeliveries) / seconds,
		Latency:             newLatency(&l.delay),
		BytesIn:             n.windowIn, BytesOut: n.windowOut, Reads: n.windowReads, Writes: n.windowWrites,
		PublishedTotal: n.published, Expected: n.expected, Delivered: n.delivered, Lost: n.expected - min(n.delivered, n.expected),
		Duplicates: n.duplicates, OutOfOrder: n.outOfOrder, Echoed: n.echoed, Strange: n.strange, ToldLost: n.told, Resets: n.resets,
		Unsent: n.unsent + l.pace.left(), GivenUp: n.givenUp,
		Acks: plain(l.acks), Refused: plain(l.noes),
	}
	if l.ack.Count() > 0 {
		latency := newLatency(&l.ack)
		r.AckLatency = &latency
	}
	return r
}

// closed returns which connections ended too early.
func (l *load) closed() Closed {
	return Closed{Count: l.gone, Codes: maps.Clone(l.ended)}
}
