package ws

import (
	"net"
	"testing"

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
	if c.queue != nil && cap(c.queue) > framesKept {
		t.Errorf("the empty queue keeps room for %d frames", cap(c.queue))
	}
	_ = here.Close()
	_ = there.Close()
}
