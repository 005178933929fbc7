//go:build !short

package redis

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

func TestLogContract(t *testing.T) {
	t.Parallel()
	brokertest.RunLog(t, func(t *testing.T, n int, s brokertest.LogSetup) []hub.Log {
		server := redistest.New(t, redistest.Options{})
		var logs []hub.Log
		for range n {
			l, err := NewLog(LogOptions{
				Options:   Options{URL: server.URL(), Timeout: unhurried, QueueBytes: s.QueueBytes, Log: newTextLog(t.Output())},
				Retention: func(string) hub.Retention { return s.Retention },
				KeyTTL:    s.KeyTTL,
			})
			if err != nil {
				t.Fatal(err)
			}
			logs = append(logs, l)
		}
		return logs
	})
}
