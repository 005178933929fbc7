package ws

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// newTestServer returns a server whose engine is one of a test, which writes nothing by itself.
func newTestServer(t *testing.T, o Options) *Server {
	t.Helper()
	s := &Server{metrics: new(metrics), options: o, hub: hub.New(hub.Options{Broker: nowhere{}}), made: time.Now()}
	s.options.setDefaults()
	s.shards = []*shard{newShard(s.hub, s.metrics, s.options.SendQueue)}
	s.shards[0].engine = still{}
	s.hub.AddShard(s.shards[0])
	return s
}

// still is an engine that does nothing.
type still struct{ engine }

func (still) told()      {}
func (still) wake(*conn) {}
func (still) crowd(bool) {}

// TestQueueReleases shows that a connection does not keep the memory that a burst of small messages needed.
func TestQueueReleases(t *testing.T) {
	s := newTestServer(t, Options{})
	c := s.newConn(plain)
	const frames = 5000
	for range frames {
		c.push(newBlock(gobwas.OpText, []byte("small")))
	}
	written := 0
	for len(c.queue.spans) > 0 {
		spans, _ := c.queue.take(s.options.writeMost(), vectorsMost)
		if len(spans) == 0 || len(spans) > vectorsMost {
			t.Fatalf("took %d spans", len(spans))
		}
		size := 0
		for _, span := range spans {
			size += span.size()
		}
		c.written(size, func(span) { written++ })
	}
	if written != frames || c.queue.bytes != 0 {
		t.Errorf("%d of %d frames were written, %d bytes wait", written, frames, c.queue.bytes)
	}
	if n := cap(c.queue.spans); n > spansKept {
		t.Errorf("the empty queue keeps room for %d spans", n)
	}
}

// TestReadersPace shows that a reader does not work on a message while the shard is far behind, and goes on when the
// shard has caught up: what clients put into its queue stays bounded.
func TestReadersPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTestServer(t, Options{})
		s := server.shards[0]
		c := server.newSocket(plain)
		c.session.EnterPlain(t.Context(), "r")
		s.inbox.Force(op{}, s.pace)

		done := false
		go func() { // ends when the shard's queue was taken; the test waits for it
			g := goroutines{conn: c}
			c.reading.decoder = c.newDecoder()
			c.reading.decoder.borrow(masked(fin|text, "hi"))
			if how, _, ended := c.decode(&g.headers, g.patient); ended {
				t.Error(how)
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

func (nowhere) Stats() hub.BrokerStats                    { return hub.BrokerStats{} }
func (nowhere) Start(context.Context, hub.Receiver) error { return nil }
func (nowhere) Close() error                              { return nil }
func (nowhere) Publish(*hub.Publication)                  {}
func (nowhere) Want(string, func()) bool                  { return true }
func (nowhere) Unwant(string)                             {}
