package ws

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/tlstest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// handLoop is a loop whose rounds a test makes by hand.
type handLoop struct {
	*loop
	t        testing.TB
	listener net.Listener
	peers    map[*conn]net.Conn
	trust    *tls.Config // of peers, over TLS; nil without
}

func newHandLoop(t testing.TB, o Options) *handLoop {
	t.Helper()
	return newHandLoopOf(t, hub.New(hub.Options{Broker: nowhere{}}), o)
}

func newHandLoopOf(t testing.TB, h *hub.Hub, o Options) *handLoop {
	t.Helper()
	s := &Server{metrics: new(metrics), options: o, hub: h, made: time.Now()}
	s.options.setDefaults()
	s.shards = []*shard{newShard(s.hub, s.metrics, s.options.SendQueue)}
	engine, err := newLoop(s, s.shards[0])
	if err != nil {
		t.Fatal(err)
	}
	s.shards[0].engine = engine
	s.hub.AddShard(s.shards[0])
	l := &handLoop{loop: engine.(*loop), t: t, peers: make(map[*conn]net.Conn)}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range l.conns {
			if c != nil {
				l.finishForTest(c)
			}
		}
		_ = l.listener.Close()
		l.loop.close()
	})
	return l
}

func (l *handLoop) finishForTest(c *conn) {
	c.abort(protocol.CodeAbnormal)
	l.finish(c)
}

// secure has connections from now on speak TLS.
func (l *handLoop) secure() {
	cert, roots := tlstest.Certificate(l.t)
	l.listener = ListenTLS(l.listener, &tls.Config{Certificates: []tls.Certificate{cert}})
	l.trust = &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

// shake does the handshake of TLS, and returns the peer's end.
func (l *handLoop) shake(nc, peer net.Conn) net.Conn {
	l.t.Helper()
	client := tls.Client(peer, l.trust)
	shaken := make(chan error, 1) // sent once
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(nc.(*tls.Conn).Handshake(), <-shaken); err != nil {
		l.t.Fatal(err)
	}
	return client
}

// open returns n connections in a room, whose peers read nothing.
func (l *handLoop) open(room string, n int) []*conn {
	l.t.Helper()
	conns := make([]*conn, n)
	for i := range conns {
		peer, err := net.Dial("tcp", l.listener.Addr().String())
		if err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { _ = peer.Close() })
		nc, err := l.listener.Accept()
		if err != nil {
			l.t.Fatal(err)
		}
		if l.trust != nil {
			peer = l.shake(nc, peer)
		}
		c := l.server.newSocket(plain)
		c.session.EnterPlain(l.t.Context(), room)
		if !l.server.add(c) {
			l.t.Fatal("the server takes no more")
		}
		l.server.start(c, nc, time.Hour)
		conns[i], l.peers[c] = c, peer
	}
	l.adopt()
	for len(l.express.next)+len(l.express.now)-l.express.at > 0 || l.shard.inbox.Size() > 0 {
		l.round1()
	}
	return conns
}

// round1 makes a round, but for the sockets' events.
func (l *handLoop) round1() {
	l.adopt()
	l.work()
	l.loop.write()
}

// ask takes in what the kernel tells, and returns how much that is.
func (l *handLoop) ask() int {
	l.t.Helper()
	events, _, err := l.poller.Poll()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range events {
		l.ready(e)
	}
	return len(events)
}

// round makes a whole round.
func (l *handLoop) round() {
	l.t.Helper()
	l.ask()
	l.adopt()
	l.work()
	l.loop.write()
	l.resume()
}

func (l *handLoop) publish(room string, text string) {
	m := protocol.Message{Room: room, ID: "X/1", Kind: protocol.Text, Data: []byte(text), Time: time.Now()}
	l.shard.Enqueue(&hub.Publication{Message: m, Origin: "other"}, nil)
}

func waiting(conns []*conn) (n int) {
	for _, c := range conns {
		if c.queue.bytes > 0 {
			n++
		}
	}
	return n
}

