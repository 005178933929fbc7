//go:build unix && !short

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestHTTPRetriedElsewhere repeats a publication at another hub. In a log room it is stored once, whatever hub is asked; a
// live room keeps nothing, and publishes it again under the same id.
func TestHTTPRetriedElsewhere(t *testing.T) { bothKinds(t, "news", testHTTPRetriedElsewhere) }

func testHTTPRetriedElsewhere(t *testing.T, room string) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	a, b := dialPlain(t, hubs[0], room), dialPlain(t, hubs[1], room)
	publish := func(h *hub, key, text string) posted {
		t.Helper()
		return accepted(t, withKey(post(t, h, room, "", text), key), scopeOf(room))
	}
	first := publish(hubs[0], "k1", "hi")
	a.expectText("hi")
	b.expectText("hi")
	for _, h := range []*hub{hubs[1], hubs[0]} {
		again := publish(h, "k1", "hi again")
		if again.ID != first.ID || again.Position != first.Position || again.Duplicate != isLog(room) {
			t.Errorf("%+v, and again %+v", first, again)
		}
		if !isLog(room) {
			a.expectText("hi again")
			b.expectText("hi again")
		}
	}
	if other := publish(hubs[1], "k2", "other"); other.ID == first.ID || other.Duplicate {
		t.Errorf("%+v, and under another key %+v", first, other)
	}
	a.expectText("other")
	b.expectText("other")
	nothingElse(t, hubs, a, b)
}

// TestHTTPHistoryOfCluster reads at one hub what was published at another, chapter by chapter at either.
func TestHTTPHistoryOfCluster(t *testing.T) {
	t.Parallel()
	hubs := startCluster(t, redistest.New(t, redistest.Options{}), 2)
	for i, text := range numbered(1, 40) {
		accepted(t, post(t, hubs[i%2], "news", "", text), protocol.ScopeCluster)
	}
	first := hubs[0].history("news", "limit=1000").Messages[0].Position
	for i, h := range hubs {
		expectChapter(t, fmt.Sprint("hub ", i), h.history("news", "limit=1000"), numbered(1, 40)...)
	}
	at := first
	for n := range 3 {
		c := hubs[n%2].history("news", afterQuery(at, "limit=13"))
		expectChapter(t, fmt.Sprint("chapter ", n), c, numbered(2+13*n, 13)...)
		at = c.last(t)
	}
	expectChapter(t, "behind the end", hubs[1].history("news", afterQuery(at)))
	c := hubs[1].history("news", afterQuery("ANOTHERLOG:3", "limit=2"))
	if got := c.texts(t); !slices.Equal(got, numbered(1, 2)) || !c.Reset || c.Orphans != 0 {
		t.Errorf("of another log: %q, reset %v, orphans %d", got, c.Reset, c.Orphans)
	}
}

