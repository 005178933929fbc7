//go:build !short

package redis

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/broker/brokertest"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// busyTime returns for how many microseconds the server ran command since its counts were reset.
func busyTime(tb testing.TB, server *redistest.Server, command string) float64 {
	tb.Helper()
	_, rest, _ := strings.Cut(server.Info("commandstats")["cmdstat_"+command], "usec=")
	digits, _, _ := strings.Cut(rest, ",")
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		tb.Fatalf("read the time of %s: %v", command, err)
	}
	return n
}

// BenchmarkLogScript is what a message of 100 bytes costs Redis, by how many share a call: the time that it says it
// spent in the script, messages published to one subscriber.
func BenchmarkLogScript(b *testing.B) {
	for _, size := range []int{1, 8, 32, 128} {
		b.Run(fmt.Sprintf("%d in a call", size), func(b *testing.B) {
			server := redistest.New(b, redistest.Options{})
			log := startLogAt(b, server.URL())
			log.Subscribe("lobby", 1)
			log.AwaitConfirmed("lobby", 1)
			link := log.link
			n := 0
			var failed error
			call := func() {
				c := &logCall{room: "lobby"}
				for range size {
					m := brokertest.NewMessage("sender", "lobby", n)
					m.Data = make([]byte, 100)
					n++
					c.requests = append(c.requests, &appendRequest{
						room: m.Room, key: idempotencyKey(m.Room, m.From.ID, strconv.Itoa(n)), record: appendMessage(nil, m),
						log: link.log, then: func(_ hub.Appended, err error) { failed = err },
					})
				}
				link.send([]*logCall{c}, true)
			}
			for n < 2000 { // until the log is as long as it gets
				call()
			}
			server.ResetCalls()
			before := n
			for b.Loop() {
				call()
			}
			if failed != nil {
				b.Fatal(failed)
			}
			b.ReportMetric(busyTime(b, server, "evalsha")/float64(n-before), "redis-µs/msg")
		})
	}
}

// BenchmarkLogAppend stores messages of 100 bytes through two logs, which both hear of all, with many waiting for their
// answers, and one after the other.
func BenchmarkLogAppend(b *testing.B) {
	for _, c := range []struct{ rooms, waiting int }{{1, 4096}, {10, 4096}, {1000, 4096}, {1, 1}} {
		b.Run(fmt.Sprintf("%d rooms, %d waiting", c.rooms, c.waiting), func(b *testing.B) {
			server := redistest.New(b, redistest.Options{})
			var logs [2]*Log
			for i := range logs {
				l, _ := newLog(b, LogOptions{Options: Options{URL: server.URL()}})
				if err := l.Start(b.Context(), silent{}); err != nil {
					b.Fatal(err)
				}
				for n := range c.rooms {
					l.Subscribe(fmt.Sprintf("room%d", n), 1)
				}
				logs[i] = l
			}
			free := make(chan error, c.waiting) // a place each for what may wait; nil, or why a message was not stored
			for range c.waiting {
				free <- nil
			}
			n := 0
			for b.Loop() {
				if err := <-free; err != nil {
					b.Fatal(err)
				}
				m := brokertest.NewMessage("sender", fmt.Sprintf("room%d", n%c.rooms), n)
				m.Data = make([]byte, 100)
				if err := logs[n%2].Append(m, func(_ hub.Appended, err error) { free <- err }); err != nil {
					b.Fatal(err)
				}
				n++
			}
			for range c.waiting {
				<-free
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64(n)/float64(server.CommandCalls("evalsha")), "msg/call")
		})
	}
}

// silent is a receiver that keeps nothing.
type silent struct{}

func (silent) Subscribed(string, uint64)     {}
func (silent) Published(string, []hub.Entry) {}
func (silent) Missed(string)                 {}
func (silent) SetAway(bool, error)           {}