// TestBusyRoomDelaysOneRound publishes in a crowded room and then in small ones: those are told in the next round,
// though most of the crowd still waits, and the crowd is told in as many rounds as it takes, in turns.
func TestBusyRoomDelaysOneRound(t *testing.T) {
	const many, rooms = 4 * turns, 20
	l := newHandLoop(t, Options{})
	crowd := l.open("live.crowd", many)
	var small [][]*conn
	for i := range rooms {
		small = append(small, l.open(fmt.Sprint("live.", i), 2))
	}
	both := crowd[many-10:]
	for _, c := range both {
		l.shard.join(c, "live.both", true)
	}
	l.publish("live.crowd", "to many")
	l.round1()
	if n := waiting(crowd); n != many-turns {
		t.Fatalf("after a round %d of %d wait, and a round writes to %d", n, many, turns)
	}
	l.publish("live.both", "to few of them")
	for i := range rooms {
		l.publish(fmt.Sprint("live.", i), "to few")
		l.publish("live.crowd", "to many")
	}
	l.round1()
	for i := range rooms {
		if n := waiting(small[i]); n != 0 {
			t.Errorf("room %d waits for the crowd", i)
		}
	}
	if n := waiting(both); n != 0 {
		t.Errorf("%d in a small room wait for the crowd that they are in as well", n)
	}
	if n := waiting(crowd); n < many-2*turns {
		t.Errorf("only %d of the crowd wait: this says nothing", n)
	}
	for range many/turns + 1 {
		l.round1()
	}
	if n := waiting(crowd); n != 0 {
		t.Errorf("%d of the crowd were never told", n)
	}
}

// TestRoundIsBounded has more come than queues hold while a crowd is written to: the loop takes no more than they hold,
// so nothing is dropped, and who publishes has to wait.
func TestRoundIsBounded(t *testing.T) {
	const many, rounds, each = 2*turns + 10, 12, 8
	l := newHandLoop(t, Options{SendQueue: 16 << 10})
	l.open("live.crowd", many)
	text := strings.Repeat("x", 512)
	refused := 0
	for range rounds { // three times what a queue holds
		for range each {
			for !l.may() {
				refused++
				l.round1()
			}
			l.publish("live.crowd", text)
		}
		l.round1()
	}
	if n := l.shard.metrics.sendQueue.Load(); n != 0 {
		t.Errorf("%d messages were dropped, and everybody is written to in turns", n)
	}
	if refused == 0 {
		t.Error("all was taken at once: this says nothing")
	}
}

// TestWheel places connections at random, moves and removes them, and compares with when each was to be called.
func TestWheel(t *testing.T) {
	const every = 10 * time.Millisecond
	rng := rand.New(rand.NewPCG(3, 4))
	w := wheel{every: every}
	due, far := make(map[*conn]time.Duration), make(map[*conn]bool) // far: beyond the last slot
	conns := make([]*conn, 100)
	for i := range conns {
		conns[i] = new(conn)
	}
	now := time.Duration(0)
	called := 0
	for range 20_000 {
		switch c := conns[rng.IntN(len(conns))]; rng.IntN(4) {
		case 0:
			w.remove(c)
			delete(due, c)
		case 1, 2:
			at := now + time.Duration(rng.Int64N(int64(4*time.Second))) - 100*time.Millisecond
			w.place(c, at)
			due[c], far[c] = max(at, now), at-now > 250*every // what is late already is called next
		case 3:
			now += time.Duration(rng.Int64N(int64(30 * time.Millisecond)))
			w.advance(now, func(c *conn) {
				at, ok := due[c]
				switch {
				case !ok:
					t.Fatal("one that was removed is called")
				case now < at && !far[c]:
					t.Fatalf("called %v too early", at-now)
				case now < at:
					w.place(c, at)
					far[c] = at-now > 250*every
					return
				}
				called++
				delete(due, c)
			})
			for c, at := range due {
				if at+2*every < now {
					t.Fatalf("not called %v after its time; slot %d", now-at, c.engine.spot.slot)
				}
			}
		}
	}
	if called < 1000 {
		t.Errorf("%d were called", called)
	}
}

// TestStaleEvent has a descriptor's number go to another connection while an event of the first is still to be handled.
func TestStaleEvent(t *testing.T) {
	l := newHandLoop(t, Options{})
	first := l.open("live.r", 1)[0]
	serial := first.engine.serial
	l.finishForTest(first)
	second := l.open("live.r", 1)[0]
	second.engine.blocked = true
	l.ready(epoll.Event{FD: int(second.engine.fd), Serial: serial, Readable: true, Writable: true})
	if !second.engine.blocked || second.engine.readDone {
		t.Error("an event of a connection that is gone was taken for one of its successor")
	}
}
