//go:build unix && !short

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// promptly is how soon hubs are to say that Redis is away, and to be one again when it is back: 2 s, which the log of a
// test shows. Beyond twice that it fails; a machine that has other work to do may take longer than the hubs do.
const promptly = 2 * time.Second

// TestRedisKilled has Redis killed and started again under clients that go on.
func TestRedisKilled(t *testing.T) {
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 2)
	a, b, c := dialPlain(t, hubs[0], ""), dialPlain(t, hubs[0], ""), dialPlain(t, hubs[1], "")
	watcher := dialV1(t, hubs[0], "watcher")
	talk(t, "before", a, b, c)

	for round := range 3 {
		redis.Kill()
		expectIsolated(t, hubs, time.Now(), true)
		if f := watcher.expect("status"); f.Isolated == nil || !*f.Isolated {
			t.Errorf("status %+v", f)
		}
		talk(t, fmt.Sprintf("isolated %d", round), a, b)
		accepted(t, post(t, hubs[0], "lobby", "", "by HTTP"))
		a.expectText("by HTTP")
		b.expectText("by HTTP")

		redis.Start()
		expectIsolated(t, hubs, time.Now(), false)
		if f := watcher.expect("status"); f.Isolated == nil || *f.Isolated {
			t.Errorf("status %+v", f)
		}
		talk(t, fmt.Sprintf("healed %d", round), a, b, c)
	}
	nothingElse(t, hubs, a, b, c, watcher)
}

// TestRedisHangs stops Redis where it is. Whatever was published after the hub said that it is isolated must not arrive
// elsewhere when Redis goes on: its people were told that the others do not get it.
func TestRedisHangs(t *testing.T) {
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 2)
	sender, near, far := dialPlain(t, hubs[0], ""), dialPlain(t, hubs[0], ""), dialPlain(t, hubs[1], "")
	watcher := dialV1(t, hubs[0], "watcher")
	talk(t, "before", sender, near, far)

	n := 0
	publish := func(times int) {
		for range times {
			n++
			sender.send(strconv.Itoa(n))
			near.expectText(strconv.Itoa(n)) // whatever Redis does
		}
	}
	for round := range 2 {
		publish(50)
		redis.Pause()
		paused := time.Now()
		before := n
		for told := false; !told; { // published while the hub finds out: may arrive, or not
			publish(1)
			select {
			case f := <-watcher.in:
				told = strings.Contains(f.data, `"isolated":true`)
			default:
			}
		}
		expectIsolated(t, hubs, paused, true)
		unsure := n
		publish(100)
		silent := n

		redis.Resume()
		expectIsolated(t, hubs, time.Now(), false)
		watcher.expect("status")
		publish(50)
		seen := expectUpTo(t, far, n)
		for i, number := range seen {
			if i > 0 && number <= seen[i-1] {
				t.Errorf("round %d: %d arrived after %d", round, number, seen[i-1])
			}
			if number > unsure && number <= silent {
				t.Errorf("round %d: %d arrived, which was published when the hub had said that it is isolated", round, number)
			}
		}
		t.Logf("round %d: of 1 to %d, %d arrived elsewhere; %d to %d were published while the hub was finding out, %d to %d while isolated",
			round, n, len(seen), before+1, unsure, unsure+1, silent)
		if got, want := count(seen, n-50, n), 50; got != want {
			t.Errorf("round %d: %d of the last %d arrived", round, got, want)
		}
		if got, want := count(seen, before-50, before), 50; got < want {
			t.Logf("round %d: %d of the %d before the pause arrived: the others were on their way", round, got, want)
		}
	}
	nothingElse(t, hubs, sender, near, far, watcher)
}

// expectUpTo returns the numbers that arrive at c, up to last.
func expectUpTo(t *testing.T, c *conn, last int) []int {
	t.Helper()
	var seen []int
	for len(seen) == 0 || seen[len(seen)-1] != last {
		number, err := strconv.Atoi(c.next().data)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, number)
	}
	return seen
}

// count returns how many of numbers are above low, up to high.
func count(numbers []int, low, high int) int {
	n := 0
	for _, number := range numbers {
		if low < number && number <= high {
			n++
		}
	}
	return n
}

// TestRedisComesLater starts hubs before Redis.
func TestRedisComesLater(t *testing.T) {
	redis := redistest.Prepare(t, redistest.Options{})
	since := time.Now()
	hubs := []*hub{startHub(t, "--broker", redis.URL()), startHub(t, "--broker", redis.URL())}
	t.Logf("two hubs were ready after %v without Redis", time.Since(since).Round(time.Millisecond))
	a, b, c := dialPlain(t, hubs[0], ""), dialPlain(t, hubs[0], ""), dialPlain(t, hubs[1], "")
	for _, h := range hubs {
		if !h.Ready().Isolated {
			t.Error("a hub without Redis does not say that it is isolated")
		}
		if !strings.Contains(h.Log(), redis.Addr()) {
			t.Errorf("the hub does not say which Redis is away: %s", h.Log())
		}
	}
	talk(t, "isolated", a, b)
	redis.Start()
	expectIsolated(t, hubs, time.Now(), false)
	talk(t, "together", a, b, c)
	nothingElse(t, hubs, a, b, c)
}

// expectIsolated waits until all hubs say isolated, or no longer, and fails the test where that is not promptly after
// since. Meanwhile they are ready all the time.
func expectIsolated(t *testing.T, hubs []*hub, since time.Time, isolated bool) {
	t.Helper()
	for _, h := range hubs {
		h.waitIsolated(isolated)
	}
	took := time.Since(since)
	t.Logf("isolated %v after %v", isolated, took.Round(time.Millisecond))
	if took > 2*promptly {
		t.Errorf("hubs said isolated %v after %v, more than twice %v", isolated, took, promptly)
	}
}
