//go:build !short

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browserPatience is how long a page may take for anything before a test fails.
const browserPatience = 60 * time.Second

// browserStart starts a Chromium that ends with the test, and returns the context to open tabs in.
func browserStart(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("this test needs Chromium: apt-get install chromium (%v)", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1180, 960))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithLogf(t.Logf), chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop Chromium: %v", err)
		}
	})
	return ctx
}

// browserTab is one page in a window of its own: a tab in the background draws nothing, and is throttled.
type browserTab struct {
	t    *testing.T
	name string
	ctx  context.Context

	mu      sync.Mutex
	console []string // warnings and errors; guarded by mu
}

// browserOpen opens url with storage of its own, as another person would have it.
func browserOpen(t *testing.T, browser context.Context, name, url string) *browserTab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	tab := &browserTab{t: t, name: name, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		t.Fatalf("open a tab: %v", err)
	}
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { // ends with the tab, and is waited for below
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning {
				tab.mu.Lock()
				tab.console = append(tab.console, fmt.Sprintf("%s (%s)", m, m.URL))
				tab.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
	})
	tab.do(chromedp.Navigate(url))
	return tab
}

// do runs steps in the page.
func (tab *browserTab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("tab %s: %v", tab.name, err)
	}
}

// browserGet returns the value of a JavaScript expression.
func browserGet[T any](tab *browserTab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, browserPatience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tab.t.Fatalf("tab %s: %s: %v", tab.name, expression, err)
	}
	return value
}

// run runs a JavaScript statement.
func (tab *browserTab) run(statement string) {
	tab.t.Helper()
	browserGet[bool](tab, "(() => {"+statement+"; return true })()")
}

// until waits until a JavaScript expression is true.
func (tab *browserTab) until(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, browserPatience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool]("Boolean("+expression+")",
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0)))
	if err != nil {
		page := browserGet[string](tab, "document.body.innerText")
		tab.t.Fatalf("tab %s: never true: %s: %v\nThe page says:\n%s", tab.name, expression, err, page)
	}
}

// state waits for the state of the connection to be one of those named.
func (tab *browserTab) state(names ...string) {
	tab.t.Helper()
	tab.until(fmt.Sprintf("%q.split(' ').includes(document.getElementById('status').dataset.state)",
		strings.Join(names, " ")))
}

// connect presses Connect and waits until the page is connected.
func (tab *browserTab) connect() {
	tab.t.Helper()
	tab.do(chromedp.Click("#connect"))
	tab.state("connected")
}

// send writes text into the message field and presses Enter.
func (tab *browserTab) send(text string) {
	tab.t.Helper()
	tab.do(chromedp.SendKeys("#message", text+"\r"))
}

// browserRow is how an expression finds the rows of a direction that hold exactly text.
func browserRow(direction, text string) string {
	return fmt.Sprintf("[...document.querySelectorAll('#messages > li[data-direction=%s]')]"+
		".filter(li => li.querySelector('.text').textContent === %q)", direction, text)
}

// shot writes a picture of the page into the folder that SCREENSHOTS names, where it names one.
func (tab *browserTab) shot(name string) {
	tab.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(tab.ctx, browserPatience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatalf("take the picture %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		tab.t.Fatalf("write the picture: %v", err)
	}
}

// scheme has the page believe that the system is light or dark.
func (tab *browserTab) scheme(value string) {
	tab.t.Helper()
	tab.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return err
	}))
}

// looks takes pictures of the page, light and dark, wide and as a phone has it, and fails the test where something is hard
// to read, too small to touch, or wider than the window.
func (tab *browserTab) looks(name string, height int64) {
	tab.t.Helper()
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{
		{name + "-light", "light", 1180}, {name + "-dark", "dark", 1180}, {name + "-360", "light", 360},
		{name + "-360-dark", "dark", 360},
	} {
		tab.scheme(look.scheme)
		tab.do(chromedp.EmulateViewport(look.width, height))
		for _, poor := range browserGet[[]string](tab, browserContrast) {
			tab.t.Errorf("%s: contrast below 4.5: %s", look.name, poor)
		}
		for _, small := range browserGet[[]string](tab, browserSmall) {
			tab.t.Errorf("%s: smaller than 44 pixels: %s", look.name, small)
		}
		if browserGet[bool](tab, "document.documentElement.scrollWidth > innerWidth") {
			tab.t.Errorf("%s: the page is wider than its window", look.name)
		}
		tab.shot(look.name)
	}
}

// quiet fails the test if the page wrote a warning or an error, broke its own policy or threw. A hub that is away is
// written by the browser itself: a test that takes it away names such lines by a part of them.
func (tab *browserTab) quiet(except ...string) {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, line := range tab.console {
		allowed := false
		for _, part := range except {
			allowed = allowed || strings.Contains(line, part)
		}
		if !allowed {
			tab.t.Errorf("tab %s: the console says: %s", tab.name, line)
		}
	}
}
