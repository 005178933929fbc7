package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// logRole says what a client of log rooms does.
type logRole struct {
	subscribes bool
	publishes  bool
	birth      bool // gives the birth with the first try, too, which counts as a later one then
	history    int  // asks for so many of the newest with every join
	room       int  // most ids without a position that it keeps; 0: as many as come
}

const (
	logWindow  = 16                     // most messages in an outbox before a client makes no more
	logRetry   = 2 * time.Second        // after which what was not answered is sent again
	logAgain   = 100 * time.Millisecond // and what was answered with an error that asks for it
	logPace    = 5 * time.Millisecond   // of a client's clock
	logMaxWait = time.Second            // between two tries to connect
)

// logClient does all that docs/protocol.md asks of a client of log rooms, over WebSockets of its own, and records what
// it did and saw. What it makes of frames decides only what it does next: the checker reads the record.
//
// It owns one goroutine, run, and two for each connection; stop ends and awaits them. Other methods may be called by any
// goroutine.
type logClient struct {
	// immutable
	name   string
	role   logRole
	orders chan func() // to run, which alone calls them; never closed
	enough chan struct{}
	work   sync.WaitGroup // run, and what dials and reads

	// owned by run
	rng      *rand.Rand
	conn     *logConn
	dialing  chan *logConn // from the goroutine that dials, which sends once; nil while none does
	hubs     []string      // addresses; the first is where it wants to be
	wait     time.Duration // before the next try to connect
	next     time.Time     // when that is
	due      time.Time     // when the next message is to be made
	creds    *protocol.Credentials
	put      map[string]logRoom // what was put by last
	keys     int
	bye      time.Duration
	turn     int           // which room gets the next message
	ready    bool          // welcome came over this connection
	isolated bool          // what status said last
	pace     time.Duration // between messages; 0: none

	mu     sync.Mutex // guards what follows, which run changes and tests read
	rec    record
	rooms  map[string]*logRoom
	addr   string // of the hub that said welcome; "" while there is none
	stored int    // messages that are known to be stored
}

// startLogClient starts a client of rooms which goes to hubs, the first first. The test's end stops it.
func startLogClient(tb testing.TB, name string, role logRole, rooms []string, hubs ...*hub) *logClient {
	c := &logClient{
		name: name, role: role, orders: make(chan func()), enough: make(chan struct{}),
		rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), rec: record{name: name}, rooms: map[string]*logRoom{},
	}
	for _, room := range rooms {
		c.rooms[room] = newLogRoom(room)
	}
	for _, h := range hubs {
		c.hubs = append(c.hubs, h.Addr())
	}
	c.work.Go(c.run)
	tb.Cleanup(c.stop)
	return c
}

// run is the client. It ends when stop is called.
func (c *logClient) run() {
	tick := time.NewTicker(logPace)
	defer tick.Stop()
	for {
		var in chan *protocol.Frame
		if c.conn != nil {
			in = c.conn.in
		}
		select {
		case <-c.enough:
			c.hangUp("the end", false)
			if c.dialing != nil {
				if conn := <-c.dialing; conn != nil {
					conn.close(false)
				}
			}
			return
		case do := <-c.orders:
			do()
		case conn := <-c.dialing:
			c.dialing = nil
			c.begin(conn)
		case f, ok := <-in:
			if !ok {
				c.hangUp(c.conn.why(), false)
				continue
			}
			c.take(f)
		case <-tick.C:
			c.tick(time.Now())
		}
	}
}

// stop ends the client. It may be called again.
func (c *logClient) stop() {
	select {
	case <-c.enough:
	default:
		close(c.enough)
	}
	c.work.Wait()
}

// order has run do something, and returns when it is done. After stop it does nothing.
func (c *logClient) order(do func()) {
	ready := make(chan struct{})
	select {
	case c.orders <- func() { do(); close(ready) }:
		<-ready
	case <-c.enough:
	}
}

