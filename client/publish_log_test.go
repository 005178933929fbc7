package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// published is what a call of Publish returned.
type published struct {
	ack Ack
	err error
}

// publish publishes text in the log room lobby, in the background.
func publish(ctx context.Context, c *Client, text string) <-chan published {
	done := make(chan published, 1) // sent once, by the goroutine, which ends with the call; received by the test
	go func() {
		ack, err := c.Publish(ctx, "lobby", protocol.Text, []byte(text))
		done <- published{ack, err}
	}()
	return done
}

// publication returns the client's next frame, a publication: the first of its message where birth is "first".
func (p *peer) publication(text, birth string) *protocol.Frame {
	p.t.Helper()
	f := p.expect(protocol.TypePublish)
	got := "first"
	if f.Birth != nil {
		got = *f.Birth
	}
	if string(f.Data) != `"`+text+`"` || got != birth {
		p.t.Errorf("published %s with the birth %q, want %s with %q", f.Data, got, text, birth)
	}
	return f
}

// fail answers a publication with an error.
func (p *peer) fail(f *protocol.Frame, code string) {
	p.send(&protocol.Frame{Type: protocol.TypeError, Code: code, Message: "said the hub", Room: f.Room, Key: f.Key})
}

// store answers a publication: it is stored at position.
func (p *peer) store(f *protocol.Frame, position string) { p.ack("c1/"+f.Key, f.Key, position) }

// known has the client know that lobby is a log room, by a message that it publishes without joining it.
func known(t *testing.T, c *Client, p *peer) {
	t.Helper()
	done := publish(t.Context(), c, "known")
	p.store(p.publication("known", "first"), "e1:1")
	if got := <-done; got.err != nil {
		t.Fatal(got.err)
	}
}

func TestPublishInLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		for _, test := range []struct {
			answer protocol.Frame
			want   Ack
		}{
			{
				protocol.Frame{Scope: protocol.ScopeCluster, Position: "e1:8", Duplicate: true},
				Ack{Scope: protocol.ScopeCluster, Position: protocol.Position{Epoch: "e1", Offset: 8}, Duplicate: true},
			},
			{protocol.Frame{Scope: protocol.ScopeHub}, Ack{Scope: protocol.ScopeHub}},
		} {
			done := publish(t.Context(), c, "hi")
			f := p.publication("hi", "first")
			test.answer.Type, test.answer.Room = protocol.TypeAck, "lobby"
			test.answer.Key, test.answer.ID = f.Key, "c1/"+f.Key
			p.send(&test.answer)
			p.send(&test.answer) // twice is no harm
			test.want.Key, test.want.ID = f.Key, "c1/"+f.Key
			if got := <-done; got.err != nil || got.ack != test.want {
				t.Errorf("got %+v, %v, want %+v", got.ack, got.err, test.want)
			}
		}
	})
}

// TestPublishAgain loses connections on which a message was sent: it is sent again, once the room is joined again,
// under its key and with the cursor that was the client's when it was first sent.
func TestPublishAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := joinLog(t, c, p, "e1:7")
		done := publish(t.Context(), c, "mine")
		key := p.publication("mine", "first").Key
		p.entry("other", "e1:8")
		for range 3 {
			synctest.Wait()
			p, _ = s.cut(p)
			if f := p.publication("mine", "e1:7"); f.Key != key {
				t.Errorf("sent again under %q, want %q", f.Key, key)
			}
		}
		p.ack("c1/"+key, key, "e1:9")
		if got := <-done; got.err != nil || got.ack.Position.Offset != 9 {
			t.Errorf("got %+v, %v", got.ack, got.err)
		}
		want(t, r, "other")
		if _, f := s.cut(p); f.Position != "e1:9" {
			t.Errorf("joined with %+v", f)
		}
	})
}

// TestPublishAgainElsewhere has a room that was not joined, but of which the client knows what it is.
func TestPublishAgainElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		known(t, c, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := publish(ctx, c, "mine")
		p.publication("mine", "first")
		p.conn.CloseNow()
		p = s.next()
		p.publication("mine", "")
		s.setAway(true)
		p.conn.CloseNow()
		got := <-done
		if !errors.Is(got.err, ErrUnknown) || !errors.Is(got.err, context.DeadlineExceeded) ||
			errors.Is(got.err, ErrUnreachable) {
			t.Errorf("got %v", got.err)
		}
		s.setAway(false)
		p = s.next()

		done = publish(t.Context(), c, "mine")
		p.publication("mine", "first")
		p.conn.Close(4514, "displaced")
		got = <-done
		if closed, ok := errors.AsType[*CloseError](got.err); !ok || closed.Code != 4514 || !errors.Is(got.err, ErrUnknown) {
			t.Errorf("got %v", got.err)
		}
	})
}

