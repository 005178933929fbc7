//go:build unix && !short

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// promptly is how soon hubs are to say that Redis is away, and to be one again when it is back: 2 s, which the log of a
// test shows. Beyond twice that it fails; a machine that has other work to do may take longer than the hubs do.
const promptly = 2 * time.Second

// TestRedisKilled has Redis killed and started again under clients that go on. In a log room that is a Redis which keeps all
// on disk: what was published meanwhile arrives elsewhere when it is back, and nobody sees twice what was shown before.
func TestRedisKilled(t *testing.T) { bothKinds(t, "away", testRedisKilled) }

func testRedisKilled(t *testing.T, room string) {
	redis := redistest.New(t, redistest.Options{Config: onDisk})
	hubs := startCluster(t, redis, 2)
	a, b := dialPlain(t, hubs[0], room), dialPlain(t, hubs[0], room)
	c, d := dialPlain(t, hubs[1], room), dialPlain(t, hubs[1], room)
	watcher := dialV1(t, hubs[0], "watcher")
	talk(t, "before", a, b, c, d)

	for round := range 3 {
		redis.Kill()
		expectIsolated(t, hubs, time.Now(), true)
		expectStatus(t, watcher, true)
		here, there := fmt.Sprint("first hub ", round), fmt.Sprint("second hub ", round)
		talk(t, here, a, b)
		talk(t, there, c, d)
		accepted(t, post(t, hubs[0], room, "", "by HTTP"), isolatedScopeOf(room))
		a.expectText("by HTTP")
		b.expectText("by HTTP")

		redis.Start()
		expectIsolated(t, hubs, time.Now(), false)
		expectStatus(t, watcher, false)
		if isLog(room) {
			for _, conn := range []*conn{a, b} {
				conn.expectText(there + " A")
				conn.expectText(there + " B")
			}
			for _, conn := range []*conn{c, d} {
				conn.expectText(here + " A")
				conn.expectText(here + " B")
				conn.expectText("by HTTP")
			}
		}
		talk(t, fmt.Sprint("healed ", round), a, b, c, d)
	}
	nothingElse(t, hubs, a, b, c, d, watcher)
}

// expectStatus fails the test where the next that c is told is not that its hub is isolated, or no longer.
func expectStatus(t *testing.T, c *conn, isolated bool) {
	t.Helper()
	if f := c.expect(protocol.TypeStatus); f.Isolated == nil || *f.Isolated != isolated {
		t.Errorf("status %+v, want isolated %v", f, isolated)
	}
}

// TestRedisHangs stops Redis where it is. What was published after the hub said that it is isolated must not arrive
// elsewhere in a live room when Redis goes on: its people were told that the others do not get it. In a log room all of it
// does, once and in order.
func TestRedisHangs(t *testing.T) { bothKinds(t, "away", testRedisHangs) }

func testRedisHangs(t *testing.T, room string) {
	redis := redistest.New(t, redistest.Options{})
	hubs := startCluster(t, redis, 2)
	sender, near, far := dialPlain(t, hubs[0], room), dialPlain(t, hubs[0], room), dialPlain(t, hubs[1], room)
	watcher := dialV1(t, hubs[0], "watcher")
	talk(t, "before", sender, near, far)

	n, arrived := 0, 0
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
		for told := false; !told; { // published while the hub finds out: in a live room it may arrive, or not
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
		expectStatus(t, watcher, false)
		publish(50)
		seen := expectUpTo(t, far, n)
		t.Logf("round %d: of %d to %d, %d arrived elsewhere; %d to %d were published while the hub was finding out, %d to %d while isolated",
			round, arrived+1, n, len(seen), before+1, unsure, unsure+1, silent)
		for i, number := range seen {
			if i > 0 && number <= seen[i-1] {
				t.Errorf("round %d: %d arrived after %d", round, number, seen[i-1])
			}
		}
		if isLog(room) {
			if got, want := count(seen, arrived, n), n-arrived; got != want || len(seen) != want {
				t.Errorf("round %d: %d arrived, %d of %d to %d; want all", round, len(seen), got, arrived+1, n)
			}
		} else {
			if got := count(seen, unsure, silent); got != 0 {
				t.Errorf("round %d: %d arrived of what was published when the hub had said that it is isolated", round, got)
			}
			if got, want := count(seen, silent, n), 50; got != want {
				t.Errorf("round %d: %d of the last %d arrived", round, got, want)
			}
		}
		arrived = n
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

// TestRedisComesLater starts hubs before Redis. In a log room what is published until then is stored when Redis is there.
func TestRedisComesLater(t *testing.T) { bothKinds(t, "away", testRedisComesLater) }

func testRedisComesLater(t *testing.T, room string) {
	redis := redistest.Prepare(t, redistest.Options{})
	since := time.Now()
	hubs := []*hub{startHub(t, "--broker", redis.URL()), startHub(t, "--broker", redis.URL())}
	t.Logf("two hubs were ready after %v without Redis", time.Since(since).Round(time.Millisecond))
	a, b, c := dialPlain(t, hubs[0], room), dialPlain(t, hubs[0], room), dialPlain(t, hubs[1], room)
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
	if isLog(room) {
		early := []string{"isolated A", "isolated B"}
		eventually(t, "what was published without Redis is stored", func() error {
			if got := hubs[1].history(room, "").texts(t); !slices.Equal(got, early) {
				return fmt.Errorf("the log has %q", got)
			}
			return nil
		})
		// The other hub may have begun before, between or after these two: it had never seen the room's log.
		a.send("begin")
		b.expectText("begin")
		var got []string
		for text := c.next().data; text != "begin"; text = c.next().data {
			got = append(got, text)
		}
		if !slices.Equal(got, early[len(early)-min(len(early), len(got)):]) {
			t.Errorf("elsewhere %q arrived of %q", got, early)
		}
	}
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
