//go:build unix && !short

package e2e

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// How long a page is cut off, and asleep. That is the fault itself: what is waited for is not. Both are longer than a pong
// may take.
var (
	jsOffline = flag.Duration("js.offline", 5*time.Second, "how long the network is off in TestJavaScriptOffline")
	jsAsleep  = flag.Duration("js.asleep", 5*time.Second, "how long the page sleeps in TestJavaScriptAsleep")
)

// jsPair is a JavaScript client that something happens to, and one in Node that goes on.
type jsPair struct {
	t        *testing.T
	hub      *hub
	one, two *jsClient
}

// talk has both publish n messages, and waits until those of the second are acknowledged.
func (p *jsPair) talk(n int) {
	p.t.Helper()
	for range n {
		p.one.call("publish", jsRoom)
		p.two.call("publish", jsRoom)
	}
	eventually(p.t, "the other client's messages are stored", func() error {
		if s := p.two.take(); s.Waiting > 0 {
			return fmt.Errorf("%d wait", s.Waiting)
		}
		return nil
	})
}

// finish waits until both have everything, and judges what they recorded. It returns how many entries the log has.
func (p *jsPair) finish() int {
	p.t.Helper()
	var log []stored
	eventually(p.t, "both have everything", func() (err error) {
		if log, err = p.hub.readRoom(jsRoom); err != nil {
			return err
		}
		for _, c := range []*jsClient{p.one, p.two} {
			if err := c.rest(jsRoom, uint64(len(log))); err != nil {
				return err
			}
		}
		return nil
	})
	k := &logChecker{logs: map[string][]stored{jsRoom: log}}
	for _, c := range []*jsClient{p.one, p.two} {
		c.checkShown(jsRoom, log)
		k.records = append(k.records, &c.rec)
	}
	k.check(p.t)
	return len(log)
}

// TestJavaScriptResumes kills the hub of a client in Node and of one in a page. Both go on at the other hub, with what was
// published meanwhile, and what they wrote while they had none.
func TestJavaScriptResumes(t *testing.T) {
	t.Parallel()
	redis := startLogRedis(t)
	browser := browserStart(t)
	for _, where := range []string{"node", "page"} {
		t.Run(where, func(t *testing.T) {
			hubs := startLogHubs(t, redis, 2)
			p := &jsPair{t: t, hub: hubs[1], two: startNodeClient(t, where+"2", []string{jsRoom}, hubs[1])}
			if where == "node" {
				p.one = startNodeClient(t, where+"1", []string{jsRoom}, hubs...)
			} else {
				p.one, _ = startPageClient(t, browser, where+"1", []string{jsRoom}, hubs...)
			}
			eventually(t, "both are subscribed", p.one.isLive)
			eventually(t, "both are subscribed", p.two.isLive)
			p.talk(5)
			before := p.one.take().Hub
			hubs[0].Kill()
			p.talk(5)
			p.finish()
			if after := p.one.now.Hub; before == after || p.one.cuts() == 0 {
				t.Errorf("it is at %s, and was at %s", after, before)
			}
			redis.Do("FLUSHALL")
		})
	}
}

// jsInPage has a page at a hub behind a gate, and a client in Node that reaches it directly.
func jsInPage(t *testing.T) (*jsPair, *gate, *browserTab) {
	t.Helper()
	h := startHub(t)
	g := newGate(t, h)
	page, tab := startPageClientAt(t, browserStart(t), "page", []string{jsRoom}, g.WS())
	p := &jsPair{t: t, hub: h, one: page, two: startNodeClient(t, "node", []string{jsRoom}, h)}
	eventually(t, "both are subscribed", p.one.isLive)
	eventually(t, "both are subscribed", p.two.isLive)
	return p, g, tab
}

// TestJavaScriptOffline switches the network of a page off: nothing goes through any more, and the browser says so. When
// it is back the page is at once, and nothing is missing.
func TestJavaScriptOffline(t *testing.T) {
	t.Parallel()
	p, g, tab := jsInPage(t)
	p.talk(5)
	offline := func(off bool) {
		g.set(!off)
		tab.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			conditions := []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}}
			if _, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule,
				network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions}); err != nil {
				return err
			}
			_, err := chromedp.Call(ctx, network.OverrideNetworkState,
				network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
			return err
		}))
	}
	tab.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
	offline(true)
	over := time.After(*jsOffline)
	tab.until("!navigator.onLine")
	p.talk(5)
	eventually(t, "the page notices", func() error {
		if s := p.one.take(); s.State != "reconnecting" {
			return fmt.Errorf("it is %s", s.State)
		}
		return nil
	})
	<-over
	offline(false)
	since := time.Now()
	eventually(t, "the page is back", p.one.isLive)
	t.Logf("off for %v; back after %v", *jsOffline, time.Since(since).Round(time.Millisecond))
	p.talk(5)
	p.finish()
}

// TestJavaScriptAsleep has a page sleep for longer than a pong may take. Nothing is missing afterwards.
func TestJavaScriptAsleep(t *testing.T) {
	t.Parallel()
	call := func(tab *browserTab, do func(context.Context) error) {
		tab.t.Helper()
		tab.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return do(ctx) }))
	}
	state := func(state cdppage.SetWebLifecycleStateState) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: state})
			return err
		}
	}
	for _, sleep := range []struct {
		name          string
		sleep, wakeUp func(context.Context) error
		closes        bool // the browser closes the connection
	}{
		// As browsers do with tabs in the background. This one ends their connections with that.
		{"frozen", state(cdppage.SetWebLifecycleStateStateFrozen), state(cdppage.SetWebLifecycleStateStateActive), true},
		// As a laptop does: the connection lives, and when the page goes on its timers are due before it reads anything.
		{"stopped", func(ctx context.Context) error {
			if _, err := chromedp.Call(ctx, debugger.Enable, debugger.EnableParams{}); err != nil {
				return err
			}
			_, err := chromedp.Call(ctx, debugger.Pause, cdp.Empty{})
			return err
		}, func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, debugger.Resume, debugger.ResumeParams{})
			return err
		}, false},
	} {
		t.Run(sleep.name, func(t *testing.T) {
			p, _, tab := jsInPage(t)
			tab.t = t
			p.talk(5)
			tab.run("window.ticks = 0; setInterval(() => ticks++, 20)")
			tab.until("ticks > 3")
			call(tab, sleep.sleep)
			over := time.After(*jsAsleep)
			for range 20 {
				p.two.call("publish", jsRoom)
			}
			<-over
			call(tab, sleep.wakeUp)
			p.talk(5)
			if n := p.finish(); n != 40 {
				t.Errorf("the log has %d entries, want 40", n)
			}
			longest := time.Duration(0) // between two things that the page did
			for i, e := range p.one.rec.events[1:] {
				longest = max(longest, e.at.Sub(p.one.rec.events[i].at))
			}
			if longest < *jsAsleep*9/10 {
				t.Errorf("the page slept for %v, want %v", longest, *jsAsleep)
			}
			if cuts := p.one.cuts(); cuts > 0 && !sleep.closes {
				t.Errorf("the page gave up its connection %d times", cuts)
			}
		})
	}
}
