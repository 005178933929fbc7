//go:build !short

package e2e

import (
	"context"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func browserTestOwn(t *testing.T, browser context.Context) {
	hub := browserNewHub(t, "hub1")
	tab := browserOpen(t, browser, "page", browserPage(t, hub.server.URL))
	tab.send("mine")
	tab.rows("queued mine")
	tab.connect()
	session := hub.next()
	session.enter("E:1")
	session.send(`{"type":"status","isolated":true}`)
	f := session.await(protocol.TypePublish)
	session.ack(f, "hub")
	tab.rows("hub mine")
	tab.until(browserRow("sent", "mine") + "[0].innerText.includes('this hub only')")
	session.send(browserEntry("others", browserKept))
	tab.rows(">hub others", "hub mine")
	// It stays what it is until it is stored, and is sent to the next hub.
	session.conn.CloseNow()
	session = hub.next()
	session.enter("E:2", browserEntry("two", browserAt(2)))
	again := session.await(protocol.TypePublish)
	if again.Key != f.Key || browserBirth(again) != "" {
		t.Errorf("sent again under %q, born at %q, want %q and no birth", again.Key, browserBirth(again), f.Key)
	}
	tab.rows(">two", ">hub others", "hub mine")
	session.ack(again, "cluster", browserAt(3))
	session.ack(again, "cluster", browserAt(3), `"duplicate":true`)
	session.send(browserEntry("others", browserAt(4)))
	tab.rows(">others", "stored mine", ">two")
	tab.until(browserRow("sent", "mine") + "[0].innerText.includes('stored')")
	if n := browserGet[string](tab, `document.getElementById('queue').textContent`); n != "" {
		t.Errorf("the page says %q", n)
	}
	tab.quiet()
}

func browserTestRetries(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	session.send(browserEntry("two", browserAt(2)))
	tab.rows(">two")
	tab.send("mine")
	first := session.await(protocol.TypePublish)
	session.send(browserEntry("three", browserAt(3)))
	next := func(why string) {
		t.Helper()
		f := session.await(protocol.TypePublish)
		if f.Key != first.Key || browserBirth(f) != "E:2" {
			t.Errorf("after %s it is sent under %q, born at %s, want %q at E:2", why, f.Key, browserBirth(f), first.Key)
		}
	}
	next("a time-out")
	session.fail(first, "unknown")
	tab.until(browserRow("sent", "mine") + "[0].innerText.includes('it is unknown')")
	next("unknown")
	session.fail(first, "outbox_full")
	next("outbox_full")
	session.fail(first, "refused") // by this try
	next("a refusal of a later try")
	tab.rows("sending mine", ">three", ">two")
	session.ack(first, "cluster", browserAt(4))
	tab.rows("stored mine", ">three", ">two")
	tab.quiet()
}

func browserTestRefusals(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	tab.send("mine")
	f := session.await(protocol.TypePublish)
	session.fail(f, "refused")
	tab.rows("failed mine")
	session.send(browserEntry("two", browserAt(2)))
	tab.rows(">two", "failed mine")
	tab.run(browserRow("sent", "mine") + "[0].querySelector('button').click()")
	tab.rows("sending mine", ">two")
	again := session.await(protocol.TypePublish)
	if again.Key == f.Key || again.Birth != nil {
		t.Error("Try again sends under the old key")
	}
	session.ack(again, "cluster", browserAt(3))
	tab.rows("stored mine", ">two")
	tab.quiet()
}

func browserTestGivenUp(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	tab.send("mine")
	f := session.await(protocol.TypePublish)
	session.send(browserEntry("kept", browserKept))
	tab.rows(">hub kept", "sending mine")
	tab.run(`const now = performance.now.bind(performance); performance.now = () => now() + 11 * 60000`)
	tab.rows(">hub kept", "failed mine")
	tab.until(browserRow("sent", "mine") + "[0].innerText.includes('may have arrived')")
	session.send(browserEntry("two", browserAt(2)))
	tab.rows(">two", ">hub kept", "failed mine")
	// It came after all.
	session.ack(f, "cluster", browserAt(3))
	tab.rows("stored mine", ">two", ">hub kept")
	tab.quiet()
}

func browserTestForgotten(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	tab.send("one")
	session.ack(session.await(protocol.TypePublish), "cluster", browserAt(2))
	tab.rows("stored one")
	tab.send("two")
	two := session.await(protocol.TypePublish)
	hub.forgets.Store(true)
	session.conn.CloseNow()
	tab.state("reconnecting")
	tab.send("three")
	session = hub.next()
	session.enter("E:4", browserEntryOf("me1", "me1/"+two.Key, "two", browserAt(3)),
		browserEntryOf("me1", "me1/lost", "unknown here", browserAt(4)))
	if f := session.await(protocol.TypePublish); string(f.Data) != `"three"` {
		t.Errorf("sent again under another id: %s", f.Data)
	}
	tab.rows("sending three", "stored unknown here", "stored two", "stored one")
	tab.quiet()
}

func browserTestDisplaced(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	_ = session.conn.Close(4514, "displaced")
	tab.state("refused")
	tab.until(`document.getElementById('banner').innerText.includes("another tab took this one's place")`)
	tab.quiet()
}

// browserTestNotJoined has a hub that refuses the join after a cut: its answers are not the next of a stream.
func browserTestNotJoined(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	tab.send("one")
	session.ack(session.await(protocol.TypePublish), "cluster", browserAt(2))
	tab.rows("stored one")
	session.conn.CloseNow()
	session = hub.next()
	session.send(`{"type":"error","room":"lobby","code":"too_many_requests","message":"too many","fix":"wait"}`)
	tab.until(`document.getElementById('room-error').textContent === '#lobby: too many. wait'`)
	tab.send("two")
	session.ack(session.await(protocol.TypePublish), "cluster", browserAt(9))
	tab.rows("stored two", "stored one")
	session.conn.CloseNow()
	if join := hub.next().await(protocol.TypeJoin); join.Position != "E:2" {
		t.Errorf("the page resumes at %q, want E:2: it has nothing of what is between", join.Position)
	}
	tab.quiet()
}
