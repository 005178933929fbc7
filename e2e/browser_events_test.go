//go:build unix && !short

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// browserReads has the page read a room's events at a hub as any page would, and keep what came.
const browserReads = `window.got = []; window.ids = []; window.names = []; window.opened = 0;
	window.source = new EventSource(%q);
	source.onopen = () => opened++;
	source.onmessage = e => { got.push(JSON.parse(e.data).data); ids.push(e.lastEventId) };
	for (const name of ["reset", "orphans", "gap"]) source.addEventListener(name, e => names.push(name + " " + e.data))`

// TestBrowserEvents reads a room's events in a browser, at a hub that is killed and started again, and then stopped in
// order and started again: each message comes once, in order.
func TestBrowserEvents(t *testing.T) {
	t.Parallel()
	redis := startLogRedis(t)
	hubs := startLogHubs(t, redis, 2)
	h, other := hubs[0], hubs[1]
	tab := browserOpen(t, browserStart(t), "events", startPage(t, h.URL()).URL())
	// The page's own policy lets it connect to its hub alone; it is of the hub's host name, so the hub lets it in.
	tab.run(fmt.Sprintf(browserReads, h.URL()+"/v1/rooms/news/events?history=2"))
	tab.until("opened === 1")
	n := 0
	publish := func(at *hub) {
		n++
		accepted(t, post(t, at, "news", "", fmt.Sprint(n)), protocol.ScopeCluster)
	}
	come := func() {
		t.Helper()
		tab.until(fmt.Sprintf("got.length >= %d", n))
		var want strings.Builder
		for i := range n {
			want.WriteString(fmt.Sprint(i+1, ","))
		}
		if got := browserGet[string](tab, "got.join(',') + ','"); got != want.String() {
			t.Fatalf("the page got %s, want %s", got, want.String())
		}
	}
	publish(h)
	publish(other)
	come()
	h.Kill()
	publish(other)
	tab.until("source.readyState === EventSource.CONNECTING")
	publish(other)
	h.Restart()
	come()
	h.Stop()
	publish(other)
	h.Restart()
	publish(h)
	come()
	if ids := browserGet[string](tab, "ids.map(id => id.replace(/.*:/, '')).join(' ')"); ids != "1 2 3 4 5 6" {
		t.Errorf("the ids are %s", ids)
	}
	if names := browserGet[string](tab, "names.join()"); names != "" {
		t.Errorf("the page was told %s", names)
	}
	tab.run("source.close()")
	eventually(t, "the stream is closed", func() error {
		if n := h.Metrics()["realtime_hub_connections"]; n != 0 {
			return fmt.Errorf("%v connections", n)
		}
		return nil
	})
}

// TestBrowserEventsOrigin has a page of another host name read events, which the hub does not let in.
func TestBrowserEventsOrigin(t *testing.T) {
	t.Parallel()
	h := startHub(t, "--allowed-origins", "http://elsewhere.example")
	tab := browserOpen(t, browserStart(t), "events", startPage(t, h.URL()).URL())
	tab.run(fmt.Sprintf(browserReads, h.URL()+"/v1/rooms/news/events"))
	tab.until("source.readyState === EventSource.CLOSED")
	if n := browserGet[int](tab, "opened"); n != 0 {
		t.Errorf("it was opened %d times", n)
	}
}
