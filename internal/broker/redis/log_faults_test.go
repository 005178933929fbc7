//go:build !short

package redis

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestLogAnswerLost cuts the connection between the script and its answer: the message is unknown to its publisher,
// stored, and a retry under its key is told where.
func TestLogAnswerLost(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	front := newFront(t, server.Addr())
	log, witness := startLogAt(t, front.url()), startLogAt(t, server.URL())
	for n := 1; n <= 3; n++ {
		front.deafen()
		m := brokertest.NewMessage("a", "lobby", n)
		answered := make(chan error, 1) // the answer, from the log's goroutine; never closed
		if err := log.Append(m, func(_ hub.Appended, err error) { answered <- err }); err != nil {
			t.Fatal(err)
		}
		witness.Await("the message to be stored", func() bool { return witness.read(t, hub.Position{}).Top == uint64(n) })
		select {
		case err := <-answered:
			t.Fatalf("an answer came that was lost: %v", err)
		default:
		}
		front.cut()
		if err := <-answered; !errors.Is(err, hub.ErrUnknown) {
			t.Errorf("the message whose answer was lost: %v, want ErrUnknown", err)
		}
		log.AwaitAway(true)
		log.AwaitAway(false)
		a := brokertest.AppendUntilStored(t, log, m)
		if !a.Duplicate || a.At.Offset != uint64(n) {
			t.Errorf("the same message again: %+v", a)
		}
	}
	if got := len(brokertest.ReadAll(t, witness, "lobby")); got != 3 {
		t.Errorf("the log has %d entries, want 3", got)
	}
}

// TestLogHangs stops Redis where it is: what is on its way is unknown in time, what follows is refused at once, and all
// is stored once when Redis goes on.
func TestLogHangs(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLog(t, LogOptions{Options: Options{URL: server.URL(), Timeout: hang}})
	log.append(t, 1, 1)
	server.Pause()
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 2)); !errors.Is(err, hub.ErrUnknown) {
		t.Errorf("append while Redis hangs: %v, want ErrUnknown", err)
	}
	log.AwaitAway(true)
	if _, _, why := log.Away(); !strings.HasSuffix(why.Error(), " does not answer: no answer within 2s") {
		t.Errorf("away: %v", why)
	}
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 3)); !errors.Is(err, hub.ErrAway) {
		t.Errorf("append while the log is away: %v, want ErrAway", err)
	}
	server.Resume()
	log.AwaitAway(false)
	log.append(t, 1, 3)
	if got := len(brokertest.ReadAll(t, log, "lobby")); got != 3 {
		t.Errorf("the log has %d entries, want 3", got)
	}
}

