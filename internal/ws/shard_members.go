package ws

import "github.com/gobwas/ws"

// members are the connections in one room, in no order, but that the attached ones come first.
type members struct {
	room     string
	conns    []*conn
	attached int            // so many at the front get messages; the others are in the room, and get what is announced
	speak    [encodings]int // how many of the attached have each encoding
	v1       int            // how many of all speak hub.v1
}

// membership is a connection in one room.
type membership struct {
	in    *members
	index int // in in.conns
}

func (s *shard) join(c *conn, room string, attached bool) {
	m := s.rooms[room]
	if m == nil {
		m = &members{room: room}
		s.rooms[room] = m
	}
	c.memberships = append(c.memberships, membership{m, len(m.conns)})
	m.conns = append(m.conns, c)
	if c.speaks == v1 {
		m.v1++
	}
	if attached {
		s.attach(c, room)
	}
}

// in returns c's membership in a room, or nil.
func (c *conn) in(room string) *membership {
	for i := range c.memberships {
		if c.memberships[i].in.room == room {
			return &c.memberships[i]
		}
	}
	return nil
}

// of returns c's membership in m, where it is.
func (m *members) of(c *conn) *membership {
	for i := range c.memberships {
		if c.memberships[i].in == m {
			return &c.memberships[i]
		}
	}
	panic("ws: a member that does not know of it")
}

// swap has two members change places.
func (m *members) swap(i, j int) {
	if i == j {
		return
	}
	m.of(m.conns[i]).index, m.of(m.conns[j]).index = j, i
	m.conns[i], m.conns[j] = m.conns[j], m.conns[i]
}

// attach has a member get messages from now on, and reports whether it is one.
func (s *shard) attach(c *conn, room string) bool {
	ms := c.in(room)
	if ms == nil {
		return false
	}
	m := ms.in
	if ms.index < m.attached {
		return true
	}
	m.swap(ms.index, m.attached)
	m.attached++
	m.speak[c.speaks]++
	return true
}

// detach ends that; of one that gets none it is no matter.
func (s *shard) detach(c *conn, room string) {
	ms := c.in(room)
	if ms == nil || ms.index >= ms.in.attached {
		return
	}
	m := ms.in
	m.attached--
	m.swap(ms.index, m.attached)
	m.speak[c.speaks]--
}

func (s *shard) leave(c *conn, room string) {
	s.detach(c, room)
	ms := c.in(room)
	if ms == nil {
		return
	}
	m := ms.in
	last := len(m.conns) - 1
	m.swap(ms.index, last)
	m.conns[last] = nil
	m.conns = m.conns[:last]
	if c.speaks == v1 {
		m.v1--
	}
	if last == 0 {
		delete(s.rooms, m.room)
	}
	*ms = c.memberships[len(c.memberships)-1]
	c.memberships = c.memberships[:len(c.memberships)-1]
}

// announce tells the members that speak hub.v1. What is for the attached alone is for streams too.
func (s *shard) announce(o op) {
	m := s.rooms[o.room]
	if m == nil {
		return
	}
	to := m.conns
	var event *block
	if o.attached {
		to = to[:m.attached]
		if m.speak[events] > 0 {
			event = eventOf(o.frame)
		}
	} else if m.v1 == 0 {
		return
	}
	s.engine.crowd(len(to) > few)
	defer s.engine.crowd(false)
	b := newBlock(ws.OpText, o.frame)
	for _, c := range to {
		switch {
		case c.session == o.session:
		case c.speaks == v1:
			c.push(b)
		case c.speaks == events && event != nil:
			c.push(event)
		}
	}
}