// TestHTTPIsolated publishes and reads at a hub that cannot reach Redis, and at both when it is back.
func TestHTTPIsolated(t *testing.T) {
	redis := redistest.New(t, redistest.Options{Config: onDisk})
	hubs := startCluster(t, redis, 2)
	near, far, live := dialPlain(t, hubs[0], "news"), dialPlain(t, hubs[1], "news"), dialPlain(t, hubs[0], "live.news")
	before := accepted(t, post(t, hubs[0], "news", "", "before"), protocol.ScopeCluster)
	near.expectText("before")
	far.expectText("before")

	redis.Kill()
	waitAll(hubs, true)
	accepted(t, post(t, hubs[0], "live.news", "", "live"), protocol.ScopeLive)
	live.expectText("live")
	without := accepted(t, post(t, hubs[0], "news", "", "without a key"), protocol.ScopeHub)
	near.expectText("without a key")
	// It may be a retry of what near has by the log, so that it is not shown.
	keyed := accepted(t, withKey(post(t, hubs[0], "news", "", "with a key"), "k1"), protocol.ScopeHub)
	if again := accepted(t, withKey(post(t, hubs[0], "news", "", "with a key"), "k1"), protocol.ScopeHub); again.ID != keyed.ID {
		t.Errorf("%+v, and again %+v", keyed, again)
	}
	again := accepted(t, withKey(post(t, hubs[1], "news", "", "with a key"), "k1"), protocol.ScopeHub)
	if again.ID != keyed.ID {
		t.Errorf("%+v, and at the other hub %+v", keyed, again)
	}
	for _, h := range hubs {
		if status, p := h.refusedHistory("news", ""); status != http.StatusServiceUnavailable || p.Code != "isolated" {
			t.Errorf("history: status %d, %+v", status, p)
		}
		if status, p := h.refusedHistory("live.news", ""); status != http.StatusConflict || p.Code != "no_history" {
			t.Errorf("history of a live room: status %d, %+v", status, p)
		}
	}

	redis.Start()
	waitAll(hubs, false)
	var log []pastMessage
	eventually(t, "all is stored", func() error {
		log = hubs[1].history("news", afterQuery(before.Position)).Messages
		if len(log) < 2 {
			return fmt.Errorf("the log has %+v", log)
		}
		return nil
	})
	byID := map[string]string{}
	for _, m := range log {
		byID[m.ID] = m.Position
	}
	if len(log) != 2 || byID[without.ID] == "" || byID[keyed.ID] == "" {
		t.Errorf("the log has %+v, want %+v and %+v once", log, without, keyed)
	}
	for _, h := range hubs {
		again := accepted(t, withKey(post(t, h, "news", "", "with a key"), "k1"), protocol.ScopeCluster)
		if want := (posted{keyed.ID, byID[keyed.ID], protocol.ScopeCluster, true}); again != want {
			t.Errorf("again when Redis is back: %+v, want %+v", again, want)
		}
	}
	near.expectText("with a key") // what has no key it was shown already
	got := []string{far.next().data, far.next().data}
	if slices.Sort(got); !slices.Equal(got, []string{"with a key", "without a key"}) {
		t.Errorf("elsewhere %q arrived", got)
	}
	talk(t, "afterwards", near, far)
	nothingElse(t, hubs, near, far, live)
}

// TestHTTPUnknown publishes at a hub whose Redis has just stopped to answer.
func TestHTTPUnknown(t *testing.T) {
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 2)
	near, far := dialPlain(t, hubs[0], "news"), dialPlain(t, hubs[1], "news")
	redis.Pause()
	status, p := ask(t, withKey(post(t, hubs[0], "news", "", "hi"), "k1"))
	if status != http.StatusGatewayTimeout || p.Code != "unknown" {
		t.Errorf("status %d, %+v", status, p)
	}
	waitAll(hubs, true)
	redis.Resume()
	waitAll(hubs, false)
	first := accepted(t, withKey(post(t, hubs[1], "news", "", "hi"), "k1"), protocol.ScopeCluster)
	near.expectText("hi")
	far.expectText("hi")
	log := hubs[0].history("news", "").Messages
	if len(log) != 1 || log[0].ID != first.ID || log[0].Position != first.Position {
		t.Errorf("the log has %+v, want %+v once", log, first)
	}
	talk(t, "afterwards", near, far)
	nothingElse(t, hubs, near, far)
}

// TestHTTPOutboxFull publishes more at a hub without Redis than that may keep.
func TestHTTPOutboxFull(t *testing.T) {
	t.Parallel()
	redis := redistest.Prepare(t, redistest.Options{})
	h := startHub(t, "--broker", redis.URL(), "--outbox", "100KiB")
	witness := dialPlain(t, h, "news")
	long := strings.Repeat("x", 60<<10)
	accepted(t, post(t, h, "news", "", long), protocol.ScopeHub)
	witness.expectText(long)
	for range 2 {
		if status, p := publish(t, h, "news", "", long); status != http.StatusServiceUnavailable || p.Code != "outbox_full" {
			t.Errorf("status %d, %+v", status, p)
		}
	}
	accepted(t, post(t, h, "news", "", "short"), protocol.ScopeHub)
	witness.expectText("short")
	redis.Start()
	h.waitIsolated(false)
	accepted(t, post(t, h, "news", "", long+"!"), protocol.ScopeCluster)
	witness.expectText(long + "!")
	if got := h.history("news", "").texts(t); !slices.Equal(got, []string{long, "short", long + "!"}) {
		t.Errorf("the log has %.100q", got)
	}
	nothingElse(t, []*hub{h}, witness)
}
