package brokertest

import (
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// LogSetup is what a test asks of the logs that it is given; zero values stand for what is usual.
type LogSetup struct {
	Retention  hub.Retention // of all rooms
	KeyTTL     time.Duration
	QueueBytes int
}

// LogFactory makes n logs that keep the same rooms, for one test, and has the test's end undo what it did. The suite
// closes the logs.
type LogFactory func(t *testing.T, n int, s LogSetup) []hub.Log

// RunLog tests the contract of hub.Log.
func RunLog(t *testing.T, f LogFactory) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, LogFactory)
	}{
		{name: "every kind is kept as it was", run: testLogKinds},
		{name: "one order", run: testLogOrder},
		{name: "a key counts once", run: testLogKeys},
		{name: "a key counts once among two hubs", run: testLogKeysOfTwo},
		{name: "keys are forgotten", run: testLogKeysExpire},
		{name: "read from every position", run: testLogRead},
		{name: "pages are bounded in bytes", run: testLogPages},
		{name: "trimmed", run: testLogTrimmed},
		{name: "a room comes to be", run: testLogCreation},
		{name: "a room expires", run: testLogExpiry},
		{name: "a room that is listened to lives", run: testLogKept},
		{name: "subscriptions", run: testLogSubscriptions},
		{name: "many rooms", run: testLogManyRooms},
		{name: "one secret", run: testLogSecret},
		{name: "what waits is bounded", run: testLogBusy},
		{name: "a slow receiver holds up nobody", run: testLogSlowReceiver},
		{name: "close answers what was asked", run: testLogClose},
		{name: "close in any state", run: testLogCloseAnyState},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, f)
		})
	}
}

// startLogs makes logs and starts them; the receivers stand in their order.
func startLogs(t *testing.T, f LogFactory, n int, s LogSetup) ([]hub.Log, []*LogReceiver) {
	t.Helper()
	logs := f(t, n, s)
	receivers := make([]*LogReceiver, n)
	for i, l := range logs {
		receivers[i] = StartLog(t, l)
		receivers[i].AwaitAway(false)
	}
	return logs, receivers
}

// StartLog starts l with a receiver, and has the test's end close it.
func StartLog(t testing.TB, l hub.Log) *LogReceiver {
	t.Helper()
	r := NewLogReceiver(t)
	t.Cleanup(func() {
		r.Go()
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		r.End()
	})
	if err := l.Start(t.Context(), r); err != nil {
		t.Fatalf("start: %v", err)
	}
	return r
}
