//go:build unix && !short

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// trial is hubs on one Redis, and clients of all sorts in the same log rooms, on which a nemesis is let loose. At the
// end all is to come to rest, and the checker compares what everybody recorded with the logs.
type trial struct {
	t        *testing.T
	redis    *redistest.Server
	hubs     []*hub
	rooms    []string
	clients  []*logClient
	posters  []*poster
	watchers []*plainWatcher
	streams  []*streamReader
	scripts  []*jsClient
	pace     time.Duration
	lost     time.Time // when Redis had lost what it was made to lose; zero: it loses nothing
	begun    time.Time
}

// The roles of the clients that each hub has.
var trialRoles = []logRole{
	{subscribes: true, publishes: true},
	{subscribes: true, publishes: true},
	{subscribes: true, publishes: true, birth: true, history: 20},
	{subscribes: true, publishes: true, room: 8},
	{subscribes: true, history: 50},
	{subscribes: true},
	{publishes: true},
}

// keepsAll is a configuration with which nothing is trimmed while a test lasts, so that the checker sees whole logs.
const keepsAll = "rooms:\n  - {match: \"*\", history: 1000000}\n"

// durable has Redis keep everything on disk before it answers.
var durable = []string{"appendonly yes", "appendfsync always"}

// startLogRedis starts a Redis for log rooms.
func startLogRedis(tb testing.TB, config ...string) *redistest.Server {
	tb.Helper()
	return redistest.New(tb, redistest.Options{Config: config})
}

// startLogHubs starts n hubs on redis that notice quickly, and returns when they reach it.
func startLogHubs(tb testing.TB, redis *redistest.Server, n int, flags ...string) []*hub {
	tb.Helper()
	config := filepath.Join(tb.TempDir(), "hub.yaml")
	if err := os.WriteFile(config, []byte(keepsAll), 0o600); err != nil {
		tb.Fatal(err)
	}
	var hubs []*hub
	for range n {
		hubs = append(hubs, startHub(tb, append([]string{"--config", config, "--broker", redis.URL(), "--broker-timeout", "500ms",
			"--broker-ping", "200ms", "--broker-silence", "1s", "--check-interval", "1s"}, flags...)...))
	}
	for _, h := range hubs {
		h.waitIsolated(false)
	}
	return hubs
}

// startTrial starts hubs and clients, and returns when all are subscribed.
func startTrial(t *testing.T, redis *redistest.Server, hubs int) *trial {
	t.Helper()
	tr := &trial{t: t, redis: redis, rooms: []string{"red", "blue"}, pace: 20 * time.Millisecond}
	if raceDetector {
		tr.pace *= 5
	}
	tr.hubs = startLogHubs(t, redis, hubs)
	tr.begun = time.Now()
	for i := range tr.hubs {
		others := slices.Concat(tr.hubs[i:], tr.hubs[:i])
		for j, role := range trialRoles {
			tr.clients = append(tr.clients, startLogClient(t, fmt.Sprintf("h%d.c%d", i, j), role, tr.rooms, others...))
		}
	}
	tr.waitLive()
	for i, h := range tr.hubs {
		tr.watchers = append(tr.watchers, watchPlain(t, fmt.Sprintf("h%d.plain", i), h, tr.rooms[0]))
	}
	return tr
}

// stream adds streams of events to each hub: two of each room, which are cut now and then by whoever wants to.
func (tr *trial) stream() {
	tr.t.Helper()
	for i := range tr.hubs {
		others := slices.Concat(tr.hubs[i:], tr.hubs[:i])
		for j := range 2 * len(tr.rooms) {
			room := tr.rooms[j%len(tr.rooms)]
			tr.streams = append(tr.streams, startStreamReader(tr.t, fmt.Sprintf("h%d.s%d", i, j), room, others...))
		}
	}
	tr.waitStreams()
}

// waitStreams waits until all streams are subscribed.
func (tr *trial) waitStreams() {
	tr.t.Helper()
	eventually(tr.t, "all streams are subscribed", func() (wrong error) {
		for _, s := range tr.streams {
			wrong = cmp.Or(wrong, s.live(0))
		}
		return wrong
	})
}

// load has all who publish do so again and again.
func (tr *trial) load() {
	for _, c := range tr.clients {
		if c.role.publishes {
			c.publishEvery(tr.pace)
		}
	}
	for i, h := range tr.hubs {
		hubs := append([]*hub{h}, slices.DeleteFunc(slices.Clone(tr.hubs), func(o *hub) bool { return o == h })...)
		tr.posters = append(tr.posters, startPoster(tr.t, fmt.Sprint("poster", len(tr.posters)), tr.rooms[i%len(tr.rooms)], tr.pace, hubs...))
	}
}

