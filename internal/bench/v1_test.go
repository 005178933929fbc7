package bench

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestV1 gives a peer the frames of a hub, as this hub writes them and as another might.
func TestV1(t *testing.T) {
	for name, tt := range map[string]struct {
		frame string // BODY is a message that was published, KEY its key
		check func(*load) bool
	}{
		"message": {string(protocol.AppendMessage(nil, protocol.Delivery{Message: &protocol.Message{
			Room: "live.bench-0", ID: "a/b", From: protocol.Client{ID: "a", Name: `x","data":"y`}, Hub: `h\","data":"`,
			Time: time.Now(), Data: []byte("BODY"),
		}})), func(l *load) bool { return l.counts.delivered == 1 }},
		"message in another form": {`{ "room":"live.bench-0", "data" : "BODY", "type":"message" }`,
			func(l *load) bool { return l.counts.delivered == 1 }},
		"message with blanks": {`{"type":"message", "data": "BODY"}`, func(l *load) bool { return l.counts.delivered == 1 }},
		"message of others":   {`{"type":"message","data":"hello"}`, func(l *load) bool { return l.counts.strange == 1 }},
		"message of no text":  {`{"type":"message","kind":"json","data":{"a":1}}`, func(l *load) bool { return l.counts.strange == 1 }},
		"ack": {string(protocol.AppendAck(nil, protocol.Ack{Room: "live.bench-0", Key: "KEY", ID: "a/b", Scope: "live"})),
			func(l *load) bool { return *l.acks["live"] == 1 && l.ack.Count() == 1 }},
		"ack in another form": {`{"scope":"hub","key":"KEY","type":"ack"}`, func(l *load) bool { return *l.acks["hub"] == 1 }},
		"ack of another's": {`{"type":"ack","room":"r","id":"x","scope":"cluster","position":"p"}`,
			func(l *load) bool { return len(l.acks) == 0 }},
		"ack of a key of nobody's": {`{"type":"ack","key":"x","scope":"cluster"}`, func(l *load) bool { return l.counts.strange == 1 }},
		"refusal":                  {`{"type":"error","code":"outbox_full","key":"KEY"}`, func(l *load) bool { return *l.noes["outbox_full"] == 1 && l.counts.acked == 1 }},
		"refusal of something":     {`{"type":"error","code":"bad_frame"}`, func(l *load) bool { return *l.noes["bad_frame"] == 1 && l.counts.acked == 0 }},
		"reset":                    {`{"type":"reset","room":"live.bench-0","position":"e:3"}`, func(l *load) bool { return l.counts.resets == 1 }},
		"orphans":                  {`{"type":"orphans","room":"live.bench-0","position":"e:3","count":2}`, func(l *load) bool { return l.counts.resets == 1 }},
		"gap":                      {`{"type":"gap","room":"live.bench-0","count":3}`, func(l *load) bool { return l.counts.told == 3 }},
		"joined":                   {`{"type":"joined","room":"live.bench-0"}`, func(*load) bool { return true }},
		"unknown":                  {`{"type":"new","x":1}`, func(*load) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			l := loadOf(t, Options{Dialect: V1{}, Conns: 2, Publishers: 2})
			l.phase, l.to = publishing, int64(time.Hour)
			p := &l.publishers[0]
			p.conn.peer.(*v1Peer).ready = true
			l.publish(p, 0, 0)
			frame := strings.NewReplacer("BODY", string(l.body), "KEY", string(l.body[:KeySize])).Replace(tt.frame)
			c := l.conns[1]
			if strings.Contains(tt.frame, "ack") || strings.Contains(tt.frame, "error") {
				c = p.conn
			}
			if err := c.peer.Receive(l.at(c, 1), Text, []byte(frame)); err != nil {
				t.Fatal(err)
			}
			if !tt.check(l) {
				t.Errorf("%s counts as %+v, acks %v, refused %v", frame, l.counts, l.acks, l.noes)
			}
		})
	}
}

// TestV1Ready says when a connection is ready, and what a hub has against it.
func TestV1Ready(t *testing.T) {
	for _, tt := range []struct {
		frame string
		ready bool
		err   error
	}{
		{`{"type":"welcome"}`, false, nil},
		{`{"type":"there","room":"live.bench-0","count":1,"log":false}`, true, nil},
		{`{"type":"there","room":"live.bench-0","count":1}`, true, nil},
		{`{"type":"there","room":"other","count":1}`, false, nil},
		{`{"type":"there","room":"live.bench-0","count":1,"log":true}`, false, nil},
		{`{"type":"subscribed","room":"live.bench-0"}`, true, nil},
		{`{"type":"error","code":"bad_token","message":"no"}`, false, ErrRefused},
		{`[]`, false, protocol.ErrNotFrame},
	} {
		l := loadOf(t, Options{Dialect: V1{}, Conns: 1, Idle: true})
		c := l.conns[0]
		if err := c.peer.Receive(l.at(c, 0), Text, []byte(tt.frame)); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v", tt.frame, err)
		}
		if c.ready != tt.ready {
			t.Errorf("%s: ready %v", tt.frame, c.ready)
		}
	}
}
