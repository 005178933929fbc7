//go:build !short

package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// at is the position in the lobby's epoch.
func at(epoch string, offset uint64) hub.Position { return hub.Position{Epoch: epoch, Offset: offset} }

// TestLogRestart kills Redis and starts it again, with all that it had, without its tail, and without anything.
func TestLogRestart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config []string
		save   int                            // save after so many messages
		spoil  func(t *testing.T, dir string) // while it is down
		kept   int                            // of 10 messages
	}{
		{name: "with its append-only file", config: []string{"appendonly yes", "appendfsync always"}, kept: 10},
		{name: "with its snapshot", save: 10, kept: 10},
		{name: "with an older snapshot", save: 6, kept: 6},
		{
			name: "with an append-only file cut off", config: []string{"appendonly yes", "appendfsync always"},
			spoil: cutAppendOnlyFile, kept: 9,
		},
		{name: "with nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := redistest.New(t, redistest.Options{Config: append(c.config, "dir "+dir)})
			log := startLogAt(t, server.URL())
			log.Subscribe("lobby", 1)
			log.AwaitConfirmed("lobby", 1)
			var old string
			for n := 1; n <= 10; n++ {
				old = log.append(t, n, n).Epoch
				if n == c.save {
					server.Do("SAVE")
				}
			}
			log.AwaitOffset("lobby", 10)
			server.Kill()
			log.AwaitAway(true)
			if c.spoil != nil {
				c.spoil(t, dir)
			}
			server.Start()
			log.AwaitAway(false)
			log.Await("another confirmation", func() bool { return slices.Equal(log.Confirmed("lobby"), []uint64{1, 1}) })

			top := log.read(t, hub.Position{})
			if top.Epoch == old || top.Top != uint64(c.kept) {
				t.Fatalf("Redis is back with epoch %s, which was %s, and %d entries", top.Epoch, old, top.Top)
			}
			if c.kept == 0 {
				log.check(t, at(old, 10), hub.LogReset, 0, 0)
				if a := log.append(t, 1, 1); a.Duplicate || a.At != at(top.Epoch, 1) {
					t.Errorf("the first after the loss of everything: %+v", a)
				}
				return
			}
			checkBack(t, log, old, top.Epoch, c.kept)
		})
	}
}

// checkBack looks at a log of which of 10 messages in epoch old some were kept, and that goes on in epoch now.
func checkBack(t *testing.T, log startedLog, old, now string, kept int) {
	t.Helper()
	k, orphans := uint64(kept), uint64(0)
	if kept < 10 {
		orphans = k + 1
	}
	log.check(t, at(old, 10), hub.LogRead, orphans, 0)
	log.check(t, at(old, k), hub.LogRead, 0, 0)
	log.check(t, at(old, 2), hub.LogRead, 0, 3, ids(3, kept)...)

	// What was kept is known by its key, what was lost is stored again, under an offset of before in a new epoch.
	if a := log.append(t, 3, 3); !a.Duplicate || a.At != at(old, 3) || a.Epoch != now {
		t.Errorf("again what was kept: %+v", a)
	}
	if a := log.append(t, 10, 10); kept < 10 && (a.Duplicate || a.At != at(now, k+1)) {
		t.Errorf("again what was lost: %+v", a)
	}
	a := log.append(t, 11, 11)
	if a.Duplicate || a.At.Epoch != now {
		t.Errorf("a new one: %+v", a)
	}
	stored := []string{"a/11"}
	if kept < 10 {
		stored = []string{"a/10", "a/11"}
	}
	p := log.check(t, at(old, 10), hub.LogRead, orphans, k+1, stored...)
	if want := fmt.Sprintf("%s:1,%s:%d", old, now, k+1); p.Forks.String() != want {
		t.Errorf("fork list %s, want %s", p.Forks, want)
	}
	for _, e := range brokertest.ReadAll(t, log, "lobby") {
		if wantOld := e.At.Offset <= k; wantOld != (e.At.Epoch == old) {
			t.Errorf("in the log stands %v", e.At)
		}
	}
}

