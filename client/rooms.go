package client

import (
	"errors"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// This file has what becomes of the client's rooms: what the program wants, and what the hub says. The goroutine that
// writes brings the two together.

// want returns the room called name, and makes it where there is none, for a call of Join.
func (c *Client) want(name string, o joinOptions) (*Room, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	r := c.rooms[name]
	if r == nil {
		r = &Room{
			client: c,
			name:   name,
			buffer: newBuffer(c.options.buffer),
			ready:  make(chan struct{}),
			ended:  make(chan struct{}),
			shown:  make(shown),
		}
		if o.history > 0 {
			r.history = &history{count: o.history, had: make(shown)}
		}
		c.rooms[name] = r
		c.update()
	}
	r.joins++
	return r, nil
}

// joined ends a call of Join for which r became ready, and returns its error.
func (c *Client) joined(r *Room) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.joins--
	return r.err
}

// giveUp ends a call of Join that waits no longer. A room that nobody has, and nobody waits for, is left.
func (c *Client) giveUp(r *Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.joins--
	if r.joins == 0 && !r.told {
		c.drop(r, ErrClosed)
	}
}

// drop ends r, which the client is to be in no longer. The caller holds mu.
func (c *Client) drop(r *Room, why error) {
	if r.err != nil {
		return
	}
	delete(c.rooms, r.name)
	r.end(why)
	c.update()
}

// update has the hub told of the rooms, where there is one. The caller holds mu.
func (c *Client) update() {
	if c.link != nil {
		c.link.update()
	}
}

// membership is one time of being in a room.
type membership struct {
	room   *Room
	number int
}

// memberships returns the frames that make the hub's idea of the client's rooms right, where told is what it was sent
// on l before, and brings told up to date. A room that was left and joined again is so there too, as its Join waits for
// an answer.
//
// Behind what is left goes a ping. A hub works on frames in their order, so what it says of a room before the pong may
// be about an earlier membership, and counts for no join that was sent after that ping (see Room.barrier).
func (c *Client) memberships(l *link, told map[string]membership) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var frames [][]byte
	for name, m := range told {
		r := m.room
		if c.rooms[name] == r && r.membership == m.number {
			continue
		}
		if _, refused := errors.AsType[*Refused](r.err); !refused { // where it was, we are not in
			frames = append(frames, (&protocol.Frame{Type: protocol.TypeLeave, Room: name}).Encode())
		}
		delete(told, name)
	}
	if len(frames) > 0 {
		l.pings++
		frames = append(frames, (&protocol.Frame{Type: protocol.TypePing}).Encode())
	}
	for name, r := range c.rooms {
		if _, ok := told[name]; !ok {
			r.whole = r.shown.full()
			frames = append(frames, r.join().Encode())
			told[name] = membership{r, r.membership}
			r.barrier = l.pings
		}
	}
	return frames
}

// join returns the frame that joins the room, in a log room where the client was. The caller holds client.mu.
func (r *Room) join() *protocol.Frame {
	f := &protocol.Frame{Type: protocol.TypeJoin, Room: r.name}
	if !r.cursor.IsZero() {
		f.Position = r.cursor.String()
	}
	if r.history != nil {
		f.History = r.history.count
	}
	if r.whole {
		f.Provisional = new(bool)
	}
	return f
}

// enter records that the hub said by f, after so many pongs, that we are in a room, which is a log room or not, who is
// there, and what was missed until now. Where a log room goes on from the cursor, the hub tells what is missing.
func (c *Client) enter(f *protocol.Frame, pongs int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[f.Room]
	if r == nil || pongs < r.barrier {
		return // it was left meanwhile
	}
	r.crowd.replace(f)
	if r.in {
		return // the hub tells again who is there
	}
	r.in = true
	log := f.Log != nil && *f.Log
	c.setLog(f.Room, log)
	if !log {
		r.cursor = protocol.Position{}
		r.release()
	}
	if r.told && !r.cut.IsZero() && r.cursor.IsZero() {
		r.put(item{gap: Gap{Away: max(time.Since(r.cut), 1), Cause: r.cause}})
	}
	r.cut, r.cause = time.Time{}, nil
	if !log || c.isolated {
		r.tell()
	}
}

// refuse ends a room that the hub, after so many pongs, does not let us join.
func (c *Client) refuse(name string, pongs int, why *Refused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[name]; r != nil && !r.in && pongs >= r.barrier {
		c.drop(r, why)
	}
}

// lose records that the connection was lost. The caller holds client.mu.
func (r *Room) lose(cause error) {
	if r.in {
		r.in, r.cut, r.cause = false, time.Now(), cause
	}
}

// tell lets calls of Join return. The caller holds client.mu.
func (r *Room) tell() {
	if !r.told {
		r.told = true
		close(r.ready)
	}
}

// end ends the room, once. The caller holds client.mu.
func (r *Room) end(why error) {
	r.err = why
	r.release()
	close(r.ended)
	r.tell()
}
