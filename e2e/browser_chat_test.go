//go:build !short

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// browserCluster is what a user of the walk-through has: two hubs on one Redis, a page in front of each, and three
// people at each page.
type browserCluster struct {
	redis *redistest.Server
	hubs  [2]*hub
	tabs  []*browserTab // the first three on hub1's page, the others on hub2's
}

func browserNewCluster(t *testing.T) *browserCluster {
	t.Helper()
	// What is acknowledged is on disk: killed, this Redis loses nothing.
	keeps := redistest.Options{Config: []string{"appendonly yes", "appendfsync always"}}
	c := &browserCluster{redis: redistest.New(t, keeps)}
	browser := browserStart(t)
	names := []string{"Ada", "Linus", "Mallory", "Grace", "سارة", "Edsger"}
	for i := range c.hubs {
		c.hubs[i] = startHub(t, "--name", fmt.Sprintf("hub%d", i+1), "--broker", c.redis.URL())
		page := startPage(t, c.hubs[i].URL())
		for _, name := range names[i*3 : i*3+3] {
			// By the name that a person types: the hub is then addressed by it too, or its Origin rule would refuse.
			url := strings.Replace(page.URL(), "127.0.0.1", "localhost", 1)
			tab := browserOpen(t, browser, name, url)
			tab.do(chromedp.SendKeys("#name", name+"\r"))
			c.tabs = append(c.tabs, tab)
		}
	}
	for _, hub := range c.hubs {
		hub.waitIsolated(false)
	}
	return c
}

func TestBrowserChat(t *testing.T) {
	t.Parallel()
	c := browserNewCluster(t)
	for _, tab := range c.tabs {
		tab.connect()
	}
	for i, tab := range c.tabs {
		tab.until(`document.getElementById('people-title').textContent === 'People · 6'`)
		own := i/3 + 1
		tab.until(fmt.Sprintf(`[...document.querySelectorAll('#people .hub')].map(e => e.textContent).join() === %q`,
			strings.Repeat(fmt.Sprintf("hub%d,", own), 3)+strings.TrimSuffix(strings.Repeat(fmt.Sprintf("hub%d,", 3-own), 3), ",")))
	}
	t.Run("names", func(t *testing.T) { c.testNames(t) })
	t.Run("each to all others", func(t *testing.T) { c.testAll(t) })
	t.Run("path and latency", func(t *testing.T) { c.testPath(t) })
	t.Run("appearance", func(t *testing.T) { c.testAppearance(t) })
	t.Run("reload", func(t *testing.T) { c.testReload(t) })
	t.Run("Redis away", func(t *testing.T) { c.testIsolated(t) })
	t.Run("hub killed", func(t *testing.T) { c.testKilled(t) })
	for _, tab := range c.tabs {
		tab.quiet("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET")
	}
}

// testAll sends from each tab, markup included, and counts.
func (c *browserCluster) testAll(t *testing.T) {
	texts := make([]string, len(c.tabs))
	for i, sender := range c.tabs {
		texts[i] = fmt.Sprintf("<b>hello</b> from %s", sender.name)
		sender.send(texts[i])
		for _, tab := range c.tabs {
			// On top, at once: nothing else is sent meanwhile.
			tab.until(fmt.Sprintf("document.querySelector('#messages > li[data-direction] .text')?.textContent === %q", texts[i]))
		}
		sender.until(browserRow("sent", texts[i]) + "[0].dataset.state === 'stored'")
	}
	for i, tab := range c.tabs {
		for j, text := range texts {
			received, sent := 1, 0
			if i == j {
				received, sent = 0, 1
			}
			if n := browserGet[int](tab, browserRow("received", text)+".length"); n != received {
				t.Errorf("%s has %q received %d times, want %d", tab.name, text, n, received)
			}
			if n := browserGet[int](tab, browserRow("sent", text)+".length"); n != sent {
				t.Errorf("%s has %q sent %d times, want %d", tab.name, text, n, sent)
			}
		}
		if n := browserGet[int](tab, "document.querySelectorAll('#messages b, #people b').length"); n != 0 {
			t.Errorf("markup in a message became %d elements", n)
		}
	}
}

// testNames has one of them take another name, which the others of the hub see, and oneself.
func (c *browserCluster) testNames(_ *testing.T) {
	c.tabs[1].run(`document.getElementById('name').select()`)
	c.tabs[1].do(chromedp.SendKeys("#name", "Tux\r"))
	for i, want := range []string{
		"AAda (you)hub1,MMalloryhub1,TTuxhub1", "AAdahub1,MMalloryhub1,TTux (you)hub1", "AAdahub1,MMallory (you)hub1,TTuxhub1",
	} {
		c.tabs[i].until(fmt.Sprintf(`[...document.querySelectorAll('#people li')].slice(0, 3).map(li => li.textContent).join() === %q`, want))
	}
	c.tabs[1].run(`document.getElementById('name').select()`)
	c.tabs[1].do(chromedp.SendKeys("#name", "Linus\r"))
	c.tabs[0].until(`document.querySelectorAll('#people li')[1].textContent === 'LLinushub1'`)
}