// tick does what is due.
func (c *logClient) tick(now time.Time) {
	if c.conn == nil && c.dialing == nil && now.After(c.next) {
		c.dial(c.hubs[0])
	}
	if c.pace > 0 {
		for ; now.After(c.due); c.due = c.due.Add(c.pace) {
			c.makeNext()
		}
	}
	if !c.ready {
		return
	}
	for _, r := range c.rooms {
		for _, m := range r.outbox {
			if now.After(m.again) {
				c.try(r, m)
			}
		}
	}
}

// makeNext makes a message in the room whose turn it is, unless too many wait there. Its text says all that the checker
// needs to know.
func (c *logClient) makeNext() {
	c.turn++
	names := c.roomNames()
	if r := c.rooms[names[c.turn%len(names)]]; len(r.outbox) < logWindow {
		c.makeIn(r)
	}
}

func (c *logClient) makeIn(r *logRoom) (text string) {
	c.keys++
	key := fmt.Sprintf("k%d-%x", c.keys, c.rng.Uint32())
	text = fmt.Sprintf("%s %s %d %s", r.name, c.name, c.keys, key)
	data, _ := json.Marshal(text) // a string can always be marshalled
	birth := ""
	if !r.cursor.IsZero() {
		birth = r.cursor.String()
	}
	m := &outMessage{key: key, frame: protocol.Frame{
		Type: protocol.TypePublish, Room: r.name, Key: key, Kind: "text", Data: data, Birth: &birth,
	}}
	c.note(made, "", &m.frame)
	c.mu.Lock()
	r.outbox = append(r.outbox, m)
	c.mu.Unlock()
	if c.ready {
		c.try(r, m)
	}
	return text
}

// try sends a message, under its key and with its birth.
func (c *logClient) try(r *logRoom, m *outMessage) {
	if c.conn == nil {
		return
	}
	f := m.frame
	if !c.role.birth && m.tries == 0 {
		f.Birth = nil
	}
	m.tries++
	m.again = time.Now().Add(logRetry)
	c.send(&f)
}

// dial opens a connection in the background.
func (c *logClient) dial(addr string) {
	dialed := make(chan *logConn, 1) // one slot, so that whoever dials never waits for us
	c.dialing = dialed
	c.work.Go(func() { dialed <- dialLog(addr, &c.work) }) // ends when the dial ends, which has a time-out
}

// begin goes on with a new connection, or with the next hub where there is none.
func (c *logClient) begin(conn *logConn) {
	if conn == nil {
		c.hubs = append(c.hubs[1:], c.hubs[0])
		c.backOff()
		return
	}
	c.conn, c.ready = conn, false
	c.note(opened, conn.addr, nil)
	c.send(&protocol.Frame{Type: protocol.TypeHello, Name: c.name, Client: c.creds})
}

// backOff waits before the next try to connect, longer each time, with jitter.
func (c *logClient) backOff() {
	c.wait = min(max(2*c.wait, 10*time.Millisecond), logMaxWait)
	c.next = time.Now().Add(c.wait/2 + rand.N(c.wait))
}

// hangUp ends the connection, in order or with a reset.
func (c *logClient) hangUp(why string, rst bool) {
	if c.conn == nil {
		return
	}
	c.note(closed, why, nil)
	c.conn.close(rst)
	c.conn, c.ready = nil, false
	c.mu.Lock()
	c.addr = ""
	for _, r := range c.rooms {
		r.there, r.live = false, false
	}
	c.mu.Unlock()
	c.backOff()
	c.next, c.bye = c.next.Add(c.bye), 0
}

func (c *logClient) send(f *protocol.Frame) {
	if c.conn == nil {
		return
	}
	c.note(sent, "", f)
	if err := c.conn.write(f); err != nil {
		c.hangUp(fmt.Sprintf("write: %v", err), true)
	}
}

func (c *logClient) note(w what, where string, f *protocol.Frame) {
	c.mu.Lock()
	c.rec.add(w, where, f)
	c.mu.Unlock()
}
