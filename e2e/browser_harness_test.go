//go:build !short

package e2e

import (
	"context"
	"fmt"
	"log"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// browserPatience is how long a page may take for anything before a test fails.
const browserPatience = 60 * time.Second

// browserStart returns the context to open tabs in, of the Chromium that all tests share.
func browserStart(t *testing.T) context.Context {
	t.Helper()
	ctx, err := chromium.start()
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// chromium is the browser of all tests, which is started once, by the first that needs it: a start and an end take both
// processors for seconds. Tests share nothing in it, as each tab has storage and a process of its own.
var chromium sharedBrowser

type sharedBrowser struct {
	once sync.Once
	ctx  context.Context
	err  error
	ends []func() // what stop calls, the last first
}

// start starts the browser where it does not run yet. It is safe for use by several goroutines.
func (b *sharedBrowser) start() (context.Context, error) {
	b.once.Do(func() {
		atTheEnd(b.stop)
		path, err := exec.LookPath("chromium")
		if err != nil {
			b.err = fmt.Errorf("this test needs Chromium: apt-get install chromium (%w)", err)
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1180, 960))
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator, chromedp.WithLogf(log.Printf), chromedp.WithErrorf(log.Printf))
		b.ctx, b.ends = ctx, append(b.ends, stop, cancel)
		if err := chromedp.Do(ctx); err != nil {
			b.err = fmt.Errorf("start Chromium: %w", err)
			return
		}
		b.ends = append(b.ends, func() {
			if err := chromedp.Cancel(ctx); err != nil {
				log.Printf("stop Chromium: %v", err)
			}
		})
	})
	return b.ctx, b.err
}

// stop ends the browser and waits for its end.
func (b *sharedBrowser) stop() {
	for _, end := range slices.Backward(b.ends) {
		end()
	}
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

// send puts text into the message field as a paste does, and presses Enter.
func (tab *browserTab) send(text string) {
	tab.t.Helper()
	tab.do(chromedp.Focus("#message", chromedp.NodeVisible), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}), chromedp.KeyEvent("\r"))
}

// sendTyped is send with a key for each letter, each of which the browser draws: it takes some 50 ms a letter.
func (tab *browserTab) sendTyped(text string) {
	tab.t.Helper()
	tab.do(chromedp.SendKeys("#message", text+"\r"))
}

// browserRow is how an expression finds the rows of a direction that hold exactly text.
func browserRow(direction, text string) string {
	return fmt.Sprintf("[...document.querySelectorAll('#messages > li[data-direction=%s]')]"+
		".filter(li => li.querySelector('.text').textContent === %q)", direction, text)
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