// testPath looks at what is told of how a message came.
func (c *browserCluster) testPath(t *testing.T) {
	here := browserGet[string](c.tabs[0], browserRow("received", "<b>hello</b> from Linus")+"[0].querySelector('.how').textContent")
	there := browserGet[string](c.tabs[0], browserRow("received", "<b>hello</b> from Grace")+"[0].querySelector('.how').textContent")
	for _, how := range []struct{ got, path string }{{here, "hub1"}, {there, "hub2 → hub1"}} {
		var ms int
		if _, err := fmt.Sscanf(how.got, how.path+"%d ms", &ms); err != nil && how.got != how.path+"<1 ms" {
			t.Errorf("a message by %s says %q", how.path, how.got)
		}
	}
}

// testReload loads a page again: it is the same client, and has the same messages, of which its own are its own.
func (c *browserCluster) testReload(t *testing.T) {
	tab, other := c.tabs[1], c.tabs[0]
	texts := `JSON.stringify([...document.querySelectorAll('#messages > li[data-direction]')].map(` +
		`li => li.dataset.direction + ' ' + li.querySelector('.text').textContent))`
	before := browserGet[string](tab, texts)
	tab.do(chromedp.Reload())
	tab.state("connected")
	tab.until(fmt.Sprintf("%s === %q", texts, before))
	tab.until(`document.querySelectorAll('#people li').length === 6`)
	other.until(`document.querySelectorAll('#people li').length === 6`)
	other.send("back already?")
	tab.until(browserRow("received", "back already?") + ".length === 1")
}

// once fails the test where a tab has not exactly one row of text.
func (c *browserCluster) once(t *testing.T, sender *browserTab, text string) {
	t.Helper()
	for _, tab := range c.tabs {
		direction, other := "received", "sent"
		if tab == sender {
			direction, other = other, direction
		}
		tab.until(browserRow(direction, text) + ".length > 0")
		n, m := browserGet[int](tab, browserRow(direction, text)+".length"), browserGet[int](tab, browserRow(other, text)+".length")
		if n != 1 || m != 0 {
			t.Errorf("%s has %q %d times as %s and %d times as %s", tab.name, text, n, direction, m, other)
		}
	}
}

// sameOrder fails the test where the newest messages of the tabs are not the same, or there is a gap.
func (c *browserCluster) sameOrder(t *testing.T) {
	t.Helper()
	const newest = `[...document.querySelectorAll('#messages .text')].slice(0, 6).map(p => p.textContent).join('|')`
	want := browserGet[string](c.tabs[0], newest)
	for _, tab := range c.tabs {
		if got := browserGet[string](tab, newest); got != want {
			t.Errorf("%s has %q, and %s has %q", tab.name, got, c.tabs[0].name, want)
		}
		if n := browserGet[int](tab, `document.querySelectorAll('#messages > .gap').length`); n != 0 {
			t.Errorf("%s says that messages are missing", tab.name)
		}
	}
}

// testIsolated takes Redis away and gives it back.
func (c *browserCluster) testIsolated(t *testing.T) {
	c.redis.Kill()
	for _, tab := range c.tabs {
		tab.state("isolated")
	}
	sender, here, there := c.tabs[0], c.tabs[1:3], c.tabs[3:]
	sender.sendTyped("anyone on hub2?")
	for _, tab := range here {
		tab.until(browserRow("received", "anyone on hub2?") + "[0]?.innerText.includes('this hub only')")
	}
	sender.until(browserRow("sent", "anyone on hub2?") + "[0].innerText.includes('this hub only')")
	sender.until(`document.getElementById('banner').innerText.includes('the 2 others in this room on hub1')`)
	there[0].send("we are cut off too")
	there[1].until(browserRow("received", "we are cut off too") + ".length === 1")
	sender.until(`[...document.querySelectorAll('#people [data-away] .hub')].map(e => e.textContent).join() === 'hub2,hub2,hub2'`)
	sender.scheme("dark")
	sender.shot("chat-isolated-dark")
	sender.scheme("light")

	c.redis.Start()
	for _, tab := range c.tabs {
		tab.state("connected")
	}
	sender.until(browserRow("sent", "anyone on hub2?") + "[0].dataset.state === 'stored'")
	there[0].until(browserRow("sent", "we are cut off too") + "[0].dataset.state === 'stored'")
	sender.send("back again")
	for _, tab := range c.tabs[1:] {
		tab.until(browserRow("received", "back again") + ".length === 1")
		tab.until(`document.querySelectorAll('#messages [data-state=hub]').length === 0`)
	}
	c.once(t, sender, "anyone on hub2?")
	c.once(t, there[0], "we are cut off too")
	c.sameOrder(t)
}

