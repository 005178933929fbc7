//go:build unix && !short

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// scripted adds the JavaScript client to a trial, in Node and in a page, each with another hub as its home. They publish and
// subscribe as all the others do, and their records are judged by the same checker.
func (tr *trial) scripted() {
	tr.t.Helper()
	browser := browserStart(tr.t)
	page, _ := startPageClient(tr.t, browser, "page", tr.rooms, tr.hubs...)
	tr.scripts = []*jsClient{startNodeClient(tr.t, "node", tr.rooms, tr.hubs[1], tr.hubs[0]), page}
	tr.waitScripts()
	tr.load()
	for _, c := range tr.scripts {
		c.call("load", tr.pace.Milliseconds())
	}
}

// waitScripts waits until the JavaScript clients are subscribed.
func (tr *trial) waitScripts() {
	tr.t.Helper()
	for _, c := range tr.scripts {
		eventually(tr.t, c.name+" is subscribed", c.isLive)
	}
}

// waitScriptsStored waits until each JavaScript client knows of n more messages of its own that they are stored.
func (tr *trial) waitScriptsStored(n int) {
	tr.t.Helper()
	for _, c := range tr.scripts {
		before := c.ownStored()
		eventually(tr.t, fmt.Sprint(n, " more messages of ", c.name, " are stored"), func() error {
			c.take()
			if got := c.ownStored() - before; got < n {
				return fmt.Errorf("only %d, %d wait, it is %s", got, c.now.Waiting, c.now.State)
			}
			return nil
		})
	}
}

func (c *jsClient) ownStored() (n int) {
	for _, e := range c.shown {
		if e.Key != "" {
			n++
		}
	}
	return n
}

// TestJavaScriptNemesis has the JavaScript client publish and subscribe while its connections are cut, it goes over to the
// other hub, Redis is killed and started again, and its hub is killed while it is cut off. Nothing is lost, doubled or out of order.
func TestJavaScriptNemesis(t *testing.T) {
	redis := startLogRedis(t, durable...)
	tr := startTrial(t, redis, 2)
	tr.scripted()
	for i := range 6 {
		for j, c := range tr.scripts {
			if i%3 == 2 {
				c.call("goTo", tr.hubs[(i+j)%2].WS())
			} else {
				c.call("cut")
			}
		}
		tr.waitScriptsStored(5)
	}
	redis.Kill()
	tr.isolated(true)
	tr.waitProvisional(100)
	tr.back()
	tr.waitScriptsStored(20)

	// A hub dies with what it keeps: what it showed comes again, from the outboxes of those who wrote it.
	tr.waitScripts()
	redis.Kill()
	tr.isolated(true)
	tr.waitProvisional(100)
	// Not each of them: one whose cursor is beyond what the others have is shown nothing.
	eventually(t, "a script is shown something without a position", func() (wrong error) {
		for _, c := range tr.scripts {
			if wrong = c.provisional(); wrong == nil {
				return nil
			}
		}
		return wrong
	})
	tr.kill(tr.hubs[0])
	since := tr.back()
	tr.waitScriptsStored(20)
	t.Logf("stored again %v after Redis was back", time.Since(since).Round(time.Millisecond))
	f := tr.finish()
	tr.expectLossless(f)
}

// provisional returns an error as long as the client shows nothing without a position.
func (c *jsClient) provisional() error {
	c.t.Helper()
	for _, r := range c.take().Rooms {
		if len(r.IDs) > 0 {
			return nil
		}
	}
	return fmt.Errorf("it is at %s: %s", c.now.Hub, c.now.State)
}
