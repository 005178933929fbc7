//go:build unix && !short

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestResumeStorm has 10,000 sessions lose their hub at the same time, or as many as a process may have connections. All
// come back at another at once, and get what was published meanwhile; Redis is read once for each room.
func TestResumeStorm(t *testing.T) {
	const roomCount, before, missed = 20, 5, 10
	sessions := 10_000
	if raceDetector {
		sessions = 1000
	}
	var descriptors syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &descriptors); err != nil {
		t.Fatal(err)
	}
	sessions = min(sessions, int(min(descriptors.Cur, 1<<20))*9/10)
	redis := startLogRedis(t)
	// No position checks, which are reads, too.
	hubs := startLogHubs(t, redis, 2, "--check-interval", "1h", "--broker-timeout", "1s", "--broker-ping", "500ms")
	s := make([]*lightSession, sessions)
	for i := range s {
		s[i] = &lightSession{room: fmt.Sprint("room", i%roomCount)}
	}
	var again atomic.Int64 // times that a hub had no time for a session, which then connected again
	t.Cleanup(func() {
		for _, session := range s {
			if session.Conn != nil {
				session.Close()
			}
		}
	})

	since := time.Now()
	together(t, s, func(session *lightSession) error {
		_, err := session.come(hubs[0].Addr(), &again)
		return err
	})
	t.Logf("%d sessions in %d rooms attached in %v", sessions, roomCount, time.Since(since).Round(time.Millisecond))
	postTo(t, hubs[1], roomCount, before)
	together(t, s, func(session *lightSession) error { return session.awaitOffset(before) })

	hubs[0].Kill()
	for _, session := range s {
		session.Close()
	}
	postTo(t, hubs[1], roomCount, missed)
	redis.ResetCalls()
	since = time.Now()
	together(t, s, func(session *lightSession) error {
		got, err := session.come(hubs[1].Addr(), &again)
		if err == nil && got != missed {
			err = fmt.Errorf("resumed with %d messages, want %d", got, missed)
		}
		return err
	})
	took := time.Since(since)
	// What hubs say and ask about people goes through scripts too: each has an HGET or HGETALL, one of them both, and XTRIM,
	// which nothing else has while nothing is published.
	reads := redis.CommandCalls("evalsha") - redis.CommandCalls("hget") - redis.CommandCalls("hgetall") + redis.CommandCalls("xtrim")
	t.Logf("%d sessions resumed in %v, Redis was read %d times for %d rooms; %d had to connect again", sessions,
		took.Round(time.Millisecond), reads, roomCount, again.Load())
	// A room is read once, when its first session comes; again where the hub lost Redis meanwhile, as it does where it is
	// kept from working for too long. A call that finds that Redis does not know the script counts, too.
	const unknown = 5
	away := strings.Count(hubs[1].Log(), "the logs of rooms are away")
	if limit := roomCount*(1+away) + unknown; reads > limit {
		t.Errorf("Redis was read %d times, more than %d; the hub lost it %d times", reads, limit, away)
	}
	postTo(t, hubs[1], roomCount, 1)
	together(t, s, func(session *lightSession) error { return session.awaitOffset(before + missed + 1) })
}

// come attaches to a hub, again and again where it has no time for the session.
func (s *lightSession) come(addr string, again *atomic.Int64) (missed int, err error) {
	for since := time.Now(); time.Since(since) < patience; again.Add(1) {
		got, err := s.attach(addr)
		missed += got
		if err == nil || !errors.Is(err, errCloseFrame) {
			return missed, err
		}
		s.Close()
	}
	return missed, errors.New("the hub never had time")
}

// together does something with all sessions at once, and waits for all.
func together(t *testing.T, sessions []*lightSession, do func(*lightSession) error) {
	t.Helper()
	var work sync.WaitGroup
	var mu sync.Mutex
	failed, first := 0, error(nil)
	for _, s := range sessions {
		work.Go(func() { // ends when the session is done, or its deadline is over
			if err := do(s); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed++; first == nil {
					first = err
				}
			}
		})
	}
	work.Wait()
	if failed > 0 {
		t.Fatalf("%d of %d sessions failed, the first with: %v", failed, len(sessions), first)
	}
}

// postTo publishes so many messages in each room over HTTP.
func postTo(t *testing.T, h *hub, rooms, count int) {
	t.Helper()
	for i := range rooms {
		for n := range count {
			if status, p := publish(t, h, fmt.Sprint("room", i), "", fmt.Sprint("message ", n)); status != 201 {
				t.Fatalf("status %d, %+v", status, p)
			}
		}
	}
}
