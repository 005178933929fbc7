//go:build !short

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func browserTestRefused(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	_ = session.conn.Close(4501, "hello first")
	tab.state("refused")
	tab.until(`document.getElementById('connect').textContent === 'Connect'`)
	tab.until(`document.getElementById('banner').innerText.includes('reload it')`)
	tab.shot("refused")
	tab.connect()
	hub.next()
	if n := hub.opened.Load(); n != 2 {
		t.Errorf("the page opened %d connections, want 2: a refused page does not try by itself", n)
	}
	tab.quiet()
}

func browserTestUnanswered(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	tab.sendTyped("is anybody there?")
	session.send(`{"type":"there","room":"lobby","people":[],"count":1}`)
	session.await(protocol.TypePublish)
	session.conn.CloseNow()
	row := browserRow("sent", "is anybody there?")
	tab.until(row + "[0].innerText.includes('may not have arrived')")
	second := hub.next()
	second.send(`{"type":"there","room":"lobby","people":[],"count":1}`)
	tab.until(`document.querySelector('#messages > .gap')?.textContent.startsWith('disconnected for')`)
	tab.run(row + "[0].querySelector('button').click()")
	f := second.await(protocol.TypePublish)
	second.send(fmt.Sprintf(`{"type":"ack","key":%q,"id":"i","scope":"live"}`, f.Key))
	tab.until(row + "[0].dataset.state === 'sent'")
	if n := browserGet[int](tab, row+".length"); n != 1 {
		t.Errorf("%d rows of one message, want 1", n)
	}
	// A copy that comes back by another way is one's own all the same.
	second.send(fmt.Sprintf(`{"type":"message","room":"lobby","id":"i","from":{"id":"me1"},"hub":"hub2","time":%q,`+
		`"kind":"text","data":"is anybody there?"}`, protocol.FormatTime(time.Now())))
	second.message("lobby", "2", "hub2", "text", `"yes"`)
	tab.until(browserRow("received", "yes") + ".length === 1")
	if n := browserGet[int](tab, browserRow("received", "is anybody there?")+".length"); n != 0 {
		t.Errorf("one's own message is shown as received")
	}
	tab.quiet()
}

func browserTestError(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	tab.send("hello")
	f := session.await(protocol.TypePublish)
	session.send(fmt.Sprintf(`{"type":"error","code":"bad_data","message":"the data is bad","fix":"send other data",`+
		`"room":"lobby","key":%q}`, f.Key))
	row := browserRow("sent", "hello") + "[0]"
	tab.until(row + ".dataset.state === 'failed'")
	tab.until(row + ".innerText.includes('the data is bad. send other data')")
	tab.until(row + ".querySelector('button').textContent === 'Try again'")

	tab.run(`document.getElementById('message').value = 'é'.repeat(32769); document.getElementById('send').click()`)
	tab.until(`document.getElementById('message-error').textContent.includes('65,538 bytes')`)
	tab.run(`document.getElementById('message').value = 'é'.repeat(32768); document.getElementById('send').click()`)
	var data string
	if err := json.Unmarshal(session.await(protocol.TypePublish).Data, &data); err != nil || len(data) != 65536 {
		t.Errorf("published %d bytes (%v), want 65536", len(data), err)
	}
	tab.until(`document.getElementById('message-error').textContent === ''`)
	tab.quiet()
}

func browserTestBye(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.send(`{"type":"bye","retry":1}`)
	_ = session.conn.Close(4001, "")
	hub.next()
	tab.state("connected")
	tab.until(`document.getElementById('c-re').textContent === '1'`)
	tab.quiet()
}

func browserTestSilentHub(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.silent.Store(true)
	hub.next()
	tab.state("connected")
	tab.quiet()
}

func browserTestSecondHub(t *testing.T, browser context.Context) {
	away, second := browserNewHub(t, "hub1"), browserNewHub(t, "hub2")
	away.server.Close()
	tab := browserOpen(t, browser, "page", browserPage(t, away.server.URL, second.server.URL))
	tab.connect()
	second.next()
	tab.until(`document.getElementById('status').textContent.includes('hub2')`)
	tab.until(`document.getElementById('c-hub').textContent === 'hub2 (home does not answer)'`)
	tab.quiet("ERR_CONNECTION_REFUSED")
}

func browserTestUnreachable(t *testing.T, browser context.Context) {
	away := browserNewHub(t, "hub1")
	away.server.Close()
	tab := browserOpen(t, browser, "page", browserPage(t, away.server.URL))
	tab.do(chromedp.Click("#connect"))
	tab.state("reconnecting")
	tab.until(`document.getElementById('banner').innerText.includes('cannot be reached or does not accept this page')`)
	tab.until(`/^Reconnecting in \d+ s$/.test(document.getElementById('status').textContent)`)
	tab.shot("unreachable")
	tab.do(chromedp.Click("#connect"))
	tab.state("disconnected")
	tab.quiet("ERR_CONNECTION_REFUSED")
}

func browserTestIsolated(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.send(`{"type":"there","room":"lobby","people":[{"id":"me1"},{"id":"b","name":"Linus"}],"count":2}`)
	session.send(`{"type":"status","isolated":true}`)
	tab.state("isolated")
	tab.until(`document.getElementById('banner').innerText.includes('the 1 other in this room on hub1')`)
	tab.sendTyped("anyone on hub2?")
	f := session.await(protocol.TypePublish)
	session.send(fmt.Sprintf(`{"type":"ack","key":%q,"id":"i","scope":"live"}`, f.Key))
	tab.until(browserRow("sent", "anyone on hub2?") + "[0].innerText.includes('this hub only')")
	session.send(`{"type":"status","isolated":false}`)
	tab.state("connected")
	tab.until(`document.getElementById('banner').hidden`)
	tab.quiet()
}

func browserTestReload(t *testing.T, browser context.Context) {
	hub, tab, _ := browserConnected(t, browser)
	tab.do(chromedp.SendKeys("#name", "Ada\r"))
	tab.do(chromedp.Reload())
	tab.state("connected")
	hub.next()
	tab.until(`document.getElementById('name').value === 'Ada'`)
	tab.do(chromedp.Click("#connect"))
	tab.state("disconnected")
	tab.send("for later")
	tab.until(`document.getElementById('queue').textContent === '1 message queued'`)
	tab.do(chromedp.Reload())
	tab.until(browserRow("sent", "for later") + "[0]?.dataset.state === 'queued'")
	if state := browserGet[string](tab, `document.getElementById('status').dataset.state`); state != "disconnected" {
		t.Errorf("a page that was disconnected is %s after a reload", state)
	}
	tab.connect()
	if f := hub.next().await(protocol.TypePublish); string(f.Data) != `"for later"` {
		t.Errorf("published %s", f.Data)
	}
	if kept := browserGet[string](tab, "sessionStorage.getItem('hub.tab')"); kept != "null" {
		t.Errorf("sessionStorage holds %s while the page lives: a duplicated tab would take it", kept)
	}
	tab.quiet()
}

// browserTestGap has a hub drop what a page read too slowly.
func browserTestGap(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.message("lobby", "1", "hub1", "text", `"before"`)
	session.send(`{"type":"gap","room":"lobby","count":12}`)
	session.message("lobby", "2", "hub1", "text", `"after"`)
	tab.rows(">after", "-12 messages were lost here: this page read too slowly-", ">before")
	tab.quiet()
}
