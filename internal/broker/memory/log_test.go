package memory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

func TestLogContract(t *testing.T) {
	brokertest.RunLog(t, func(_ *testing.T, n int, s brokertest.LogSetup) []hub.Log {
		logs := NewLogs(LogOptions{
			QueueBytes: s.QueueBytes, KeyTTL: s.KeyTTL,
			Retention: func(string) hub.Retention { return s.Retention },
		})
		var all []hub.Log
		for range n {
			all = append(all, logs.Log())
		}
		return all
	})
}

// TestLogExpiry looks at when what goes, to the second, and that nothing is left of it.
func TestLogExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl, keyTTL = time.Hour, 10 * time.Minute
		logs := NewLogs(LogOptions{
			KeyTTL: keyTTL, Retention: func(string) hub.Retention { return hub.Retention{History: 10, TTL: ttl} },
		})
		log := logs.Log()
		brokertest.StartLog(t, log)
		began := time.Now()
		for n := range 20 {
			brokertest.Append(t, log, brokertest.NewMessage("a", fmt.Sprintf("room%d", n), 1))
		}
		epoch := brokertest.Read(t, log, "room0", hub.Position{}, 1, false).Epoch
		start := hub.Position{Epoch: epoch}
		for _, step := range []struct {
			at   time.Duration
			want hub.LogStatus
			dup  bool
		}{
			{at: keyTTL - time.Second, want: hub.LogRead, dup: true},
			{at: keyTTL, want: hub.LogRead},
		} {
			time.Sleep(time.Until(began.Add(step.at)))
			if p := brokertest.Read(t, log, "room0", start, 1, false); p.Status != step.want {
				t.Errorf("after %v: %+v", step.at, p)
			}
			if a := brokertest.Append(t, log, brokertest.NewMessage("a", "room1", 1)); a.Duplicate != step.dup {
				t.Errorf("after %v: %+v", step.at, a)
			}
		}
		time.Sleep(time.Until(began.Add(ttl - time.Second)))
		if p := brokertest.Read(t, log, "room0", start, 1, false); len(p.Entries) != 1 {
			t.Errorf("a second before its entries expire: %+v", p)
		}
		time.Sleep(time.Second)
		if p := brokertest.Read(t, log, "room0", start, 1, true); p.Status != hub.LogReset || p.Before != 1 {
			t.Errorf("when its entries have expired: %+v", p)
		}
		time.Sleep(time.Until(began.Add(ttl + keyTTL)))
		brokertest.Read(t, log, "elsewhere", hub.Position{}, 1, false)
		if len(logs.rooms) != 2 || len(logs.expiring) != 2 { // room0 was read with keep, room1 was appended to
			t.Errorf("%d rooms are left of 20, %d in order", len(logs.rooms), len(logs.expiring))
		}
		time.Sleep(2 * ttl)
		brokertest.Read(t, log, "elsewhere", hub.Position{}, 1, false)
		if len(logs.rooms) != 0 || len(logs.expiring) != 0 {
			t.Errorf("%d rooms are left, %d in order", len(logs.rooms), len(logs.expiring))
		}
	})
}

// TestLogSubscribersOfNothing looks at what rooms cost that nobody subscribes to any more.
func TestLogSubscribersOfNothing(t *testing.T) {
	logs := NewLogs(LogOptions{})
	a, b := logs.Log(), logs.Log()
	r := brokertest.StartLog(t, a)
	brokertest.StartLog(t, b)
	for n := range 10 {
		a.Subscribe(fmt.Sprintf("room%d", n), 1)
		b.Subscribe(fmt.Sprintf("room%d", n), 1)
	}
	r.AwaitConfirmed("room9", 1)
	for n := range 10 {
		a.Unsubscribe(fmt.Sprintf("room%d", n))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if len(logs.rooms) != 0 || len(logs.subscribers) != 0 {
		t.Errorf("%d rooms and subscribers of %d are left", len(logs.rooms), len(logs.subscribers))
	}
}
