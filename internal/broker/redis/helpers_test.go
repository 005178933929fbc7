//go:build !short

package redis

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// secret is the password of all tests: it must not be seen in an error or in the log.
const secret = "hunter2"

// unhurried is the time-out where a test does not look at how long something takes: on a busy machine Redis may well
// leave something unanswered for a second, and the broker is right to be isolated then.
const unhurried = 30 * time.Second

// logged is a log that a test can read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count returns in how many lines s stands.
func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, s) {
			n++
		}
	}
	return n
}

// newBroker returns a broker that is not started, unhurried unless opts say otherwise, and its log. The test's end
// closes it and looks for the password in the log.
func newBroker(t testing.TB, opts Options) (*Broker, *logged) {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = unhurried
	}
	log := &logged{}
	opts.Log = newTextLog(log)
	b, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if log.count(secret) > 0 {
			t.Errorf("the log shows the password:\n%s", log.text.String())
		}
	})
	return b, log
}

// started is a broker with its receiver and its log.
type started struct {
	*Broker
	*brokertest.Receiver
	log *logged
}

// current returns the broker's link, nil where it is isolated.
func (s started) current() *link {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.link
}

// start starts a broker that wants all rooms that tests publish in.
func start(t testing.TB, opts Options) started {
	t.Helper()
	b, log := newBroker(t, opts)
	r := brokertest.NewReceiver(t)
	if err := b.Start(t.Context(), r); err != nil {
		t.Fatalf("start: %v", err)
	}
	brokertest.Want(t, b, brokertest.Rooms()...)
	return started{b, r, log}
}

// startTwo starts two brokers at server and waits until they are joined. A time-out of 0 is unhurried.
func startTwo(t testing.TB, server *redistest.Server, timeout time.Duration) (a, b started) {
	t.Helper()
	a = start(t, Options{URL: server.URL(), Timeout: timeout})
	b = start(t, Options{URL: server.URL(), Timeout: timeout})
	a.AwaitIsolated(false)
	b.AwaitIsolated(false)
	return a, b
}

// publish has b publish numbers first to last of sender.
func publish(b hub.Broker, sender string, first, last int) {
	for n := first; n <= last; n++ {
		b.Publish(brokertest.NewPublication("origin of "+sender, sender, "lobby", n))
	}
}

// bestOf runs attempt, which returns how long something took, until it took at most limit, at most three times: a busy
// machine may spoil some.
func bestOf(t *testing.T, what string, limit time.Duration, attempt func() time.Duration) {
	t.Helper()
	for n := 1; ; n++ {
		took := attempt()
		t.Logf("%s took %v", what, took.Round(time.Millisecond))
		if took <= limit {
			return
		}
		if n == 3 {
			t.Fatalf("%s took more than %v, three times", what, limit)
		}
	}
}
