//go:build !short

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestBrowserToken has the page, which has no token to show, at a hub that wants one: it is refused, says why, and does not
// try again.
func TestBrowserToken(t *testing.T) {
	t.Parallel()
	hub := startHub(t, "--token-key", strings.Repeat("k", 32))
	tab := browserOpen(t, browserStart(t), "Ada", startPage(t, hub.URL()).URL())
	tab.run(`document.getElementById('connect').click()`)
	tab.state("refused")
	tab.until(`document.getElementById('banner').innerText.includes('this hub wants a token')`)
	tab.until(`document.getElementById('connect').textContent === 'Connect'`)
	eventually(t, "the hub has closed one connection with 4500", func() error {
		if n := hub.Metrics()[`realtime_hub_connections_closed_total{code="4500"}`]; n != 1 {
			return fmt.Errorf("%v connections", n)
		}
		return nil
	})
	tab.quiet()
}