// TestLogScriptsForgotten has Redis forget its scripts again and again while messages are stored and read: nobody
// notices, and no epoch begins.
func TestLogScriptsForgotten(t *testing.T) {
	t.Parallel()
	const n = 2000
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	epoch := log.append(t, 0, 0).Epoch
	var wg sync.WaitGroup
	for i := 1; i <= n; i++ {
		if i%100 == 0 {
			server.Do("SCRIPT", "FLUSH")
		}
		wg.Add(1)
		if err := log.Append(brokertest.NewMessage("a", "lobby", i), func(a hub.Appended, err error) {
			defer wg.Done()
			if err != nil || a.At != at(epoch, uint64(i+1)) {
				t.Errorf("message %d: %+v, %v", i, a, err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if i%500 == 0 {
			if p := log.read(t, hub.Position{}); p.Status != hub.LogTop || p.Epoch != epoch {
				t.Errorf("read after message %d: %+v", i, p)
			}
		}
	}
	brokertest.WaitFor(t, "the answers", &wg)
	if away, changes, why := log.Away(); away || changes != 1 {
		t.Errorf("away: %v, told %d times: %v", away, changes, why)
	}
}

// TestLogMemoryFull fills Redis to its limit: a message is refused whole, reading goes on, and makes rooms too; a log
// that comes then finds its place.
func TestLogMemoryFull(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	epoch := log.append(t, 1, 3).Epoch
	server.Do("CONFIG", "SET", "maxmemory", "1")
	_, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "lobby", 4))
	if !errors.Is(err, hub.ErrNoMemory) {
		t.Fatalf("append: %v, want ErrNoMemory", err)
	}
	p := log.check(t, at(epoch, 0), hub.LogRead, 0, 1, ids(1, 3)...)
	if p.Top != 3 || p.Epoch != epoch {
		t.Errorf("after the refusal: %+v", p)
	}
	if p := brokertest.Read(t, log, "new", hub.Position{}, 1, true); p.Status != hub.LogTop || p.Epoch == "" {
		t.Errorf("a new room: %+v", p)
	}
	late := startLogAt(t, server.URL())
	late.check(t, at(epoch, 1), hub.LogRead, 0, 2, ids(2, 3)...)
	server.Do("CONFIG", "SET", "maxmemory", "0")
	if a := log.append(t, 4, 4); a.Duplicate || a.At != at(epoch, 4) {
		t.Errorf("the same message again: %+v", a)
	}
	if away, changes, why := log.Away(); away || changes != 1 {
		t.Errorf("away: %v, told %d times: %v", away, changes, why)
	}
}

// TestLogCut cuts each kind of connection at Redis: the log notices at once, and subscribes again by itself.
func TestLogCut(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	for i := range 250 {
		log.Subscribe(fmt.Sprintf("room%d", i), uint64(i))
	}
	log.AwaitConfirmed("room249", 249)
	log.Subscribe("lobby", 1)
	log.AwaitConfirmed("lobby", 1)
	for round, kind := range []string{"pubsub", "normal", "pubsub"} {
		_, before, _ := log.Away()
		server.Do("CLIENT", "KILL", "TYPE", kind)
		log.Await("the loss and its end", func() bool {
			away, changes, _ := log.Away()
			return !away && changes == before+2
		})
		log.Await("all confirmations", func() bool {
			for i := range 250 {
				if len(log.Confirmed(fmt.Sprintf("room%d", i))) != round+2 {
					return false
				}
			}
			return len(log.Confirmed("lobby")) == round+2
		})
		log.append(t, round+1, round+1)
		log.AwaitOffset("lobby", uint64(round+1))
		if clients := server.Clients(); len(clients) != logConnections {
			t.Errorf("connections:\n%s", strings.Join(clients, "\n"))
		}
	}
}

// TestLogDeadEnd leads the subscribed connection to a Redis where nobody publishes: it looks healthy, and brings
// nothing. The log finds out by itself.
func TestLogDeadEnd(t *testing.T) {
	t.Parallel()
	server, other := redistest.New(t, redistest.Options{}), redistest.New(t, redistest.Options{})
	front := newFront(t, server.Addr())
	front.astray(logConnections-1, other.Addr()) // the last that the first link dials
	log := startLog(t, LogOptions{Options: Options{URL: front.url(), Timeout: hang}, Silence: 10 * time.Millisecond})
	log.Subscribe("lobby", 1)
	log.AwaitAway(true)
	if _, _, why := log.Away(); !strings.Contains(why.Error(), "what is published does not come back") {
		t.Errorf("away: %v", why)
	}
	log.AwaitAway(false)
	log.Await("the confirmation of the next link", func() bool { return len(log.Confirmed("lobby")) == 2 })
	log.append(t, 1, 1)
	log.AwaitOffset("lobby", 1)
}

// TestLogTraffic looks at what Redis is asked for: a message is published once whatever the number of hubs, many at
// once share a call, and a log with nothing to do asks for nothing but what its probes do.
func TestLogTraffic(t *testing.T) {
	t.Parallel()
	const n = 2000
	server := redistest.New(t, redistest.Options{})
	logs := []startedLog{startLogAt(t, server.URL()), startLogAt(t, server.URL()), startLogAt(t, server.URL())}
	for _, l := range logs {
		l.Subscribe("lobby", 1)
		l.AwaitConfirmed("lobby", 1)
	}
	server.ResetCalls()
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		if err := logs[0].Append(brokertest.NewMessage("a", "lobby", i+1), func(_ hub.Appended, err error) {
			defer wg.Done()
			if err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	brokertest.WaitFor(t, "the answers", &wg)
	for _, l := range logs {
		l.AwaitOffset("lobby", n)
		brokertest.CheckEntries(t, l.Got("lobby"), 1, ids(1, n)...)
	}
	calls, publishes := server.CommandCalls("evalsha"), server.CommandCalls("publish")
	t.Logf("%d messages: %d calls, %d publishes", n, calls, publishes)
	if publishes != calls || calls > n/4 {
		t.Errorf("%d messages at once took %d calls and %d publishes", n, calls, publishes)
	}
	if adds := server.CommandCalls("xadd"); adds != n {
		t.Errorf("%d messages were added %d times", n, adds)
	}
	server.ResetCalls()
	log := logs[0]
	for range 3 { // the same again: nothing is published
		log.append(t, n, n)
	}
	if publishes := server.CommandCalls("publish"); publishes != 0 {
		t.Errorf("duplicates were published %d times", publishes)
	}
}

// TestLogStrangeRoom has other programs put something else where a room's log stands: that room fails, and no other.
func TestLogStrangeRoom(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, redistest.Options{})
	log := startLogAt(t, server.URL())
	server.Do("SET", streamKey("stream"), "x")
	server.Do("SET", metaKey("meta"), "x")
	server.Do("HSET", metaKey("forks"), "e", "e1", "s", "5", "r", "x", "f", "nonsense")
	if _, err := brokertest.TryAppend(t, log, brokertest.NewMessage("a", "meta", 1)); !errors.Is(err, hub.ErrUnknown) {
		t.Errorf("append in a room whose meta is none: %v, want ErrUnknown", err)
	}
	for _, room := range []string{"meta", "forks"} {
		if _, err := brokertest.TryRead(t, log, room, hub.Position{}, 1, true); err == nil {
			t.Errorf("room %q can be read", room)
		}
	}
	if a := brokertest.Append(t, log, brokertest.NewMessage("a", "stream", 1)); a.At.Offset != 1 {
		t.Errorf("a stream that is none is replaced with the room's first epoch: %+v", a)
	}
	server.Do("XADD", streamKey("stream"), "2-0", "e", "e", "d", "junk")
	server.Do("HSET", metaKey("stream"), "s", "2")
	top := brokertest.Read(t, log, "stream", hub.Position{}, 1, true)
	p := brokertest.Read(t, log, "stream", at(top.Epoch, 0), 9, true)
	if len(p.Entries) != 2 || p.Entries[1].Message.Kind != 0 || p.Entries[1].Message.Room != "stream" {
		t.Errorf("an entry that cannot be read: %+v", p)
	}
	log.append(t, 1, 1)
	if away, changes, why := log.Away(); away || changes != 1 {
		t.Errorf("away: %v, told %d times: %v", away, changes, why)
	}
}
