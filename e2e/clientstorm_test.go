//go:build unix && !short

package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/protocol"
)

const (
	stormCrowd = 10 // clients in each room
	stormSlot  = 100 * time.Millisecond
	stormShare = 5                // a fifth of the tries to connect to a hub may come within one slot
	stormLimit = 20 * time.Second // twice as long as it may take on a machine that has nothing else to do
)

// TestClientStorm has 10,000 programs with the client of package client lose their hub, which is killed, and then the
// next, which goes away in order. All are back in time, each with what it missed, and they do not come at the same time.
func TestClientStorm(t *testing.T) {
	count := 10_000
	if raceDetector {
		count = 1000
	}
	var descriptors syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &descriptors); err != nil {
		t.Fatal(err)
	}
	count = min(count, int(min(descriptors.Cur, 1<<20))*9/10)
	redis := startLogRedis(t)
	hubs := startLogHubs(t, redis, 2, "--check-interval", "1h", "--broker-timeout", "2s", "--broker-ping", "500ms")
	s := startClientStorm(t, count, hubs[0], hubs[1])
	s.blow("killed", hubs[1], hubs[0].Kill)
	s.expectSpread(hubs[0]) // twice each, over 0.5 s and over 1 s
	s.expectSpread(hubs[1]) // over 2 s

	hubs[0].Restart()
	hubs[0].waitIsolated(false)
	s.blow("drained", hubs[0], hubs[1].Interrupt)
	s.expectSpread(hubs[0]) // the hub says when each is to come: over 5 s for 10,000
}

// clientStorm is many clients in few log rooms.
type clientStorm struct {
	t       *testing.T
	clients []*client.Client
	readers sync.WaitGroup
	posted  int          // in each room
	got     atomic.Int64 // messages that clients were given, in all
	again   atomic.Int64 // times that somebody was connected again

	mu    sync.Mutex
	tries map[string][]time.Time // when somebody was to try to connect, by the hub's URL; guarded by mu
}

