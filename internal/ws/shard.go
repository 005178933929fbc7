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

// paceMost is how many bytes may wait for a shard at most before those who publish wait for it; see newShard.
const paceMost = 8 << 20

// shard holds a share of the sessions, and implements hub.Shard. Its methods put into the inbox what its loop then does.
type shard struct {
	// immutable
	hub     *hub.Hub
	metrics *metrics
	inbox   *queue.Queue[op]
	engine  engine
	pace    int // how many bytes may wait before those who publish wait

	// owned by the loop
	rooms   map[string]*members
	greeted []*conn // connections that get broadcasts; each knows its index
	run     []op    // messages for one room, gathered in a round; emptied and reused

	replayed map[replayKey]*block // what was encoded to be replayed in this round: many may come back at once

	acks []op // acks that are not of the log, gathered in a round; likewise

	// of the run, kept to save their allocation
	batch batch
	marks uint64 // goes up with each run; see conn.marked
}

// op is one thing that the hub told the shard.
type op struct {
	do       opKind
	attached bool              // of join: at once; of announce: to those alone
	remote   bool              // of message: another hub took it
	code     protocol.Code     // of close
	session  *hub.Session      // to which it happens; of announce and of message in a live room the one left out
	room     string            // "" where the session is enough
	message  *protocol.Message // of message and show
	at       protocol.Position // of message: zero in a live room
	frame    []byte
	more     *opMore // nil for what happens most
}

// opMore is what few ops have.
type opMore struct {
	sessions []*hub.Session            // of message in a log room: the holders but the first; of show: to whom
	items    []hub.Item                // of replay
	next     func()                    // of replay and attach; may be nil
	holders  map[*hub.Session]struct{} // the same as sessions, of a crowd
	reason   string                    // of close
}

type opKind uint8

const (
	opJoin opKind = iota
	opLeave
	opAttach
	opDetach
	opMessage
	opReplay
	opShow
	opAnnounce
	opSend
	opAck
	opBroadcast
	opBye
	opClose
	opForget
)

// newShard returns a shard without engine for connections whose queues hold sendQueue bytes. What waits for the shard goes into a queue
// in one round, so less may wait than a queue holds, or who reads as fast as can be would be too slow.
func newShard(h *hub.Hub, m *metrics, sendQueue int) *shard {
	s := &shard{
		hub: h, metrics: m, pace: min(paceMost, sendQueue/4),
		rooms: make(map[string]*members), replayed: make(map[replayKey]*block),
	}
	s.inbox = queue.NewFunc[op](inboxLimit, func() { s.engine.told() })
	return s
}

// Join implements hub.Shard, and so do the methods below.
func (s *shard) Join(room string, session *hub.Session, answer []byte, attached bool) {
	s.tell(op{do: opJoin, room: room, session: session, frame: answer, attached: attached})
}

// Leave ends the membership.
func (s *shard) Leave(room string, session *hub.Session) {
	s.tell(op{do: opLeave, room: room, session: session})
}

// Attach has session get what is delivered, behind frame.
func (s *shard) Attach(room string, session *hub.Session, frame []byte, next func()) {
	s.tell(op{do: opAttach, room: room, session: session, frame: frame, more: &opMore{next: next}})
}

// Detach ends that.
func (s *shard) Detach(room string, session *hub.Session) {
	s.tell(op{do: opDetach, room: room, session: session})
}

// Enqueue sends p to the attached members of its room.
func (s *shard) Enqueue(p *hub.Publication, except *hub.Session) {
	o := op{do: opMessage, room: p.Room, message: &p.Message, remote: !s.hub.Own(p), session: except}
	if !s.inbox.Put(o, p.Size()) {
		s.metrics.dropped(hub.DropShardQueue, 1)
	}
}

// Deliver sends e to the attached members of its room.
func (s *shard) Deliver(e hub.Entry, holders []*hub.Session, remote bool) {
	o := op{do: opMessage, room: e.Message.Room, message: e.Message, at: e.At, remote: remote}
	if len(holders) > 0 {
		o.session = holders[0]
	}
	if len(holders) > 1 {
		o.more = &opMore{sessions: holders[1:]}
	}
	s.inbox.Force(o, hub.MessageSize(e.Message)+pointer*len(holders))
}

// pointer is how many bytes each of a list of sessions counts for.
const pointer = 8

// Replay sends items to session.
func (s *shard) Replay(session *hub.Session, items []hub.Item, end []byte, next func()) {
	size := 0
	for _, item := range items {
		size += hub.MessageSize(item.Message)
	}
	s.inbox.Force(op{do: opReplay, session: session, frame: end, more: &opMore{items: items, next: next}}, size+len(end))
}

