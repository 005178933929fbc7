//go:build unix && !short

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestLogLatency measures how long a message of a log room takes from one client to the other: both at one hub, and at
// two, with Redis beside them and one message at a time. Each starts a batch anew, and the best counts: what is to be
// known is how long the hub takes, not what else the machine does.
func TestLogLatency(t *testing.T) {
	const batches, each = 5, 400
	hubs := startLogHubs(t, startLogRedis(t), 2)
	for _, test := range []struct {
		name   string
		to     *hub
		target time.Duration // for the median; 0: none
	}{{"one hub", hubs[0], 2 * time.Millisecond}, {"two hubs", hubs[1], 0}} {
		t.Run(test.name, func(t *testing.T) {
			from, to := attachLight(t, hubs[0], "lobby"), attachLight(t, test.to, "lobby")
			best, all := time.Hour, []time.Duration(nil)
			for range batches {
				took := passMany(t, from, to, each)
				best = min(best, took[each/2])
				all = append(all, took...)
			}
			slices.Sort(all)
			t.Logf("%d messages one after the other: median of the best batch %v; of all p50 %v, p90 %v, p99 %v", len(all),
				best.Round(time.Microsecond), all[len(all)/2].Round(time.Microsecond), all[len(all)*9/10].Round(time.Microsecond),
				all[len(all)*99/100].Round(time.Microsecond))
			if test.target > 0 && best > test.target && !raceDetector {
				t.Errorf("median %v, more than %v", best, test.target)
			}
		})
	}
}

// attachLight opens a session in a log room. The test's end closes it.
func attachLight(tb testing.TB, h *hub, room string) *lightSession {
	tb.Helper()
	s := &lightSession{room: room}
	if _, err := s.attach(h.Addr()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// passMany sends n messages, each when the one before has arrived and was acknowledged, and returns how long each took,
// sorted.
func passMany(t *testing.T, from, to *lightSession, n int) (took []time.Duration) {
	t.Helper()
	data, _ := json.Marshal(strings.Repeat("x", 100)) // a string can always be marshalled
	for i := range n {
		f := &protocol.Frame{Type: protocol.TypePublish, Room: from.room, Key: fmt.Sprint("k", from.cursor.Offset, ".", i), Data: data}
		since := time.Now()
		if _, err := from.Write(clientFrame(f.Encode())); err != nil {
			t.Fatal(err)
		}
		await(t, to, protocol.TypeMessage)
		took = append(took, time.Since(since))
		await(t, from, protocol.TypeAck)
	}
	slices.Sort(took)
	return took
}

func await(t *testing.T, s *lightSession, kind string) {
	t.Helper()
	for {
		f, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == kind {
			return
		}
	}
}

// BenchmarkLogThroughput publishes in log rooms from clients of two hubs, each of which has a window of messages that are
// not acknowledged, and hears those of the client at the other hub. An operation is 1,000 acknowledged messages.
func BenchmarkLogThroughput(b *testing.B) {
	for _, rooms := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d rooms", rooms), func(b *testing.B) {
			const unit, window = 1000, 4096 // the window is that of all clients
			hubs := startLogHubs(b, startLogRedis(b), 2, "--broker-timeout", "5s", "--broker-ping", "1s")
			acked := make(chan int) // from the reading goroutines, numbers of acks; never closed
			over := make(chan struct{})
			var work sync.WaitGroup
			for room := range rooms {
				for _, h := range hubs {
					p := &pump{lightSession: attachLight(b, h, fmt.Sprint("room", room)), acked: acked, over: over}
					work.Go(func() { p.run(max(1, window/(2*rooms))) }) // ends when over is closed and the session, too
					defer p.Close()
				}
			}
			got := 0
			count := func(n int) {
				for got < n {
					select {
					case n := <-acked:
						got += n
					case <-time.After(patience):
						b.Fatal("no message is acknowledged any more")
					}
				}
			}
			count(10 * unit) // warm
			got = 0
			for n := unit; b.Loop(); n += unit {
				count(n)
			}
			b.ReportMetric(float64(got)/b.Elapsed().Seconds(), "acked/s")
			close(over)
			b.Cleanup(work.Wait)
		})
	}
}

// pump publishes with a window, in raw frames, so that it costs little.
type pump struct {
	*lightSession
	acked chan<- int
	over  <-chan struct{}
	made  int
	buf   []byte
}

// run ends when over is closed, or the session.
func (p *pump) run(window int) {
	r := bufio.NewReaderSize(p.Conn, 64<<10)
	if p.make(window) != nil {
		return
	}
	acks, top := 0, 0 // top is the last offset: what is at or behind it was told before
	for {
		_, payload, err := readServerFrame(r)
		if err != nil {
			return
		}
		if at := offsetIn(payload); at > top {
			top = at
			if bytes.HasPrefix(payload, []byte(`{"type":"ack"`)) {
				acks++
			}
		}
		if acks == 0 || r.Buffered() > 0 && acks < window/2 {
			continue
		}
		select {
		case p.acked <- acks:
		case <-p.over:
			return
		}
		if p.make(acks) != nil {
			return
		}
		acks = 0
	}
}

// offsetIn returns the offset of the position that stands in a frame, or 0.
func offsetIn(frame []byte) (offset int) {
	_, rest, _ := bytes.Cut(frame, []byte(`"position":"`))
	_, digits, _ := bytes.Cut(rest, []byte(":"))
	for _, c := range digits {
		if c < '0' || c > '9' {
			break
		}
		offset = 10*offset + int(c-'0')
	}
	return offset
}

// make publishes n messages of 100 bytes in one write.
func (p *pump) make(n int) error {
	p.buf = p.buf[:0]
	for range n {
		p.made++
		text := fmt.Appendf(nil, `{"type":"publish","room":"%s","key":"k%d","kind":"text","data":"%0100d"}`, p.room, p.made, p.made)
		p.buf = append(p.buf, clientFrame(text)...)
	}
	_, err := p.Write(p.buf)
	return err
}
