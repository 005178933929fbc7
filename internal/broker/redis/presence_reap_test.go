//go:build !short

package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestPresenceClearsAwayLater has the connections break of a hub that was about to clear away what a dead one left: it does
// that over the next.
func TestPresenceClearsAwayLater(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	server.Do("HSET", hubsKey, "old", "1000 ready id9 hub9")
	server.Do("ZADD", roomsKeyOf("old"), "0", "lobby")
	server.Do("ZADD", peopleKeyOf("old", "lobby"), "0", "ghost 1 Ghost")
	p := newPresence(t, server.URL(), time.Minute)
	p.own = hub.HubID{ID: "1", Name: "hub1"}
	r := brokertest.NewPresenceReceiver(t, p.own)
	p.receiver = r
	for _, broken := range []bool{true, false} {
		l, err := p.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if broken {
			p.look(l, l.began)
			l.close()
			continue
		}
		served := make(chan struct{}) // closed when the link is over; received here
		go func() {                   // ends then
			defer close(served)
			_ = p.serve(l)
		}()
		r.Await("the rest to be cleared away", func() bool {
			return strings.TrimSpace(server.Do("EXISTS", roomsKeyOf("old"), peopleKeyOf("old", "lobby"))) == "0"
		})
		p.close()
		<-served
	}
}
