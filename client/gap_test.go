package client

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestGapOfHub has a hub drop messages of a live room, and tell so where they are missing.
func TestGapOfHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		c, p := s.connect()
		r := join(t, c, p, "live.a")
		count := func(n int) *protocol.Frame { return &protocol.Frame{Type: protocol.TypeGap, Room: "live.a", Count: &n} }
		p.send(&protocol.Frame{Type: protocol.TypeGap, Room: "live.elsewhere", Count: count(1).Count})
		p.sendMessage("live.a", "before")
		p.send(count(0))
		p.send(&protocol.Frame{Type: protocol.TypeGap, Room: "live.a"})
		p.send(count(7))
		p.sendMessage("live.a", "after")
		var got []string
		for m, err := range r.Messages(t.Context()) {
			if gap, ok := errors.AsType[*Gap](err); ok {
				if gap.Dropped != 7 || gap.Away != 0 || gap.Lost != 0 || gap.Reset {
					t.Errorf("gap %+v", gap)
				}
				got = append(got, "gap")
				continue
			}
			if got = append(got, string(m.Data)); string(m.Data) == "after" {
				break
			}
		}
		if strings.Join(got, " ") != "before gap after" {
			t.Errorf("got %q", got)
		}
	})
}

// TestTrace looks at what is logged of frames: all of them, and no secrets.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s, i := newScript(t), new(issuer)
		c, p := s.connect(WithLog(log), WithToken(i.token))
		join(t, c, p, "lobby")
		p.conn.Close(websocket.StatusGoingAway, "")
		s.next()
		time.Sleep(time.Second)
		c.Close()
		got := out.String()
		for _, want := range []string{
			`msg="frame sent" frame="{\"type\":\"hello\",\"client\":{\"id\":\"c1\",\"secret\":\"\"}}"`,
			`msg="frame received" frame="{\"type\":\"welcome\"`,
			`msg="frame sent" frame="{\"type\":\"join\",\"room\":\"lobby\"}"`,
			`msg="frame received" frame="{\"type\":\"there\"`,
		} {
			if !strings.Contains(got, want) {
				t.Errorf("no %s in:\n%s", want, got)
			}
		}
		for _, secret := range []string{"s1", "t1"} {
			if strings.Contains(got, `"`+secret) {
				t.Errorf("%q was logged:\n%s", secret, got)
			}
		}
	})
}