// calm ends the load.
func (tr *trial) calm() {
	for _, c := range tr.clients {
		c.publishEvery(0)
	}
	for _, p := range tr.posters {
		p.finish()
	}
	for _, c := range tr.scripts {
		c.call("load", 0)
	}
}

// stored returns how many messages of clients are known to be stored.
func (tr *trial) stored() (n int) {
	for _, c := range tr.clients {
		acknowledged, _ := c.progress()
		n += acknowledged
	}
	return n
}

// waitStored waits until n more messages are known to be stored.
func (tr *trial) waitStored(n int) {
	tr.t.Helper()
	before := tr.stored()
	eventually(tr.t, fmt.Sprint(n, " more messages are stored"), func() error {
		if got := tr.stored() - before; got < n {
			return fmt.Errorf("only %d", got)
		}
		return nil
	})
}

// waitProvisional waits until clients show n messages that have no position, in all.
func (tr *trial) waitProvisional(n int) {
	tr.t.Helper()
	eventually(tr.t, fmt.Sprint(n, " messages are shown without a position"), func() error {
		sum := 0
		for _, c := range tr.clients {
			_, provisional := c.progress()
			sum += provisional
		}
		if sum < n {
			return fmt.Errorf("only %d", sum)
		}
		return nil
	})
}

// waitLive waits until all clients are subscribed to their rooms.
func (tr *trial) waitLive() {
	tr.t.Helper()
	eventually(tr.t, "all clients are subscribed", func() error {
		for _, c := range tr.clients {
			if !c.isLive() {
				return fmt.Errorf("%s is not", c.name)
			}
		}
		return nil
	})
}

// isolated waits until all hubs say isolated, or no longer, and returns how long that took.
func (tr *trial) isolated(isolated bool) time.Duration {
	tr.t.Helper()
	since := time.Now()
	for _, h := range tr.hubs {
		h.waitIsolated(isolated)
	}
	return time.Since(since)
}

// any returns a client at random.
func (tr *trial) any() *logClient { return tr.clients[rand.N(len(tr.clients))] }

// of returns a client that is connected to h, publishes and subscribes, or nil.
func (tr *trial) of(h *hub) *logClient {
	for _, c := range tr.clients {
		if c.role.publishes && c.role.subscribes && c.hub() == h.Addr() {
			return c
		}
	}
	return nil
}

// kill ends a hub as kill -9 does. Its clients are to go on elsewhere.
func (tr *trial) kill(h *hub) {
	h.Kill()
	i := slices.Index(tr.hubs, h)
	tr.hubs = slices.Delete(slices.Clone(tr.hubs), i, i+1)
	tr.watchers = slices.Delete(tr.watchers, i, i+1)
}

// healed returns how long it takes from since until in each room a message of a client of each hub, made now, has
// reached every subscriber with its position, and fails the test where that is longer than twice 2 s: a machine that has
// other work to do may take longer than the hubs do. Where a log was lost, a message may fall into the gap of a reset, so
// others are sent meanwhile.
func (tr *trial) healed(since time.Time) time.Duration {
	tr.t.Helper()
	type probe struct{ room, text string }
	probes := map[string][]probe{} // by room and hub
	var next time.Time
	eventually(tr.t, "messages of all hubs reach everybody", func() error {
		if time.Now().After(next) {
			next = time.Now().Add(200 * time.Millisecond)
			for _, room := range tr.rooms {
				for _, h := range tr.hubs {
					c := tr.of(h)
					if c == nil { // nobody is there: somebody goes
						tr.any().goTo(h)
						continue
					}
					key := room + " " + h.Addr()
					probes[key] = append(probes[key], probe{room, c.publish(room)})
				}
			}
		}
		if len(probes) < len(tr.rooms)*len(tr.hubs) {
			return fmt.Errorf("nobody is at some hub: %v", probes)
		}
		for key, list := range probes {
			if !slices.ContainsFunc(list, func(p probe) bool { return tr.everybodyHas(p.room, p.text) }) {
				return fmt.Errorf("%s: none of %v reached everybody", key, list)
			}
		}
		return nil
	})
	took := time.Since(since)
	tr.t.Logf("healed %v after Redis was back", took.Round(time.Millisecond))
	if limit := 2 * promptly; took > limit && !raceDetector {
		tr.t.Errorf("healed %v after Redis was back, more than %v", took, limit)
	}
	return took
}

func (tr *trial) everybodyHas(room, text string) bool {
	for _, c := range tr.clients {
		if !c.role.subscribes {
			continue
		}
		if at, ok := c.has(room, text); !ok || at.IsZero() {
			return false
		}
	}
	return true
}