// testKilled kills hub1 and starts it again at the same address.
func (c *browserCluster) testKilled(t *testing.T) {
	c.hubs[0].Kill()
	for _, tab := range c.tabs[:3] {
		tab.state("reconnecting")
	}
	sender, other := c.tabs[0], c.tabs[3]
	other.send("said meanwhile")
	other.until(browserRow("sent", "said meanwhile") + "[0].dataset.state === 'stored'")
	sender.send("written offline")
	sender.send("and this")
	sender.until(`document.getElementById('queue').textContent === '2 messages queued'`)
	sender.until(browserRow("sent", "written offline") + "[0].dataset.state === 'queued'")
	sender.do(chromedp.EmulateViewport(360, 780))
	sender.shot("chat-reconnecting-360")
	sender.do(chromedp.EmulateViewport(1180, 960))

	c.hubs[0].Restart()
	c.hubs[0].waitIsolated(false)
	for _, tab := range c.tabs[:3] {
		tab.do(chromedp.Evaluate[chromedp.Void](`document.getElementById('retry').click()`))
		tab.state("connected")
	}
	sender.until(browserRow("sent", "and this") + "[0].dataset.state === 'stored'")
	sender.until(`document.getElementById('queue').textContent === ''`)
	c.once(t, other, "said meanwhile")
	c.once(t, sender, "written offline")
	c.once(t, sender, "and this")
	c.sameOrder(t)
	sender.shot("chat-reconnected")
}

// TestBrowserProxy has a page whose WebSocket goes by its own server, and which cannot know where the hub is.
func TestBrowserProxy(t *testing.T) {
	t.Parallel()
	hub := startHub(t, "--name", "hub1")
	addr := freeAddr(t)
	page := startServer(t, addr, "hubclient", "--listen", addr, "--hub", hub.URL(), "--proxy")
	browser := browserStart(t)
	ada := browserOpen(t, browser, "Ada", page.URL())
	grace := browserOpen(t, browser, "Grace", page.URL())
	for _, tab := range []*browserTab{ada, grace} {
		tab.connect()
	}
	ada.send("by one port")
	grace.until(browserRow("received", "by one port") + ".length === 1")
	grace.send("indeed")
	ada.until(browserRow("received", "indeed") + ".length === 1")
	page.Stop()
	ada.state("reconnecting")
	ada.quiet("ERR_CONNECTION_REFUSED")
	grace.quiet("ERR_CONNECTION_REFUSED")
}

// testAppearance measures contrast and targets, in light, dark and on a small screen, and takes the pictures.
func (c *browserCluster) testAppearance(t *testing.T) {
	tab, other := c.tabs[0], c.tabs[3]
	tab.do(chromedp.SendKeys("#new-room", "deploys\r"))
	tab.send("watching")
	tab.until(browserRow("sent", "watching") + "[0]?.dataset.state === 'stored'") // so what comes is new to it
	tab.run(`document.querySelector('#rooms .room').click()`)
	other.do(chromedp.SendKeys("#new-room", "deploys\r"))
	for i := range 4 {
		other.send(fmt.Sprintf("deploy %d", i))
	}
	tab.until(`document.querySelector('#rooms li:last-child .badge').textContent === '4'`)
	other.run(`document.querySelector('#rooms .room').click()`)
	other.send("Docs: https://example.com/docs/protocol?a=1&b=2, and a very long token " +
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjE3OTU0MzIxMDB9.c2lnbmF0dXJlLWdvZXMtaGVyZQ")
	c.tabs[4].send("مرحبا من المحور الثاني")
	tab.until(browserRow("received", "مرحبا من المحور الثاني") + ".length === 1")
	tab.run(`document.activeElement.blur()`)
	tab.looks("chat", 960)
	tab.run(`document.querySelector('#messages').scrollIntoView(); scrollTo(0, 300)`)
	tab.do(chromedp.EmulateViewport(1180, 960))
	tab.scheme("light")
	tab.do(chromedp.KeyEvent("?"))
	tab.until(`document.getElementById('help').open`)
	tab.shot("help")
	tab.do(chromedp.Click("#help-close"))
}