// cutAppendOnlyFile takes the end of the last call off the file.
func cutAppendOnlyFile(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("append-only files: %v, %v", files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[0], info.Size()-20); err != nil {
		t.Fatal(err)
	}
}

// TestLogFlushed empties Redis under a log that is connected.
func TestLogFlushed(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	log.Subscribe("lobby", 1)
	log.AwaitConfirmed("lobby", 1)
	old := log.append(t, 1, 3).Epoch
	server.Do("FLUSHALL")
	a := log.append(t, 1, 1)
	if a.Duplicate || a.At.Offset != 1 || a.Epoch == old {
		t.Errorf("after FLUSHALL: %+v, the epoch was %s", a, old)
	}
	log.check(t, at(old, 3), hub.LogReset, 0, 0)
	log.check(t, at(old, 1), hub.LogReset, 0, 0)
	log.Await("the entry of the new epoch", func() bool {
		got := log.Got("lobby")
		return len(got) == 4 && got[3].At == a.At
	})
	server.Do("FLUSHALL")
	if p := log.read(t, hub.Position{}); p.Status != hub.LogTop || p.Top != 0 || p.Epoch == old || p.Epoch == a.Epoch {
		t.Errorf("made anew by a read: %+v", p)
	}
	log.append(t, 1, 3)
	server.Do("DEL", streamKey("lobby"), metaKey("lobby")) // and the keys are left
	if a := log.append(t, 2, 2); a.Duplicate || a.At.Offset != 1 {
		t.Errorf("a key of a log that is gone: %+v", a)
	}
	if away, changes, _ := log.Away(); away || changes != 1 {
		t.Errorf("away: %v, told %d times", away, changes)
	}
}

// TestLogFailover promotes a replica that lags, and then the old primary, which came back as a replica and lags too. It
// still has the scripts, and its run id.
func TestLogFailover(t *testing.T) {
	t.Parallel()
	opts := redistest.Options{Config: []string{"repl-diskless-sync-delay 0"}}
	a, b := redistest.New(t, opts), redistest.New(t, opts)
	front := newFront(t, a.Addr())
	log := startLogAt(t, front.url())
	first := log.append(t, 1, 6).Epoch
	follow(t, log.LogReceiver, b, a)
	stall(b)
	log.append(t, 7, 10) // which b does not get
	promote(b)
	front.to(b.Addr())
	log.AwaitAway(true)
	log.AwaitAway(false)
	log.check(t, at(first, 10), hub.LogRead, 7, 0)
	second := log.read(t, hub.Position{}).Epoch
	checkBack(t, log, first, second, 6) // stores 10 and 11 as 7 and 8

	follow(t, log.LogReceiver, a, b)
	stall(a)
	log.append(t, 12, 14) // as 9 to 11
	promote(a)
	front.to(a.Addr())
	log.Await("the first primary", func() bool { return log.read(t, hub.Position{}).Top == 8 })
	third := log.read(t, hub.Position{}).Epoch
	if third == second || third == first {
		t.Fatalf("the third epoch is %s, after %s and %s", third, first, second)
	}
	last := log.append(t, 15, 15)
	if last.At != at(third, 9) {
		t.Errorf("the next is at %v, want %s:9", last.At, third)
	}
	log.check(t, at(second, 11), hub.LogRead, 9, 9, "a/15")
	log.check(t, at(second, 8), hub.LogRead, 0, 9, "a/15")
	// What was lost the first time is lost; offsets 7 to 9 are others' now.
	log.check(t, at(first, 10), hub.LogRead, 7, 7, "a/10", "a/11", "a/15")
	if a := log.append(t, 5, 5); !a.Duplicate || a.At != at(first, 5) {
		t.Errorf("again what is still there: %+v", a)
	}
	if a := log.append(t, 13, 13); a.Duplicate {
		t.Errorf("again what was lost: %+v", a)
	}
}