// finish ends the load, waits until all has come to rest, reads the logs, and judges. It returns what the records say.
func (tr *trial) finish() figures {
	tr.t.Helper()
	tr.calm()
	since := time.Now()
	eventually(tr.t, "all has come to rest", tr.rest)
	drained := time.Since(since)
	k := &logChecker{logs: map[string][]stored{}, lost: tr.lost}
	var f figures
	for _, room := range tr.rooms {
		for i, h := range tr.hubs {
			log := h.awaitRoom(tr.t, room)
			if i == 0 {
				k.logs[room] = log
				f.entries += len(log)
			} else if !slices.Equal(log, k.logs[room]) {
				tr.t.Errorf("hubs read different logs of %s: %d entries and %d", room, len(k.logs[room]), len(log))
			}
		}
	}
	eventually(tr.t, "positions have come", func() (wrong error) {
		for _, room := range tr.rooms {
			for _, c := range tr.clients {
				wrong = cmp.Or(wrong, c.settled(room, k.logs[room]))
			}
			for _, c := range tr.scripts {
				wrong = cmp.Or(wrong, c.settled(room, k.logs[room]))
			}
		}
		return wrong
	})
	for _, c := range tr.clients {
		c.stop()
		k.records = append(k.records, &c.rec)
	}
	for _, p := range tr.posters {
		p.stop()
		k.records = append(k.records, &p.rec)
	}
	for _, s := range tr.streams {
		s.stop()
		k.records = append(k.records, s.record(k.logs[s.room]))
	}
	for _, c := range tr.scripts {
		c.call("stop")
		c.take()
		k.records = append(k.records, &c.rec)
		for _, room := range tr.rooms {
			c.checkShown(room, k.logs[room])
		}
	}
	for _, r := range k.records {
		f.count(r)
	}
	k.check(tr.t)
	stopAll(tr.hubs) // which sends all that is owed
	for _, w := range tr.watchers {
		w.work.Wait()
		if wrong := w.violations(k.logs[tr.rooms[0]]); tr.lost.IsZero() {
			for _, v := range wrong {
				tr.t.Error(v)
			}
		}
	}
	tr.t.Logf("%v, %d hubs, %d clients: %v; at rest %v after the load's end", time.Since(tr.begun).Round(time.Millisecond),
		len(tr.hubs), len(tr.clients), f, drained.Round(time.Millisecond))
	return f
}

// rest returns an error as long as something is under way.
func (tr *trial) rest() error {
	var wrong error
	for _, p := range tr.posters {
		wrong = cmp.Or(wrong, p.rest())
	}
	for _, room := range tr.rooms {
		if wrong != nil {
			break
		}
		p, err := tr.hubs[0].readPage(room, "", 1)
		if err != nil {
			return err
		}
		var top protocol.Position
		if len(p.Messages) > 0 {
			if top, err = protocol.ParsePosition(p.Messages[0].Position); err != nil {
				return err
			}
		}
		for _, c := range tr.clients {
			wrong = cmp.Or(wrong, c.rest(room, top.Offset))
		}
		for _, s := range tr.streams {
			if s.room == room {
				wrong = cmp.Or(wrong, s.live(top.Offset))
			}
		}
		for _, c := range tr.scripts {
			wrong = cmp.Or(wrong, c.rest(room, top.Offset))
		}
	}
	return wrong
}

// expectLossless fails the test where somebody was told of a loss.
func (tr *trial) expectLossless(f figures) {
	tr.t.Helper()
	if f.orphans+f.resets > 0 {
		tr.t.Errorf("%d orphan reports and %d resets, and nothing was lost", f.orphans, f.resets)
	}
}

// expectOneEach compares what Redis did in this life with what it stored: each entry added once and published at most
// once. Hubs also publish to themselves, to try out a subscription that was silent for a second.
func (tr *trial) expectOneEach(entries int) {
	tr.t.Helper()
	// With each INCR goes an entry of the stream in which hubs say who is there.
	added := tr.redis.CommandCalls("xadd") - tr.redis.CommandCalls("incr")
	published := tr.redis.CommandCalls("publish")
	probes := len(tr.hubs) * (2 + int(time.Since(tr.begun)/time.Second))
	tr.t.Logf("Redis: %d XADD, %d PUBLISH, %d EVALSHA for %d entries", added, published, tr.redis.CommandCalls("evalsha"), entries)
	if added != entries {
		tr.t.Errorf("XADD was called %d times for %d entries", added, entries)
	}
	if published > entries+probes {
		tr.t.Errorf("PUBLISH was called %d times for %d entries and %d probes at most", published, entries, probes)
	}
}

// finishLossless is finish where nothing may be lost. It returns how many entries the logs have.
func (tr *trial) finishLossless() (entries int) {
	tr.t.Helper()
	f := tr.finish()
	tr.expectLossless(f)
	return f.entries
}