// TestPublishAsAnother has a hub that does not know the client any more: under another id the message would be another.
func TestPublishAsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		known(t, c, p)
		done := publish(t.Context(), c, "mine")
		p.publication("mine", "first")
		s.setWho(protocol.Credentials{ID: "c9", Secret: "s9"})
		p.conn.CloseNow()
		p = s.next()
		if got := <-done; !errors.Is(got.err, ErrUnknown) || !strings.Contains(got.err.Error(), "does not know the client") {
			t.Errorf("got %v", got.err)
		}
		synctest.Wait()
		if len(p.frames) > 0 {
			t.Errorf("the client sent %+v", <-p.frames)
		}
	})
}

// TestPublishAfterUnknown has hubs that do not know whether the message is stored.
func TestPublishAfterUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		start := time.Now()
		done := publish(t.Context(), c, "mine")
		key := ""
		for i, code := range []string{"unknown", "outbox_full", "refused", "unknown"} {
			birth := ""
			if i == 0 {
				birth = "first"
			}
			f := p.publication("mine", birth)
			if key == "" {
				key = f.Key
			}
			if f.Key != key {
				t.Errorf("sent again under %q, want %q", f.Key, key)
			}
			p.fail(f, code)
			if i == 2 {
				if d := time.Since(start); d == 0 || d > 1500*time.Millisecond {
					t.Errorf("sent twice again after %v", d)
				}
			}
		}
		synctest.Wait()
		p.ack("c1/"+key, key, "e1:8") // before it is sent again
		if got := <-done; got.err != nil || got.ack.Position.Offset != 8 {
			t.Errorf("got %+v, %v", got.ack, got.err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done = publish(ctx, c, "mine")
		p.fail(p.publication("mine", "first"), "unknown")
		p.fail(p.publication("mine", ""), "bad_data") // whatever became of the first attempt
		if refused, ok := errors.AsType[*Refused]((<-done).err); !ok || refused.Code != "bad_data" {
			t.Errorf("got %v", refused)
		}

		done = publish(ctx, c, "mine")
		for n := 0; ; n++ {
			birth := ""
			if n == 0 {
				birth = "first"
			}
			p.fail(p.publication("mine", birth), "unknown")
			synctest.Wait()
			if time.Sleep(5 * time.Second); ctx.Err() != nil {
				break
			}
		}
		if got := <-done; !errors.Is(got.err, ErrUnknown) || !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("got %v", got.err)
		}
	})
}

// TestPublishUnknownAndCut has a connection lost after the hub said what only hubs with logs say.
func TestPublishUnknownAndCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		done := publish(t.Context(), c, "mine")
		p.fail(p.publication("mine", "first"), "unknown")
		p.publication("mine", "")
		p.conn.CloseNow()
		p = s.next()
		p.store(p.publication("mine", ""), "e1:8")
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
	})
}

// TestAnswerStays has answers that come before anybody looks.
func TestAnswerStays(t *testing.T) {
	l := newLink(&Client{}, nil)
	reply, _ := l.expect("k", 0)
	l.answer("k", result{err: &Refused{Code: protocol.ErrUnknown}})
	l.answer("k", result{ack: Ack{ID: "c1/k"}})
	l.answer("k", result{err: &Refused{Code: protocol.ErrUnknown}})
	if again, _ := l.expect("k", 0); again != reply { // for another attempt
		t.Error("the answer is lost")
	}
	l.fail(errNoPong)
	if r := <-reply; r.err != nil || r.ack.ID != "c1/k" {
		t.Errorf("got %+v", r)
	}
}

// TestPublishRefusedAtFirst has hubs that do not take the first attempt, and say that nothing came of it.
func TestPublishRefusedAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		done := publish(t.Context(), c, "mine")
		p.fail(p.publication("mine", "first"), "outbox_full")
		got := <-done
		if _, refused := errors.AsType[*Refused](got.err); refused || !errors.Is(got.err, ErrBusy) ||
			!strings.HasSuffix(got.err.Error(), "said the hub") {
			t.Errorf("got %v", got.err)
		}
		done = publish(t.Context(), c, "mine")
		p.fail(p.publication("mine", "first"), "refused")
		if refused, ok := errors.AsType[*Refused]((<-done).err); !ok || refused.Code != "refused" {
			t.Errorf("got %v", refused)
		}
	})
}

