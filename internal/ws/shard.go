package ws

import (
	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/queue"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// inboxLimit is how many bytes of publications wait for a shard at most. It is far above what a loop that keeps up ever
// sees: the bound is there for one that does not.
const inboxLimit = 64 << 20

// paceAbove is how many bytes may wait for a shard before those who publish wait for it.
const paceAbove = 8 << 20

// shard holds a share of the sessions, and implements hub.Shard. Its methods put into the inbox what its loop then does.
type shard struct {
	// immutable
	hub     *hub.Hub
	metrics *metrics
	inbox   *queue.Queue[op]
	stop    chan struct{} // closed by Server.Shutdown, after which the loop ends
	done    chan struct{} // closed by the loop as it ends

	// owned by the loop
	rooms   map[string]*members
	greeted []*conn // connections that get broadcasts; each knows its index
	run     []op    // publications for one room, gathered in a round; emptied and reused
}

// op is one thing that the hub told the shard.
type op struct {
	do          opKind
	session     *hub.Session // to which it happens; of publish and announce the one left out
	room        string
	publication *hub.Publication
	frame       []byte
	code        protocol.Code
	reason      string
}

type opKind uint8

const (
	opJoin opKind = iota
	opLeave
	opPublish
	opAnnounce
	opSend
	opBroadcast
	opBye
	opClose
	opForget
)

// members are the connections in one room, in no order.
type members struct {
	room  string
	conns []*conn
	plain int // how many of them speak hub.plain
}

// membership is a connection in one room.
type membership struct {
	in    *members
	index int // in in.conns
}

func newShard(h *hub.Hub, m *metrics) *shard {
	return &shard{
		hub: h, metrics: m,
		inbox: queue.New[op](inboxLimit),
		stop:  make(chan struct{}), done: make(chan struct{}),
		rooms: make(map[string]*members),
	}
}

// Join implements hub.Shard, and so do the methods below.
func (s *shard) Join(room string, session *hub.Session, answer []byte) {
	s.tell(op{do: opJoin, room: room, session: session, frame: answer})
}

// Leave ends the membership.
func (s *shard) Leave(room string, session *hub.Session) {
	s.tell(op{do: opLeave, room: room, session: session})
}

// Enqueue sends p to the members of its room.
func (s *shard) Enqueue(p *hub.Publication, except *hub.Session) {
	if !s.inbox.Put(op{do: opPublish, room: p.Room, publication: p, session: except}, p.Size()) {
		s.metrics.dropped(hub.DropShardQueue, 1)
	}
}

// Announce sends frame to the members of room that speak hub.v1.
func (s *shard) Announce(room string, frame []byte, except *hub.Session) {
	s.tell(op{do: opAnnounce, room: room, frame: frame, session: except})
}

// Send sends frame to session.
func (s *shard) Send(session *hub.Session, frame []byte) {
	s.tell(op{do: opSend, session: session, frame: frame})
}

// Broadcast sends frame to all who were sent something by Send.
func (s *shard) Broadcast(frame []byte) { s.tell(op{do: opBroadcast, frame: frame}) }

// Close closes session after what it is owed.
func (s *shard) Close(session *hub.Session, code protocol.Code, reason string) {
	s.tell(op{do: opClose, session: session, code: code, reason: reason})
}

// forget ends what the shard knows of a connection that has ended. Its session has left all rooms before.
func (s *shard) forget(c *conn) { s.tell(op{do: opForget, session: c.session}) }

// bye sends frame to session if its client has said hello.
func (s *shard) bye(session *hub.Session, frame []byte) {
	s.tell(op{do: opBye, session: session, frame: frame})
}

// tell puts in what must not be dropped. Readers pace themselves, so that what clients make in this way is bounded.
func (s *shard) tell(o op) {
	const overhead = 128 // of an op, about
	s.inbox.Force(o, overhead+len(o.frame))
}

// Pace has readers wait before they work on a message, and others who publish. The loop goes on until all readers have
// ended.
func (s *shard) Pace() { s.inbox.Pace(paceAbove) }

// loop does what the shard was told, in rounds, until Shutdown.
func (s *shard) loop() {
	defer close(s.done)
	var round []op
	for {
		select {
		case <-s.inbox.Ready():
		case <-s.stop:
			return
		}
		round = s.inbox.Take(round)
		s.work(round)
	}
}

// work does one round. Publications that follow each other in one room are gathered, so that the room's members are
// walked once for all of them.
func (s *shard) work(round []op) {
	for _, o := range round {
		if len(s.run) > 0 && (o.do != opPublish || o.room != s.run[0].room) {
			s.publishRun()
		}
		if o.do == opPublish {
			s.run = append(s.run, o)
			continue
		}
		s.do(o)
	}
	if len(s.run) > 0 {
		s.publishRun()
	}
}

func (s *shard) do(o op) {
	switch o.do {
	case opJoin:
		s.join(o.session.Handle.(*conn), o.room)
		if o.frame != nil {
			s.send(o.session.Handle.(*conn), o.frame)
		}
	case opLeave:
		s.leave(o.session.Handle.(*conn), o.room)
	case opAnnounce:
		s.announce(o)
	case opSend:
		s.send(o.session.Handle.(*conn), o.frame)
	case opBroadcast:
		f := newFrame(ws.OpText, o.frame)
		for _, c := range s.greeted {
			c.push(f)
		}
	case opBye:
		if c := o.session.Handle.(*conn); c.greeted >= 0 {
			c.push(newFrame(ws.OpText, o.frame))
		}
	case opClose:
		o.session.Handle.(*conn).close(o.code, o.reason)
	case opForget:
		s.ungreet(o.session.Handle.(*conn))
	}
}

func (s *shard) join(c *conn, room string) {
	m := s.rooms[room]
	if m == nil {
		m = &members{room: room}
		s.rooms[room] = m
	}
	c.memberships = append(c.memberships, membership{m, len(m.conns)})
	m.conns = append(m.conns, c)
	if c.plain {
		m.plain++
	}
}

func (s *shard) leave(c *conn, room string) {
	for i, ms := range c.memberships {
		if ms.in.room != room {
			continue
		}
		last := len(c.memberships) - 1
		c.memberships[i] = c.memberships[last]
		c.memberships = c.memberships[:last]
		s.remove(ms)
		if c.plain {
			ms.in.plain--
		}
		return
	}
}

// remove takes one connection out of a room's members; the last takes its place.
func (s *shard) remove(ms membership) {
	m := ms.in
	last := len(m.conns) - 1
	moved := m.conns[last]
	m.conns[ms.index] = moved
	m.conns[last] = nil
	m.conns = m.conns[:last]
	if ms.index != last {
		for i := range moved.memberships {
			if moved.memberships[i].in == m {
				moved.memberships[i].index = ms.index
			}
		}
	}
	if last == 0 {
		delete(s.rooms, m.room)
	}
}

func (s *shard) announce(o op) {
	m := s.rooms[o.room]
	if m == nil || m.plain == len(m.conns) {
		return
	}
	f := newFrame(ws.OpText, o.frame)
	for _, c := range m.conns {
		if !c.plain && c.session != o.session {
			c.push(f)
		}
	}
}

func (s *shard) send(c *conn, payload []byte) {
	if c.greeted < 0 && !c.forgotten {
		c.greeted = len(s.greeted)
		s.greeted = append(s.greeted, c)
	}
	c.push(newFrame(ws.OpText, payload))
}

func (s *shard) ungreet(c *conn) {
	c.forgotten = true
	if c.greeted < 0 {
		return
	}
	last := len(s.greeted) - 1
	s.greeted[c.greeted] = s.greeted[last]
	s.greeted[c.greeted].greeted = c.greeted
	s.greeted[last] = nil
	s.greeted = s.greeted[:last]
	c.greeted = -1
}

// publishRun sends the gathered publications to their room's members, each encoded once for each subprotocol in use.
func (s *shard) publishRun() {
	defer func() {
		clear(s.run)
		s.run = s.run[:0]
	}()
	m := s.rooms[s.run[0].room]
	if m == nil {
		return
	}
	batch := batch{ops: s.run, plain: make([]*frame, 0, len(s.run)), v1: make([]*frame, 0, len(s.run))}
	for _, o := range s.run {
		remote := !s.hub.Own(o.publication)
		if m.plain > 0 {
			batch.plain = append(batch.plain, plainFrame(o.publication, remote))
		}
		if m.plain < len(m.conns) {
			batch.v1 = append(batch.v1, v1Frame(o.publication, remote))
		}
	}
	for _, c := range m.conns {
		c.pushBatch(&batch)
	}
}

// batch is publications in one room, and their frames for each subprotocol that somebody there speaks.
type batch struct {
	ops       []op
	plain, v1 []*frame
}