// Show sends m, which has no position yet.
func (s *shard) Show(m *protocol.Message, to []*hub.Session) {
	s.inbox.Force(op{do: opShow, message: m, more: &opMore{sessions: to}}, hub.MessageSize(m)+pointer*len(to))
}

// Announce sends frame to the members of room that speak hub.v1.
func (s *shard) Announce(room string, frame []byte, except *hub.Session, attached bool) {
	s.tell(op{do: opAnnounce, room: room, frame: frame, session: except, attached: attached})
}

// Send sends frame to session.
func (s *shard) Send(session *hub.Session, frame []byte) {
	s.tell(op{do: opSend, session: session, frame: frame})
}

// Ack sends frame to session, without regard to messages.
func (s *shard) Ack(session *hub.Session, frame []byte) {
	s.tell(op{do: opAck, session: session, frame: frame})
}

// Broadcast sends frame to all who were sent something by Send.
func (s *shard) Broadcast(frame []byte) { s.tell(op{do: opBroadcast, frame: frame}) }

// Close closes session after what it is owed.
func (s *shard) Close(session *hub.Session, code protocol.Code, reason string) {
	s.tell(op{do: opClose, session: session, code: code, more: &opMore{reason: reason}})
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
func (s *shard) Pace() { s.inbox.Pace(s.pace) }

// loop runs the engine until Shutdown.
func (s *shard) loop() {
	defer s.inbox.End()
	s.engine.run()
}

// work does one round. Messages that follow each other in one room are gathered, so that the room's members are walked
// once for all of them.
func (s *shard) work(round []op) {
	for _, o := range round {
		switch o.do {
		case opAck:
			s.acks = append(s.acks, o)
			continue
		case opMessage:
			if len(s.run) > 0 && o.room != s.run[0].room {
				s.publishRun()
			}
			s.run = append(s.run, o)
			continue
		}
		s.settle()
		s.do(o)
	}
	s.settle()
	clear(s.replayed)
}

// settle sends what is gathered.
func (s *shard) settle() {
	if len(s.acks) > 0 {
		s.sendAcks()
	}
	if len(s.run) > 0 {
		s.publishRun()
	}
}

func (s *shard) do(o op) {
	switch o.do {
	case opJoin:
		c := o.session.Handle.(*conn)
		s.join(c, o.room, o.attached)
		if o.frame != nil {
			answer := newBlock(ws.OpText, o.frame)
			answer.one[0].room = o.room
			s.greet(c)
			c.push(answer)
		}
	case opLeave:
		s.leave(o.session.Handle.(*conn), o.room)
	case opAttach:
		c := o.session.Handle.(*conn)
		if s.attach(c, o.room) {
			s.sendThen(c, o.frame, o.more.next)
		}
	case opDetach:
		s.detach(o.session.Handle.(*conn), o.room)
	case opReplay:
		s.replay(o)
	case opShow:
		s.show(o)
	case opAnnounce:
		s.announce(o)
	case opSend:
		s.send(o.session.Handle.(*conn), o.frame)
	case opBroadcast:
		b := newBlock(ws.OpText, o.frame)
		s.engine.crowd(len(s.greeted) > few)
		for _, c := range s.greeted {
			c.push(b)
		}
		s.engine.crowd(false)
	case opBye:
		if c := o.session.Handle.(*conn); c.greeted >= 0 || c.speaks == events {
			s.send(c, o.frame)
		}
	case opClose:
		o.session.Handle.(*conn).close(o.code, o.more.reason)
	case opForget:
		s.ungreet(o.session.Handle.(*conn))
	}
}

// send sends a frame of hub.v1, or what a stream is told instead.
func (s *shard) send(c *conn, payload []byte) { s.sendThen(c, payload, nil) }

// sendThen sends the same, and has then called when it was written.
func (s *shard) sendThen(c *conn, payload []byte, then func()) {
	var b *block
	switch c.speaks {
	case plain:
		return
	case v1:
		s.greet(c)
		b = newBlock(ws.OpText, payload)
	case events:
		if b = eventOf(payload); b == nil {
			return
		}
	}
	b.written = then
	c.push(b)
}

// greet notes that c gets broadcasts from now on.
func (s *shard) greet(c *conn) {
	if c.greeted < 0 && !c.forgotten {
		c.greeted = int32(len(s.greeted))
		s.greeted = append(s.greeted, c)
	}
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