// TestPublishWithoutAnswer has a hub that does not answer, and has its connection all the time.
func TestPublishWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		first := publish(t.Context(), c, "live")
		f := p.publication("live", "first")
		time.Sleep(time.Minute)
		if len(p.frames) > 0 {
			t.Errorf("sent again, and it may be a live room: %+v", <-p.frames)
		}
		p.send(&protocol.Frame{Type: protocol.TypeAck, Key: f.Key, ID: "c1/" + f.Key, Scope: protocol.ScopeLive})
		if got := <-first; got.err != nil {
			t.Error(got.err)
		}

		known(t, c, p)
		start := time.Now()
		done := publish(t.Context(), c, "mine")
		p.publication("mine", "first")
		p.publication("mine", "")
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("sent again after %v", d)
		}
		got := <-done
		if d := time.Since(start); !errors.Is(got.err, ErrUnknown) || d != maxAge {
			t.Errorf("after %v: %v", d, got.err)
		}
	})
}

// TestPublishTooBig has several publications under way when the hub closes the connection because of one of them.
func TestPublishTooBig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		known(t, c, p)
		small, big := publish(t.Context(), c, "small"), publish(t.Context(), c, "big, too big")
		p.expect(protocol.TypePublish)
		p.expect(protocol.TypePublish)
		p.conn.Close(websocket.StatusMessageTooBig, "too long")
		if refused, ok := errors.AsType[*Refused]((<-big).err); !ok || refused.Code != protocol.ErrTooBig {
			t.Errorf("the big one: %v", refused)
		}
		p = s.next()
		p.store(p.publication("small", ""), "e1:2")
		if got := <-small; got.err != nil {
			t.Errorf("the small one: %v", got.err)
		}
	})
}

func TestKnownRooms(t *testing.T) {
	c := &Client{logs: make(map[string]bool)}
	for i := range maxLogs + 10 {
		c.learn(strings.Repeat("r", i+1), true)
		c.learn("lobby", true)
	}
	if len(c.logs) != maxLogs {
		t.Errorf("%d rooms are known", len(c.logs))
	}
	c.learn("lobby", true)
	if c.learn("lobby", false); c.isLog("lobby") {
		t.Error("a live room counts as a log room")
	}
}

// TestKeeps has the hub take a message that it cannot store: the client publishes it again, under its key and with its
// birth, on each further connection until one says that it is stored, and then no more. What it was given may be changed.
func TestKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		joinLog(t, c, p, "e1:7")
		data := []byte("mine")
		go func() { // ends with the answer below
			if ack, err := c.Publish(t.Context(), "lobby", protocol.Text, data); err != nil || ack.Scope != protocol.ScopeHub {
				t.Errorf("got %+v, %v", ack, err)
			}
			copy(data, "gone")
		}()
		f := p.publication("mine", "first")
		key := f.Key
		keeps := protocol.Frame{Type: protocol.TypeAck, Room: "lobby", ID: "c1/" + key, Key: key, Scope: protocol.ScopeHub}
		p.send(&keeps)
		synctest.Wait()
		for range 2 { // the hub keeps it each time
			p, _ = s.cut(p)
			if f = p.publication("mine", "e1:7"); f.Key != key {
				t.Errorf("sent again under %q, want %q", f.Key, key)
			}
			p.send(&keeps)
			synctest.Wait()
		}
		p, _ = s.cut(p)
		p.fail(p.publication("mine", "e1:7"), protocol.ErrUnknown)
		p.publication("mine", "e1:7")
		p.store(f, "e1:8")
		synctest.Wait()
		p, join := s.cut(p)
		if join.Position != "e1:8" {
			t.Errorf("joined with %+v", join)
		}
		known(t, c, p) // is the next that it publishes
	})
}

// TestKeepsUntilStored has the hub say on the same connection that the message is stored.
func TestKeepsUntilStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		joinLog(t, c, p, "e1:7")
		done := publish(t.Context(), c, "mine")
		f := p.publication("mine", "first")
		p.send(&protocol.Frame{Type: protocol.TypeAck, Room: "lobby", ID: "c1/" + f.Key, Key: f.Key, Scope: protocol.ScopeHub})
		p.store(f, "e1:8")
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
		synctest.Wait()
		p, _ = s.cut(p)
		known(t, c, p)
	})
}

// TestStoredBeforeKept has the stream say that a message is stored, and then a hub that cannot reach the log answers the
// further try: it is stored.
func TestStoredBeforeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		joinLog(t, c, p, "e1:7")
		done := publish(t.Context(), c, "mine")
		p.publication("mine", "first")
		p, _ = s.cut(p)
		f := p.publication("mine", "e1:7")
		p.store(f, "e1:8")
		p.send(&protocol.Frame{Type: protocol.TypeAck, Room: "lobby", ID: "c1/" + f.Key, Key: f.Key, Scope: protocol.ScopeHub})
		if got := <-done; got.err != nil || got.ack.Position.Offset != 8 {
			t.Errorf("got %+v, %v", got.ack, got.err)
		}
		synctest.Wait()
		p, _ = s.cut(p)
		known(t, c, p)
	})
}
