package ws_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/streamtest"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// counted are streams of snapshots, each with its number and a text that is in no other.
type counted struct {
	*testHub
	http  *httptest.Server
	taken atomic.Int64
}

// countSnapshots starts a hub that serves streams of snapshots of about size bytes. One that is taken while nobody listens
// fails the test.
func countSnapshots(t *testing.T, every time.Duration, size int, o ws.Options) *counted {
	t.Helper()
	c := &counted{testHub: startHub(t, newBus(), "hub1", o)}
	c.http = httptest.NewServer(c.ws.Snapshots(func() []byte {
		if c.ws.Stats().Connections.Snapshots == 0 {
			t.Error("a snapshot is taken, and nobody listens")
		}
		return fmt.Appendf(nil, "%d %s%s", c.taken.Add(1), rand.Text(), strings.Repeat("x", size))
	}, every))
	t.Cleanup(c.http.Close)
	return c
}

func (c *counted) open(t *testing.T) *stream {
	t.Helper()
	s, err := streamtest.Open(t.Context(), c.http.Listener.Addr().String(), "/", "", patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	out := &stream{s, t}
	if e := out.next(); e.Retry < 500 || e.Data != "" {
		t.Fatalf("the stream begins with %+v", e)
	}
	return out
}

// snapshot returns the next snapshot and its number.
func (s *stream) snapshot() (n int, text string) {
	s.t.Helper()
	e := s.next()
	if _, err := fmt.Sscanf(e.Data, "%d", &n); err != nil || e.ID != "" || e.Type != "message" {
		s.t.Fatalf("got %+v, %v", e, err)
	}
	return n, e.Data
}

// ticks reports whether a goroutine takes snapshots.
func ticks() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*snapshots).tick")
}

// TestSnapshotsShared has two listeners: both are told the same, and each gets what there is at once.
func TestSnapshotsShared(t *testing.T) {
	idle := countSnapshots(t, time.Hour, 0, ws.Options{})
	_, first := idle.open(t).snapshot()
	_, second := idle.open(t).snapshot()
	if first != second || idle.taken.Load() != 1 {
		t.Errorf("between two ticks: %q, %q, and %d snapshots", first, second, idle.taken.Load())
	}
	busy := countSnapshots(t, 5*time.Millisecond, 0, ws.Options{})
	a, b := busy.open(t), busy.open(t)
	told, last, common := map[int]string{}, 0, 0
	for range 200 {
		n, text := a.snapshot()
		if n <= last {
			t.Fatalf("%d follows %d", n, last)
		}
		told[n], last = text, n
	}
	for from, to := 0, last; from < to; {
		n, text := b.snapshot()
		if n <= from {
			t.Fatalf("%d follows %d", n, from)
		}
		from = n
		if other, ok := told[n]; ok {
			if common++; other != text {
				t.Fatalf("one got %q, the other %q", other, text)
			}
		}
	}
	if common == 0 {
		t.Errorf("no snapshot came to both")
	}
}

// TestSnapshotsForNobody shows that none is taken where nobody listens, and no goroutine is left to do so.
func TestSnapshotsForNobody(t *testing.T) {
	h := countSnapshots(t, time.Millisecond, 0, ws.Options{})
	if h.taken.Load() != 0 || ticks() {
		t.Fatal("snapshots are taken before anybody listened")
	}
	head, err := http.Head(h.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	head.Body.Close()
	if head.StatusCode != http.StatusOK || h.taken.Load() != 0 {
		t.Errorf("HEAD: status %d, %d snapshots", head.StatusCode, h.taken.Load())
	}
	for range 3 {
		before := int(h.taken.Load())
		a, b := h.open(t), h.open(t)
		if n, _ := a.snapshot(); n <= before {
			t.Errorf("the first after %d is %d", before, n)
		}
		b.snapshot()
		if got := h.ws.Stats().Connections; got != (ws.Connections{Snapshots: 2}) {
			t.Errorf("connections %+v", got)
		}
		a.Close()
		eventually(t, "one is gone", func() bool { return h.ws.Stats().Connections.All() == 1 })
		now, _ := b.snapshot()
		for n := now; n < now+5; {
			n, _ = b.snapshot()
		}
		b.Close()
		eventually(t, "both are gone", func() bool { return h.ws.Stats().Connections.All() == 0 })
		eventually(t, "no goroutine takes snapshots", func() bool { return !ticks() })
	}
}

// TestSnapshotsShutdown ends streams in order, and tells when to come back.
func TestSnapshotsShutdown(t *testing.T) {
	h := countSnapshots(t, time.Hour, 0, ws.Options{})
	s, held := h.open(t), dialPlain(t, h.testHub, "live.a")
	s.snapshot()
	done := make(chan struct{}) // closed when the shutdown is over
	go func() {
		defer close(done)
		h.stop(t)
	}()
	if e := s.next(); e.Retry < 0 || e.Retry > 10_000 {
		t.Errorf("got %+v, want when to come back", e)
	}
	s.closed(protocol.CodeDraining)
	s.Close()
	late, err := http.Get(h.http.URL) // another holds the shutdown up
	if err != nil {
		t.Fatal(err)
	}
	defer late.Body.Close()
	body, err := io.ReadAll(late.Body)
	if err != nil || late.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "retry: ") || h.taken.Load() != 1 {
		t.Errorf("who came late got %v, %q, %v, and %d snapshots were taken", late, body, err, h.taken.Load())
	}
	held.wantClose(protocol.CodeDraining)
	<-done
	if ticks() {
		t.Error("a goroutine is left that takes snapshots")
	}
}

// TestSnapshotsTooSlow has one that does not read, and one that does. The first never counts as slow, as no more than the
// newest waits for it, and is ended by the write time-out; the other hears all the time.
func TestSnapshotsTooSlow(t *testing.T) {
	const size = 64 << 10
	h := countSnapshots(t, time.Millisecond, size, ws.Options{WriteTimeout: 300 * time.Millisecond, SendQueue: 6 * size})
	h.open(t) // and never read
	other := h.open(t)
	for h.ws.Stats().Closed[protocol.CodeTooSlow] == 0 {
		other.snapshot()
		if n := h.ws.Stats().SlowConsumers; n != 0 {
			t.Fatalf("%d slow consumers: more waits than the newest", n)
		}
	}
	eventually(t, "it is gone", func() bool { return h.ws.Stats().Connections == ws.Connections{Snapshots: 1} })
	if stats := h.ws.Stats(); stats.Closed[protocol.CodeTooSlow] != 1 || stats.Dropped[hub.DropSendQueue] != 0 {
		t.Errorf("closed %v, dropped %v", stats.Closed, stats.Dropped)
	}
	other.snapshot()
}
