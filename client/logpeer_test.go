package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// What a scripted hub does in log rooms.

// enter answers the client's next frame, a join of a log room, and returns it. It may be called by any goroutine.
func (p *peer) enter(room string) *protocol.Frame {
	p.t.Helper()
	f := p.expect(protocol.TypeJoin)
	if f.Room != room {
		p.t.Errorf("join of %q, want %q", f.Room, room)
	}
	count, log := 1, true
	p.send(&protocol.Frame{Type: protocol.TypeThere, Room: room, Count: &count, Log: &log})
	return f
}

// at sends a frame that sets the cursor: subscribed, orphans or reset.
func (p *peer) at(kind, position string, count ...int) {
	f := &protocol.Frame{Type: kind, Room: "lobby", Position: position}
	for _, n := range count {
		f.Count = &n
	}
	p.send(f)
}

// entry sends a message of somebody else, which is called text, at a position; without one it is not stored yet.
func (p *peer) entry(text, position string) { p.deliver("c2", text, position, false) }

func (p *peer) deliver(from, text, position string, past bool) {
	d := protocol.Delivery{Past: past, Kept: position == "", Message: &protocol.Message{
		Room: "lobby", ID: protocol.MessageID(from, text), From: protocol.Client{ID: from}, Hub: "hub2",
		Time: time.Now(), Kind: protocol.Text, Data: []byte(text),
	}}
	if position != "" {
		var err error
		if d.At, err = protocol.ParsePosition(position); err != nil {
			p.t.Error(err)
		}
	}
	p.sendText(string(protocol.AppendMessage(nil, d)))
}

// ack tells the position of the message with this id, and with a key that it is the client's own.
func (p *peer) ack(id, key, position string) {
	p.send(&protocol.Frame{
		Type: protocol.TypeAck, Room: "lobby", ID: id, Key: key, Scope: protocol.ScopeCluster, Position: position,
	})
}

// joinLog joins the log room lobby, whose log is at position.
func joinLog(t *testing.T, c *Client, p *peer, position string, opts ...JoinOption) *Room {
	t.Helper()
	go func() { // ends when the client's join came; Join below waits for its answer
		p.enter("lobby")
		p.at(protocol.TypeSubscribed, position)
	}()
	r, err := c.Join(t.Context(), "lobby", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// got returns what waits in r once all that was sent has come, in few words: messages by their text, with < before
// those that are past and ? behind those that are provisional, and gaps in brackets.
func got(t *testing.T, r *Room) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	var list []string
	for m, err := range r.Messages(ctx) {
		if gap, ok := errors.AsType[*Gap](err); ok {
			switch {
			case gap.Away > 0:
				list = append(list, "[away]")
			case gap.Lost > 0:
				list = append(list, fmt.Sprintf("[lost %d]", gap.Lost))
			case gap.Reset:
				list = append(list, "[reset]")
			default:
				list = append(list, fmt.Sprintf("[dropped %d]", gap.Dropped))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		text := string(m.Data)
		if m.Past {
			text = "<" + text
		}
		if m.Provisional {
			text += "?"
		}
		if m.Provisional != m.Position.IsZero() {
			t.Errorf("%s has the position %v", text, m.Position)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// want fails the test where not all of what waits in r is list.
func want(t *testing.T, r *Room, list string) {
	t.Helper()
	if list, got := list, got(t, r); got != list {
		t.Errorf("got %q, want %q", got, list)
	}
}

// cut ends the connection and returns the next, on which the client has joined the log room, and its join.
func (s *script) cut(p *peer) (*peer, *protocol.Frame) {
	s.t.Helper()
	p.conn.CloseNow()
	p = s.next()
	return p, p.enter("lobby")
}