// TestLogPromotedAgain demotes a primary and promotes it again: it keeps its process, its scripts and its data, so only
// its replication id tells. Clients lose nothing by it.
func TestLogPromotedAgain(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	old := log.append(t, 1, 3).Epoch
	stall(server)
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 4)); err == nil {
		t.Error("a replica stores")
	}
	log.AwaitAway(true)
	promote(server)
	log.AwaitAway(false)
	a := log.append(t, 4, 4)
	if a.Epoch == old || a.At.Offset != 4 || a.Duplicate {
		t.Errorf("after the promotion: %+v, the epoch was %s", a, old)
	}
	log.check(t, at(old, 3), hub.LogRead, 0, 4, "a/4")
	log.check(t, at(old, 4), hub.LogRead, 4, 4, "a/4")
}

// TestLogManyForks goes through more epochs than the fork list names: positions of those that left it are reset, keys
// of theirs still count.
func TestLogManyForks(t *testing.T) {
	t.Parallel()
	const limit = 32
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	// A log that was there before, and left its keys.
	brokertest.Append(t, log, brokertest.NewMessage("before", "lobby", 1))
	server.Do("DEL", streamKey("lobby"), metaKey("lobby"))
	var epochs []string
	for n := 1; n <= limit+8; n++ {
		a := log.append(t, n, n)
		if a.At.Offset != uint64(n) || slices.Contains(epochs, a.Epoch) {
			t.Fatalf("in epoch %d: %+v, after %v", n, a, epochs)
		}
		epochs = append(epochs, a.Epoch)
		stall(server)
		promote(server)
	}
	for n := 1; n <= limit; n++ { // by reads alone; the first begins one
		p := log.read(t, hub.Position{})
		if len(p.Forks) != limit {
			t.Fatalf("the fork list names %d epochs", len(p.Forks))
		}
		if n == 1 {
			epochs = append(epochs, p.Epoch)
			for i, fork := range p.Forks {
				if want := len(epochs) - limit + i; fork.Epoch != epochs[want] || fork.Start != uint64(want+1) {
					t.Errorf("fork %d is %v", i, fork)
				}
			}
			oldest := len(epochs) - limit // the first that is listed
			log.check(t, at(epochs[oldest], uint64(oldest+1)), hub.LogRead, 0, uint64(oldest+2), ids(oldest+2, limit+8)...)
			log.check(t, at(epochs[oldest-1], uint64(oldest)), hub.LogReset, 0, 0)
			if a := log.append(t, oldest, oldest); !a.Duplicate || a.At != at(epochs[oldest-1], uint64(oldest)) {
				t.Errorf("again a message of an epoch that is not listed: %+v", a)
			}
		}
		stall(server)
		promote(server)
	}
	if got := brokertest.ReadAll(t, log, "lobby"); len(got) != limit+8 {
		t.Errorf("%d entries are left", len(got))
	}
	if a := brokertest.Append(t, log, brokertest.NewMessage("before", "lobby", 1)); a.Duplicate {
		t.Errorf("a message of the log that was there before: %+v", a)
	}
}

// TestLogSecretOutlivesRedis empties Redis: what the hubs share is there again when one of them comes back, and a hub
// that was not there before is told the same.
func TestLogSecretOutlivesRedis(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	one, two := startLogAt(t, server.URL()), startLogAt(t, server.URL())
	before := string(one.Log.Secret())
	if before == "" || before != string(two.Log.Secret()) {
		t.Errorf("the hubs do not share a secret")
	}
	server.Kill()
	one.AwaitAway(true)
	two.AwaitAway(true)
	server.Start() // with nothing
	one.AwaitAway(false)
	two.AwaitAway(false)
	three := startLogAt(t, server.URL())
	for n, log := range []startedLog{one, two, three} {
		if string(log.Log.Secret()) != before {
			t.Errorf("hub %d has another secret", n+1)
		}
	}
}
