package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect(WithName("Ada"))
		if p.hello.Type != protocol.TypeHello || p.hello.Name != "Ada" {
			t.Errorf("first frame %s with the name %q", p.hello.Type, p.hello.Name)
		}
		if c.Hub() != "hub1" || c.ID() != "c1" || c.Isolated() || !c.Connected() || c.Err() != nil {
			t.Errorf("hub %q, id %q, isolated %v, connected %v, error %v",
				c.Hub(), c.ID(), c.Isolated(), c.Connected(), c.Err())
		}
		isolated := true
		p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
		synctest.Wait()
		if !c.Isolated() {
			t.Error("not isolated after the status frame")
		}
		c.Close()
		<-p.frames
		if status := websocket.CloseStatus(p.err); status != websocket.StatusNormalClosure {
			t.Errorf("the client left with %d", status)
		}
		if err := c.Err(); err != ErrClosed {
			t.Errorf("error %v after Close", err)
		}
		if _, err := c.Join(t.Context(), "lobby"); !errors.Is(err, ErrClosed) {
			t.Errorf("join after Close: %v", err)
		}
		if _, err := c.Publish(t.Context(), "lobby", protocol.Text, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("publish after Close: %v", err)
		}
		c.Close()
	})
}

func TestDialFails(t *testing.T) {
	problem := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"title":"no","status":403,"code":"origin_not_allowed","fix":"ask"}`)
		}
	}
	upgrade := func(f func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol.SubprotocolV1}})
			if err == nil {
				f(c)
				c.CloseNow()
			}
		}
	}
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		refused bool
		closed  protocol.Code
	}{
		{name: "a page", answer: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") }},
		{name: "not found", answer: http.NotFound},
		{name: "redirect", answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}},
		{name: "refused", answer: problem(403), refused: true},
		{name: "not now", answer: problem(503)},
		{name: "too often", answer: problem(429)},
		{name: "another protocol", answer: func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				c.CloseNow()
			}
		}},
		{name: "cut", answer: upgrade(func(c *websocket.Conn) {})},
		{name: "silent", answer: upgrade(func(c *websocket.Conn) {
			c.Read(context.Background())
			c.Read(context.Background())
		})},
		{name: "try again", answer: upgrade(func(c *websocket.Conn) {
			c.Read(context.Background())
			c.Close(4001, "")
		})},
		{name: "for good", closed: 4501, answer: upgrade(func(c *websocket.Conn) {
			c.Read(context.Background())
			c.Close(4501, "no")
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := newServer(t, test.answer).tryConnect()
				refused, isRefused := errors.AsType[*Refused](err)
				closed, isClosed := errors.AsType[*CloseError](err)
				switch {
				case test.refused:
					if !isRefused || refused.Code != "origin_not_allowed" || refused.Fix != "ask" || retryable(err) {
						t.Errorf("got %v", err)
					}
				case test.closed != 0:
					if !isClosed || closed.Code != test.closed || errors.Is(err, ErrUnreachable) || retryable(err) {
						t.Errorf("got %v", err)
					}
				case !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRefused) || !retryable(err):
					t.Errorf("got %v", err)
				}
				if d := time.Since(start); d > 10*time.Second {
					t.Errorf("took %v", d)
				}
			})
		})
	}
	for _, opt := range []Option{WithPing(0, 1), WithPing(1, -1), WithBackoff(0, 1), WithBackoff(1, 0)} {
		_, err := Dial(t.Context(), "http://hub.test", opt)
		if err == nil || !strings.Contains(err.Error(), "above 0") {
			t.Errorf("got %v", err)
		}
	}
	t.Run("nobody there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(t)
			s.setAway(true)
			if _, err := s.tryConnect(); !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v", err)
			}
		})
	})
}

func TestMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		r := join(t, c, p, "lobby")
		p.sendMessage("lobby", "one")
		p.sendMessage("elsewhere", "not ours")
		p.sendText(`{"type":"of tomorrow","room":"lobby"}`)
		p.sendText(`not a frame`)
		p.sendText(`{"type":"message","room":"lobby","kind":"sound"}`)
		p.conn.Write(t.Context(), websocket.MessageBinary, []byte{1})
		p.sendMessage("lobby", "two")
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for m, err := range r.Messages(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.Data))
			if m.From.Name != "Bob" || m.Hub != "hub2" || m.Room != "lobby" {
				t.Errorf("message %+v", m)
			}
			if len(got) == 2 {
				cancel() // the range ends without an error
			}
		}
		if strings.Join(got, " ") != "one two" {
			t.Errorf("got %q", got)
		}

		p.sendMessage("lobby", "three")
		for m, err := range r.Messages(t.Context()) { // goes on where the other stopped
			if err != nil || string(m.Data) != "three" {
				t.Errorf("got %q, %v", m.Data, err)
			}
			break
		}
		again, err := c.Join(t.Context(), "lobby")
		if again != r || err != nil {
			t.Errorf("joining again: %p, %v; want %p", again, err, r)
		}
		r.Leave()
		r.Leave()
		if f := p.expect(protocol.TypeLeave); f.Room != "lobby" {
			t.Errorf("left %q", f.Room)
		}
		for _, err := range r.Messages(t.Context()) {
			t.Errorf("a range over a room that was left gave %v", err)
		}
	})
}

func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect(WithBuffer(10 * (overhead + 1)))
		r := join(t, c, p, "lobby")
		for i := range 30 {
			p.sendMessage("lobby", string(rune('a'+i%26)))
		}
		synctest.Wait()
		var got []string
		for m, err := range r.Messages(t.Context()) {
			if gap, ok := errors.AsType[*Gap](err); ok {
				if gap.Dropped != 20 || gap.Away != 0 || len(got) != 0 {
					t.Errorf("gap %+v after %q", gap, got)
				}
				continue
			}
			if got = append(got, string(m.Data)); len(got) == 10 {
				break
			}
		}
		if strings.Join(got, "") != "uvwxyzabcd" {
			t.Errorf("got %q", got)
		}
	})
}

func TestJoinRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		go func() { // ends when the join came; Join below waits for the answer
			f := p.expect(protocol.TypeJoin)
			p.send(&protocol.Frame{
				Type: protocol.TypeError, Code: protocol.ErrTooManyRooms, Message: "too many", Room: f.Room,
			})
		}()
		_, err := c.Join(t.Context(), "lobby")
		if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != protocol.ErrTooManyRooms {
			t.Errorf("got %v", err)
		}
		_, err = c.Join(t.Context(), "no such name")
		refused, ok := errors.AsType[*Refused](err)
		if !ok || refused.Code != protocol.ErrBadRoom || refused.Fix == "" {
			t.Errorf("got %v", err)
		}

		// A join that was given up is taken back, and can be tried anew.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Join(ctx, "lobby"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.expect(protocol.TypeJoin)
		p.expect(protocol.TypeLeave)
		join(t, c, p, "lobby")
	})
}

// TestJoinAgain has a hub that answers a join only after that was given up and the room is joined anew: the answer says
// nothing of the second join, which waits for its own.
func TestJoinAgain(t *testing.T) {
	count := 1
	for name, answer := range map[string]*protocol.Frame{
		"there":   {Type: protocol.TypeThere, Room: "lobby", Count: &count},
		"refusal": {Type: protocol.TypeError, Room: "lobby", Code: protocol.ErrTooManyRooms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := newScript(t).connect()
				p.pings.Store(true)
				ctx, cancel := context.WithCancel(t.Context())
				first, second := make(chan error, 1), make(chan error, 1) // each sent once, below
				go func() { _, err := c.Join(ctx, "lobby"); first <- err }()
				p.expect(protocol.TypeJoin)
				cancel()
				if err := <-first; !errors.Is(err, context.Canceled) {
					t.Errorf("the first join: %v", err)
				}
				var room *Room
				go func() { // ends when the hub has answered; received below
					var err error
					room, err = c.Join(t.Context(), "lobby")
					second <- err
				}()
				p.expect(protocol.TypeLeave)
				p.expect(protocol.TypePing)
				p.expect(protocol.TypeJoin)
				p.send(answer) // to the first join
				p.sendMessage("lobby", "of the first membership")
				synctest.Wait()
				if len(second) > 0 {
					t.Fatalf("the second join took the answer to the first for its own: %v", <-second)
				}
				p.send(&protocol.Frame{Type: protocol.TypePong})
				p.send(&protocol.Frame{Type: protocol.TypeThere, Room: "lobby", Count: &count})
				p.sendMessage("lobby", "of the second")
				if err := <-second; err != nil {
					t.Fatal(err)
				}
				for m, err := range room.Messages(t.Context()) {
					if err != nil || string(m.Data) != "of the second" {
						t.Errorf("got %q, %v", m.Data, err)
					}
					break
				}
			})
		})
	}
}

func TestClose(t *testing.T) {
	t.Run("while all wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := newScript(t).connect()
			r := join(t, c, p, "lobby")
			errs := make(chan error, 4)
			go func() { _, err := c.Join(t.Context(), "other"); errs <- err }()
			go func() { _, err := r.Send(t.Context(), "hi"); errs <- err }()
			go func() {
				for _, err := range r.Messages(t.Context()) {
					t.Errorf("the range gave %v", err)
				}
				errs <- ErrClosed
			}()
			go func() { c.Close(); errs <- ErrClosed }()
			c.Close()
			for range cap(errs) {
				if err := <-errs; !errors.Is(err, ErrClosed) {
					t.Errorf("got %v", err)
				}
			}
		})
	})
	t.Run("while the hub hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			frozen := make(chan struct{})
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				conn, _ := websocket.Accept(w, r, &websocket.AcceptOptions{
					Subprotocols: []string{protocol.SubprotocolV1},
				})
				p := &peer{t: t, conn: conn}
				p.read()
				isolated := true
				p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
				<-frozen // reads and writes no more
				conn.CloseNow()
			})
			c, err := s.tryConnect()
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			c.Close()
			if d := time.Since(start); d != closeTimeout {
				t.Errorf("Close took %v, want %v", d, closeTimeout)
			}
			close(frozen)
		})
	})
	t.Run("while it waits to connect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(t)
			c, p := s.connect()
			s.setAway(true)
			p.conn.CloseNow()
			synctest.Wait()
			start := time.Now()
			c.Close()
			if d := time.Since(start); d != 0 {
				t.Errorf("Close took %v", d)
			}
		})
	})
}
