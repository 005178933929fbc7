//go:build !short

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserUp follows the README without Docker: `up`, three tabs on each of its two pages, Connect, and a
// conversation, of which everybody sees each line once and on top. It makes the README's picture.
func TestBrowserUp(t *testing.T) {
	t.Parallel()
	u := startUp(t, 2)
	browser := browserStart(t)
	tabs := map[string]*browserTab{}
	for i, names := range [][]string{{"Ada", "Linus", "Radia"}, {"Grace", "Edsger", "سارة"}} {
		for _, name := range names {
			tab := browserOpen(t, browser, name, strings.Replace(u.pages[i].URL(), "127.0.0.1", "localhost", 1))
			tab.do(chromedp.SendKeys("#name", name+"\r"))
			tab.connect()
			tabs[name] = tab
		}
	}
	for _, tab := range tabs {
		tab.until(`document.querySelectorAll('#people li').length === 6`)
	}
	for n, line := range []struct{ from, text string }{
		{"Grace", "Good morning from hub2"},
		{"Ada", "Morning! Three of us are on hub1, three on yours."},
		{"سارة", "صباح الخير"},
		{"Linus", "Who broke the build?"},
		{"Edsger", "Not me. See https://example.com/builds/4711 for the log."},
		{"Radia", "Both hubs saw it at once, then."},
		{"Grace", "Once each, and nobody twice."},
	} {
		tabs[line.from].send(line.text)
		for name, tab := range tabs {
			direction := "received"
			if name == line.from {
				direction = "sent"
			}
			tab.until(fmt.Sprintf(`document.querySelector('#messages > li[data-direction] .text')?.textContent === %q`, line.text))
			if got := browserGet[int](tab, browserRow(direction, line.text)+".length"); got != 1 {
				t.Errorf("%s has line %d as %s %d times", name, n, direction, got)
			}
			if got := browserGet[int](tab, "document.querySelectorAll('#messages > li[data-direction]').length"); got != n+1 {
				t.Errorf("%s has %d lines after %d were sent", name, got, n+1)
			}
		}
	}
	tabs["Ada"].scheme("light")
	tabs["Ada"].shot("readme")
	for _, tab := range tabs {
		tab.quiet()
	}
}
