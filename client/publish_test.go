package client

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newScript(t).connect()
		go func() { // ends with the answer; Publish below waits for it
			f := p.expect(protocol.TypePublish)
			p.send(&protocol.Frame{Type: protocol.TypeAck, Key: "another"})
			p.send(&protocol.Frame{Type: protocol.TypeAck, Key: f.Key, ID: "c1/" + f.Key, Scope: protocol.ScopeLive})
		}()
		ack, err := c.Publish(t.Context(), "lobby", protocol.JSON, []byte(`{"a": "<b>"}`))
		if err != nil || ack.ID != "c1/"+ack.Key || ack.Scope != protocol.ScopeLive {
			t.Errorf("ack %+v, error %v", ack, err)
		}
		go func() { // as above
			f := p.expect(protocol.TypePublish)
			p.send(&protocol.Frame{
				Type: protocol.TypeError, Code: "too_big", Message: "too big", Fix: "less", Room: f.Room, Key: f.Key,
			})
		}()
		_, err = c.Publish(t.Context(), "lobby", protocol.Text, []byte("hi"))
		if refused, ok := errors.AsType[*Refused](err); !ok || *refused != (Refused{"too_big", "too big", "less"}) {
			t.Errorf("error %v", err)
		}
	})
}

func TestPublishRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newScript(t).connect()
		tests := []struct {
			name string
			room string
			kind protocol.Kind
			data string
			code string
		}{
			{"room", "no room", protocol.Text, "", protocol.ErrBadRoom},
			{"text", "lobby", protocol.Text, "\xff", protocol.ErrBadData},
			{"json", "lobby", protocol.JSON, "{", protocol.ErrBadData},
			{"kind", "lobby", 77, "", protocol.ErrBadData},
		}
		for _, test := range tests {
			_, err := c.Publish(t.Context(), test.room, test.kind, []byte(test.data))
			if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != test.code || refused.Fix == "" {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	})
}

// TestPublishUnknown has publications that were sent and not answered.
func TestPublishUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Publish(ctx, "lobby", protocol.Text, nil)
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the context ended: %v", err)
		}
		p.expect(protocol.TypePublish)

		go func() { // ends when the publication came; Publish below waits for the cut
			p.expect(protocol.TypePublish)
			p.conn.CloseNow()
		}()
		start := time.Now()
		_, err = c.Publish(t.Context(), "lobby", protocol.Text, nil)
		if d := time.Since(start); d > 0 || !errors.Is(err, ErrUnknown) || errors.Is(err, ErrClosed) {
			t.Errorf("the connection was cut: %v, after %v", err, d)
		}

		p = s.next()
		go func() { // as above
			p.expect(protocol.TypePublish)
			p.conn.Close(websocket.StatusMessageTooBig, "too long")
		}()
		_, err = c.Publish(t.Context(), "lobby", protocol.Text, nil)
		refused, ok := errors.AsType[*Refused](err)
		if !ok || refused.Code != protocol.ErrTooBig || errors.Is(err, ErrUnknown) {
			t.Errorf("the message was too big: %v", err)
		}
	})
}

// TestPublishWaits has publications while there is no connection.
func TestPublishWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		s.setAway(true)
		p.conn.CloseNow()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Publish(ctx, "lobby", protocol.Text, nil)
		if !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
			t.Errorf("the hub stayed away: %v", err)
		}

		go func() { // ends with the answer; Publish below waits for it
			time.Sleep(time.Minute)
			s.setAway(false)
			p := s.next()
			f := p.expect(protocol.TypePublish)
			p.send(&protocol.Frame{Type: protocol.TypeAck, Key: f.Key})
		}()
		if _, err = c.Publish(t.Context(), "lobby", protocol.Text, nil); err != nil {
			t.Errorf("the hub came back: %v", err)
		}
	})
}

// FuzzFrame has a hub that sends anything.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"type":"there","room":"lobby","count":1}`))
	f.Add([]byte(`{"type":"message","room":"lobby","id":"a/1","from":{"id":"a"},"hub":"h",` +
		`"time":"2026-01-02T03:04:05.678Z","kind":"text","data":"hi"}`))
	f.Add([]byte(`{"type":"ack","key":"k","id":"a/k","scope":"live"}`))
	f.Add([]byte(`{"type":"error","code":"bad_room","room":"lobby"}`))
	f.Add([]byte(`{"type":"bye","retry":9223372036854775807}`))
	f.Add([]byte(`{"type":"status"}`))
	f.Add([]byte(`{"type":"subscribed","room":"lobby","position":"e:1"}`))
	f.Add([]byte(`{"type":"orphans","room":"lobby","position":"e:1","count":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		frame, err := protocol.DecodeFrame(text)
		if err != nil {
			return
		}
		c := &Client{options: defaults(), rooms: make(map[string]*Room), logs: make(map[string]bool)}
		l := newLink(c, nil)
		if _, err := c.want("lobby", joinOptions{history: 2}); err != nil {
			t.Fatal(err)
		}
		l.expect("k", 0)
		l.handle(frame)
		if l.retry < 0 || l.retry > maxRetry {
			t.Errorf("retry %v", l.retry)
		}
	})
}

func FuzzProblem(f *testing.F) {
	f.Add([]byte(`{"title":"no","detail":"this origin","code":"origin_not_allowed","fix":"ask"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r := parseProblem(body); r != nil && (r.Code == "" || !json.Valid(body)) {
			t.Errorf("%+v from %q", r, body)
		}
	})
}