// startClientStorm connects clients to the first of hubs, and returns when all are in their rooms.
func startClientStorm(t *testing.T, count int, home, other *hub) *clientStorm {
	t.Helper()
	s := &clientStorm{t: t, clients: make([]*client.Client, count), tries: map[string][]time.Time{}}
	since := time.Now()
	ctx, quit := context.WithCancel(t.Context())
	t.Cleanup(func() {
		quit()
		var leaving sync.WaitGroup
		for _, c := range s.clients {
			if c != nil {
				leaving.Go(func() { c.Close() }) // ends within a second or so
			}
		}
		leaving.Wait()
		s.readers.Wait()
	})
	var next atomic.Int64
	var starting sync.WaitGroup
	for range 64 {
		starting.Go(func() { // ends when all clients are started, or one cannot be
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if err := s.start(ctx, i, home, other); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%d clients in %d rooms started in %v", count, s.rooms(), time.Since(since).Round(time.Millisecond))
	return s
}

func (s *clientStorm) rooms() int { return (len(s.clients) + stormCrowd - 1) / stormCrowd }

func (s *clientStorm) start(ctx context.Context, i int, home, other *hub) error {
	c, err := client.Dial(ctx, home.URL(), client.WithHubs(other.URL()), client.WithLog(slog.New(stormLog{s})))
	if err != nil {
		return err
	}
	s.clients[i] = c
	room, err := c.Join(ctx, fmt.Sprint("room", i/stormCrowd))
	if err != nil {
		return err
	}
	s.readers.Go(func() { // ends with ctx
		for _, err := range room.Messages(ctx) {
			if err != nil {
				s.t.Error(err)
			}
			s.got.Add(1)
		}
	})
	return nil
}

// blow has all clients lose their hub, publishes one message in each room at the other, and returns when all have it. On a
// machine that does other work at the same time it may take longer, by as much as that takes of the processors. Where it
// takes more than half of them, the time is not judged: handshakes then take longer than clients wait for them, who try
// again, which is more work.
func (s *clientStorm) blow(how string, other *hub, lose func()) {
	s.t.Helper()
	s.mu.Lock()
	clear(s.tries)
	s.mu.Unlock()
	s.again.Store(0)
	clients, hub, machine := cpuTime(s.t), other.Metrics()["process_cpu_seconds_total"], machineTime()
	since := time.Now()
	lose()
	s.publish(other)
	eventuallyIn(s.t, 3*patience, "all are back", func() error {
		if n := s.again.Load(); n < int64(len(s.clients)) {
			return fmt.Errorf("%d of %d", n, len(s.clients))
		}
		if i := slices.IndexFunc(s.clients, func(c *client.Client) bool { return !c.Connected() }); i >= 0 {
			return fmt.Errorf("the client %d is gone again", i)
		}
		return nil
	})
	back := time.Since(since)
	eventuallyIn(s.t, 3*patience, "all have what they missed", func() error {
		if n := s.got.Load(); n != int64(s.posted*len(s.clients)) {
			return fmt.Errorf("%d messages, want %d", n, s.posted*len(s.clients))
		}
		return nil
	})
	took := time.Since(since)
	clients = cpuTime(s.t) - clients
	hub = other.Metrics()["process_cpu_seconds_total"] - hub
	share := 1.0 // of what the processors did
	if all := machineTime() - machine; all > 0 {
		share = min((clients.Seconds()+hub)/all.Seconds(), 1)
	}
	s.t.Logf("%s: all %d are back after %v, and have what they missed after %v; processor time: clients %.1f s, hub %.1f s, %.0f %% of all", how,
		len(s.clients), back.Round(time.Millisecond), took.Round(time.Millisecond), clients.Seconds(), hub, 100*share)
	if limit := time.Duration(float64(stormLimit) / share); took > limit && share > 0.5 {
		s.t.Errorf("it took %v, more than %v", took, limit)
	}
}

// cpuTime returns how much of the processors this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// machineTime returns how much of the processors everybody on this machine has used; 0 where the system does not say.
func machineTime() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(stat), "\n") // cpu user nice system idle iowait irq softirq steal …, in 1/100 s
	ticks := 0
	for i, field := range strings.Fields(line) {
		if n, err := strconv.Atoi(field); err == nil && i != 4 && i != 5 && i <= 8 {
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// publish publishes one message in each room, by a client of h.
func (s *clientStorm) publish(h *hub) {
	s.t.Helper()
	c, err := client.Dial(s.t.Context(), h.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	var work sync.WaitGroup
	const atOnce = 50
	for first := range atOnce {
		work.Go(func() { // ends when its rooms have the message
			for i := first; i < s.rooms(); i += atOnce {
				if _, err := c.Publish(s.t.Context(), fmt.Sprint("room", i), protocol.Text, []byte("missed")); err != nil {
					s.t.Error(err)
				}
			}
		})
	}
	work.Wait()
	s.posted++
}

// expectSpread fails the test where too many of the tries to connect to a hub were to be made within one slot.
func (s *clientStorm) expectSpread(h *hub) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	tries := s.tries[h.URL()]
	if len(tries) < len(s.clients) {
		s.t.Errorf("%d tries of %d clients at %s", len(tries), len(s.clients), h.Addr())
		return
	}
	slices.SortFunc(tries, time.Time.Compare)
	most, first := 0, 0
	for i, at := range tries {
		for at.Sub(tries[first]) >= stormSlot {
			first++
		}
		most = max(most, i-first+1)
	}
	s.t.Logf("%s: %d tries over %v, at most %d within %v", h.Addr(), len(tries),
		tries[len(tries)-1].Sub(tries[0]).Round(time.Millisecond), most, stormSlot)
	if limit := len(tries) / stormShare; most > limit {
		s.t.Errorf("%d tries within %v, more than %d", most, stormSlot, limit)
	}
}

// stormLog is the log of all clients: it counts who is back, and when each is to try.
type stormLog struct{ *clientStorm }

func (l stormLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (l stormLog) WithAttrs([]slog.Attr) slog.Handler               { panic("the client gives no attributes") }
func (l stormLog) WithGroup(string) slog.Handler                    { panic("the client makes no groups") }

func (l stormLog) Handle(_ context.Context, line slog.Record) error {
	if line.Message == "connected again" {
		l.again.Add(1)
		return nil
	}
	var where string
	wait := time.Duration(-1)
	line.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "next_hub":
			where = a.Value.String()
		case "next_try_in":
			wait = a.Value.Duration()
		}
		return true
	})
	if wait < 0 {
		return errors.New("not about a try") // which the logger drops
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries[where] = append(l.tries[where], line.Time.Add(wait))
	return nil
}
