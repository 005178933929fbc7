package ws

import (
	"net"
	"testing"
	"testing/synctest"

	gobwas "github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// TestWriterReleases shows that a connection does not keep the memory that a burst of small messages needed.
func TestWriterReleases(t *testing.T) {
	s := &Server{metrics: new(metrics)}
	s.options.setDefaults()
	here, there := net.Pipe()
	c := &conn{server: s, nc: here, wake: make(chan struct{}, 1), written: make(chan struct{}), session: new(hub.Session)}
	f := newFrame(gobwas.OpText, []byte("small"))
	const frames = 5000
	for range frames {
		c.push(f)
	}
	var spent []*frame
	for n := 0; n < frames; {
		taken, how := c.take(spent)
		if how != nil || len(taken) == 0 || len(taken) > framesMost {
			t.Fatalf("took %d frames, closing %v", len(taken), how)
		}
		n += len(taken)
		spent = taken
	}
	if n := cap(c.queue); n > framesKept {
		t.Errorf("the empty queue keeps room for %d frames", n)
	}
	if spent, _ = c.take(spent); cap(spent) > framesKept {
		t.Errorf("the writer keeps room for %d frames while it has none", cap(spent))
	}
	_ = here.Close()
	_ = there.Close()
}

// TestReadersPace shows that a reader does not work on a message while the shard is far behind, and goes on when the
// shard has caught up: what clients put into its queue stays bounded.
func TestReadersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Options{Broker: nowhere{}})
		s := newShard(h, new(metrics), 1<<20)
		h.AddShard(s)
		c := &conn{server: new(Server), shard: s, speaks: plain}
		c.session = h.NewSession(s, c, true)
		c.session.EnterPlain(t.Context(), "r")
		s.inbox.Force(op{}, s.pace)

		done := false
		go func() { // ends when the shard's queue was taken; the test waits for it
			if err := c.receive(event{gobwas.OpText, []byte("hi")}); err != nil {
				t.Error(err)
			}
			done = true
		}()
		synctest.Wait()
		if done {
			t.Error("a message was worked on while the shard was far behind")
		}
		s.inbox.Take(nil)
		synctest.Wait()
		if ops := s.inbox.Take(nil); !done || len(ops) != 1 || ops[0].do != opMessage {
			t.Errorf("done: %v, and the shard was told %d things", done, len(ops))
		}
	})
}

// nowhere is a broker that joins a hub to nobody.
type nowhere struct{ hub.Broker }

func (nowhere) Publish(*hub.Publication) {}
