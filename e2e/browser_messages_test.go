//go:build !short

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func browserTestNonsense(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	for _, text := range []string{
		"", "nonsense", "null", "[]", "5", `"x"`, `{}`, `{"type":5}`, `{"type":"later","room":"lobby"}`,
		`{"type":"message"}`, `{"type":"message","room":"elsewhere","data":"x"}`, `{"type":"there"}`,
		`{"type":"message","room":{},"from":7,"hub":[],"time":8,"kind":9,"data":{}}`,
		`{"type":"there","room":"lobby","people":[null,7,{"id":1},{"id":"a","name":{}}],"count":"many"}`,
		`{"type":"joined","room":"lobby"}`, `{"type":"ack"}`, `{"type":"ack","key":"unknown"}`,
		`{"type":"error"}`, `{"type":"pong"}`, `{"type":"pong","time":"yesterday"}`, `{"type":"bye","retry":"soon"}`,
		`{"type":"message","room":"lobby","id":"1","from":{"id":"x","name":"X"},"hub":"h","time":"never","kind":"text",` +
			`"data":"odd time"}`,
	} {
		session.send(text)
	}
	session.message("lobby", "1", "hub2", "text", `"after it all"`)
	tab.until(browserRow("received", "after it all") + ".length === 1")
	tab.until(browserRow("received", "odd time") + ".length === 1")
	if n := browserGet[int](tab, "document.querySelectorAll('#messages > li[data-direction]').length"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	tab.quiet()
}

func browserTestKinds(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	const markup = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`
	text, _ := json.Marshal(markup)
	session.message("lobby", "1", "hub2", "text", string(text))
	session.message("lobby", "2", "hub1", "json", `{"a":[1,"<b>"]}`)
	session.message("lobby", "3", "hub1", "binary", `"AAECAwQFBgc="`)
	session.message("lobby", "4", "hub1", "text", `"see https://example.com/a?b=1&c=2, or javascript:alert(1) or ftp://x"`)
	session.message("lobby", "5", "hub1", "text", `"مرحبا من المحور الثاني"`)
	session.message("lobby", "6", "hub1", "text", `"`+strings.Repeat("long", 500)+`"`)
	tab.until(`document.querySelectorAll('#messages > li[data-direction=received]').length === 6`)
	got := browserGet[[]string](tab, `[...document.querySelectorAll('#messages .text')].map(p => p.textContent)`)
	want := []string{3: "Binary data, 8 bytes, is not shown here", 4: "{\n  \"a\": [\n    1,\n    \"<b>\"\n  ]\n}", 5: markup}
	for i, text := range want {
		if text != "" && got[i] != text {
			t.Errorf("row %d shows %q, want %q", i, got[i], text)
		}
	}
	links := browserGet[[]string](tab, `[...document.querySelectorAll('#messages a')].map(a => a.href + ' ' + a.rel)`)
	if len(links) != 1 || links[0] != "https://example.com/a?b=1&c=2 noopener noreferrer nofollow ugc" {
		t.Errorf("links are %q", links)
	}
	path := browserGet[[]string](tab, `[...document.querySelectorAll('#messages .path')].map(p => p.textContent)`)
	if path[5] != "hub2 → hub1" || path[0] != "hub1" {
		t.Errorf("paths are %q", path)
	}
	if wide := browserGet[bool](tab, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("a long word makes the page wider than the window")
	}
	session.send(`{"type":"there","room":"lobby","count":300}`)
	tab.until(`document.getElementById('people-note').textContent.startsWith('300 people')`)
	tab.quiet()
}

func browserTestRooms(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	if f := session.await(protocol.TypeJoin); f.Room != "lobby" {
		t.Errorf("the page joins %q first, want the lobby", f.Room)
	}
	tab.do(chromedp.SendKeys("#new-room", "not a room\r"))
	tab.until(`document.getElementById('room-error').textContent.includes('1 to 128')`)
	tab.run(`document.getElementById('new-room').value = ''`)
	tab.do(chromedp.SendKeys("#new-room", "ops\r"))
	if f := session.await(protocol.TypeJoin); f.Room != "ops" {
		t.Errorf("the page joins %q, want ops", f.Room)
	}
	tab.until(`location.hash === '#room=ops'`)
	session.message("lobby", "1", "hub1", "text", `"one"`)
	session.message("lobby", "2", "hub1", "text", `"two"`)
	tab.until(`document.querySelector('#rooms .badge').textContent === '2'`)
	tab.until(`document.title === '(2) #ops · Realtime Hub'`)
	tab.run(`document.querySelector('#rooms .room').click()`)
	tab.until(browserRow("received", "two") + ".length === 1")
	tab.until(`document.title === '#lobby · Realtime Hub'`)
	tab.until(`document.querySelector('#rooms .badge').textContent === ''`)
	tab.run(`document.querySelector('#rooms [aria-label="Leave #ops"]').click()`)
	if f := session.await(protocol.TypeLeave); f.Room != "ops" {
		t.Errorf("the page leaves %q, want ops", f.Room)
	}
	tab.run(`location.hash = '#room=from-the-address'`)
	if f := session.await(protocol.TypeJoin); f.Room != "from-the-address" {
		t.Errorf("the page joins %q, want the room in the address", f.Room)
	}
	tab.run(`location.hash = '#room=<b>'`)
	tab.until(`document.getElementById('room-error').textContent.includes('1 to 128')`)
	tab.quiet()
}

func browserTestList(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	for i := range 520 {
		session.message("lobby", fmt.Sprint(i), "hub1", "text", fmt.Sprintf(`"m%d"`, i))
	}
	tab.until(`document.querySelector('#messages > li .text')?.textContent === 'm519'`)
	if n := browserGet[int](tab, "document.getElementById('messages').childElementCount"); n != 500 {
		t.Errorf("the list has %d rows, want 500", n)
	}
	// Who reads further down is not moved, and is told.
	tab.run(`addEventListener('scroll', () => { window.scrolled = true }); scrollTo(0, 4000)`)
	tab.until(`window.scrolled && scrollY === 4000`)
	at := browserGet[float64](tab, browserRow("received", "m480")+"[0].getBoundingClientRect().top")
	session.message("lobby", "a", "hub1", "text", `"above"`)
	session.message("lobby", "b", "hub1", "text", `"above too"`)
	tab.until(`document.getElementById('jump').textContent === '↑ 2 new messages'`)
	tab.until(fmt.Sprintf("Math.abs(%s[0].getBoundingClientRect().top - %f) < 2", browserRow("received", "m480"), at))
	tab.do(chromedp.Click("#jump"))
	tab.until(`scrollY === 0 && document.getElementById('jump').hidden`)

	tab.send("mine")
	tab.until(browserRow("sent", "mine") + ".length === 1")
	tab.run(`document.querySelector('#show [value=sent]').click()`)
	if n := browserGet[int](tab, "[...document.querySelectorAll('#messages > li')].filter(li => li.offsetHeight).length"); n != 1 {
		t.Errorf("the filter Sent shows %d rows, want 1", n)
	}
	tab.run(`document.querySelector('#show [value=all]').click()`)

	// Looked away, and back.
	tab.run(`Object.defineProperty(document, 'hidden', {value: true, configurable: true})`)
	session.message("lobby", "c", "hub1", "text", `"unseen"`)
	tab.until(`document.title.startsWith('(1)')`)
	second := browserGet[string](tab, `document.querySelectorAll('#messages > li')[1].textContent`)
	if second != "new since you looked away" {
		t.Errorf("below the unseen message stands %q", second)
	}
	tab.run(`delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))`)
	tab.until(`document.title.startsWith('#lobby')`)

	tab.until(`/new message/.test(document.getElementById('announcer').textContent)`)
	tab.quiet()
}

func browserTestKeys(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	tab.do(chromedp.SendKeys("#new-room", "ops\r"))
	session.send(`{"type":"there","room":"ops","people":[],"count":1,"log":false}`)
	focus := func(id string) { tab.until(fmt.Sprintf("document.activeElement.id === %q", id)) }
	// Without the character that chromedp types after a key even where the page dealt with it.
	tab.run(`document.activeElement.blur(); document.body.dispatchEvent(` +
		`new KeyboardEvent('keydown', {key: '/', bubbles: true, cancelable: true}))`)
	focus("message")
	tab.do(chromedp.KeyEvent("two"), chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierShift)),
		chromedp.KeyEvent("lines/?"))
	tab.until(`document.getElementById('message').value === 'two\nlines/?'`)
	tab.do(chromedp.KeyEvent("\r"))
	if f := session.await(protocol.TypePublish); string(f.Data) != `"two\nlines/?"` || f.Room != "ops" {
		t.Errorf("published %s in %s", f.Data, f.Room)
	}
	tab.until(`document.getElementById('message').value === ''`)
	tab.do(chromedp.KeyEvent("  \r")) // nothing to send
	tab.do(chromedp.KeyEvent(kb.Escape))
	focus("messages")
	for _, step := range []struct{ key, room string }{
		{kb.ArrowUp, "lobby"}, {kb.ArrowUp, "ops"}, {kb.ArrowDown, "lobby"}, {kb.ArrowDown, "ops"},
	} {
		tab.do(chromedp.KeyEvent(step.key, chromedp.KeyModifiers(chromedp.ModifierAlt)))
		tab.until(fmt.Sprintf("document.querySelector('#rooms [aria-current]').textContent === '#%s'", step.room))
	}
	for i := range 50 {
		session.message("ops", fmt.Sprint(i), "hub1", "text", fmt.Sprintf(`"m%d"`, i))
	}
	tab.until(`document.querySelectorAll('#messages > li').length === 51`)
	tab.run(`scrollTo(0, 1000)`)
	tab.until(`scrollY === 1000`)
	tab.do(chromedp.KeyEvent(kb.Home))
	tab.until(`scrollY === 0`)
	tab.do(chromedp.KeyEvent("?"))
	tab.until(`document.getElementById('help').open`)
	tab.do(chromedp.KeyEvent(kb.Escape))
	tab.until(`!document.getElementById('help').open`)
	tab.quiet()
}

func browserTestDays(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	for _, day := range []string{"2026-03-01T12:00:00.000Z", "2026-03-01T12:00:01.000Z", "2026-03-02T12:00:00.000Z"} {
		session.send(fmt.Sprintf(`{"type":"message","room":"lobby","id":%q,"from":{"id":"x"},"hub":"h","time":%q,`+
			`"kind":"text","data":%q}`, day, day, day))
	}
	tab.until(`document.querySelectorAll('#messages > li').length === 4`)
	if line := browserGet[string](tab, `document.querySelectorAll('#messages > li')[1].textContent`); line !=
		"Sunday, March 1, 2026" {
		t.Errorf("between two days stands %q", line)
	}
	tab.quiet()
}
