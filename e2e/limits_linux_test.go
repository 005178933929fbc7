package e2e

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// rss returns how many bytes of memory a process holds.
func rss(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if size, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kB << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestClientThatNeverReads publishes far more than fits into any buffer to a room with clients that never read. The hub
// closes them in time and gives the others everything. What they are owed it drops and counts in a live room; in a log room
// it drops nothing.
func TestClientThatNeverReads(t *testing.T) { bothKinds(t, "flood", testClientThatNeverReads) }

func testClientThatNeverReads(t *testing.T, room string) {
	t.Parallel()
	const writeTimeout = 2 * time.Second
	// The log of a room that is in the hub's own memory is not what is measured: of messages as large as these it would
	// hold 60 MB.
	h := startHub(t, "--write-timeout", writeTimeout.String(), "--config", writeConfig(t, `rooms: [{match: flood, history: 10}]`))
	sender, reader := dialPlain(t, h, room), dialPlain(t, h, room)
	const stuck = 6
	for i := range stuck {
		switch i % 3 {
		case 0:
			dialRawWS(t, h, room, "")
			continue
		case 1:
			openEvents(t, h, room, "", "")
			continue
		}
		c := dialRawWS(t, h, "", protocol.SubprotocolV1)
		c.writeFrame(final|opText, []byte(`{"type":"hello"}`))
		c.writeFrame(final|opText, []byte(`{"type":"join","room":"`+room+`"}`))
		frames := 3 // welcome, status, there
		if isLog(room) {
			frames++ // subscribed
		}
		for range frames {
			if _, _, err := c.readFrame(); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "all are in the room", func() error { return h.isConnected(2 + stuck) })

	before, most, sent := rss(t, h.Pid()), 0, 0
	payload := strings.Repeat("x", 60<<10)
	const window = 8 // messages, with what is being written well below the 1 MiB that a hub keeps for the reader
	since := time.Now()
	for h.closed(protocol.CodeTooSlow) < stuck {
		if time.Since(since) > patience {
			t.Fatalf("%d of %d were closed", h.closed(protocol.CodeTooSlow), stuck)
		}
		for range window {
			sender.send(payload)
		}
		for range window {
			reader.expectText(payload)
		}
		sent += window * len(payload)
		most = max(most, rss(t, h.Pid()))
	}
	dropped := h.Metrics()[`realtime_hub_messages_dropped_total{reason="send_queue"}`]
	t.Logf("all closed after %v; %d MB published, %.0f messages dropped for %d clients; memory before %.1f MB, at most %.1f MB (race detector: %v)",
		time.Since(since).Round(time.Millisecond), sent>>20, dropped, stuck, float64(before)/1e6, float64(most)/1e6, raceDetector)
	if (dropped > 0) == isLog(room) {
		t.Errorf("%.0f messages were counted as dropped", dropped)
	}
	bound := 48 << 20 // 1 MiB a client and subprotocol, and what waits for the garbage collector
	if raceDetector {
		bound *= 8
	}
	if most-before > bound {
		t.Errorf("the hub grew by %d MB, more than %d", (most-before)>>20, bound>>20)
	}
	eventually(t, "they are forgotten", func() error {
		if slow := h.Metrics()["realtime_hub_slow_consumers"]; slow != 0 {
			return fmt.Errorf("%v slow consumers are left", slow)
		}
		return h.isConnected(2)
	})
	talk(t, "afterwards", sender, reader)
}

// isConnected returns an error where the hub does not have n connections.
func (h *hub) isConnected(n int) error {
	if got := h.Metrics()["realtime_hub_connections"]; got != float64(n) {
		return fmt.Errorf("%v connections, want %d", got, n)
	}
	return nil
}

// closed returns how many connections the hub closed with code.
func (h *hub) closed(code protocol.Code) int {
	return int(h.Metrics()[`realtime_hub_connections_closed_total{code="`+code.String()+`"}`])
}

// TestUnfinishedHandshakes opens 1,000 connections that never finish their handshake, in several ways. They are closed
// in time, others are served meanwhile, and nothing is left of them.
func TestUnfinishedHandshakes(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	h := startHub(t, "--handshake-timeout", timeout.String())
	undisturbed := startPair(t, h)
	eventually(t, "the hub is at rest", func() error { return h.isConnected(2) })
	before := h.Metrics()

	conns := make([]*raw, 1000)
	since := time.Now()
	for i := range conns {
		conns[i] = dialRaw(t, h)
		switch i % 4 { // and some that send nothing at all
		case 1:
			conns[i].write([]byte("GET /ws HT"))
		case 2:
			conns[i].write([]byte("GET /ws HTTP/1.1\r\nHost: " + h.Addr() + "\r\nUpgrade: websocket\r\n"))
		case 3:
			conns[i].write([]byte("\x16\x03\x01"))
		}
	}
	opened := time.Since(since)
	late := dialPlain(t, h, "late") // served meanwhile
	accepted(t, post(t, h, "late", "", "hi"), protocol.ScopeCluster)
	late.expectText("hi")
	late.ws.CloseNow()
	if n := h.Metrics()["process_open_fds"]; opened < timeout && n < before["process_open_fds"]+500 {
		t.Errorf("%v descriptors while 1,000 connections wait, %v before", n, before["process_open_fds"])
	}

	for i, c := range conns {
		buf := make([]byte, 1024)
		for {
			if _, err := c.r.Read(buf); err != nil {
				if os.IsTimeout(err) {
					t.Fatalf("connection %d was not closed", i)
				}
				break
			}
		}
	}
	took := time.Since(since)
	t.Logf("opened in %v, all closed after %v", opened.Round(time.Millisecond), took.Round(time.Millisecond))
	h.waitNothingLeft(before)
	undisturbed()
}

// waitNothingLeft waits until the hub holds no more than it did when its metrics were before.
func (h *hub) waitNothingLeft(before map[string]float64) {
	h.tb.Helper()
	eventually(h.tb, "nothing is left of those who went", func() error {
		now := h.Metrics()
		for _, name := range []string{"process_open_fds", "go_goroutines", "realtime_hub_connections", "realtime_hub_rooms"} {
			if now[name] > before[name] {
				return fmt.Errorf("%s is %v, and was %v before", name, now[name], before[name])
			}
		}
		return nil
	})
}

// TestChurn has many clients that come and go in all ways there are. Nothing is left of them, and nobody else notices.
func TestChurn(t *testing.T) { bothKinds(t, "room", testChurn) }

func testChurn(t *testing.T, prefix string) {
	t.Parallel()
	h := startHub(t)
	undisturbed := startPair(t, h)
	eventually(t, "the hub is at rest", func() error { return h.isConnected(2) })
	before := h.Metrics()
	for i := range 400 {
		room := fmt.Sprint(prefix, i%7)
		var c *raw
		if i%2 == 0 {
			c = dialRawWS(t, h, room, "")
			c.writeFrame(final|opText, []byte("hi"))
		} else {
			c = dialRawWS(t, h, "", protocol.SubprotocolV1)
			c.writeFrame(final|opText, []byte(`{"type":"hello","name":"Ada"}`))
			c.writeFrame(final|opText, []byte(`{"type":"join","room":"`+room+`"}`))
			c.writeFrame(final|opText, []byte(`{"type":"publish","room":"`+room+`","data":"hi"}`))
		}
		switch i / 2 % 4 {
		case 0: // in order
			c.writeFrame(final|opClose, []byte{3, 232})
			c.expectClosed(1000)
		case 1: // without a word
			c.Close()
		case 2: // with a reset
			c.Conn.(*net.TCPConn).SetLinger(0)
			c.Close()
		case 3: // in the middle of a frame
			c.write([]byte{final | opText, masked | 100, 0, 0, 0, 0, 'x'})
			c.Close()
		}
	}
	h.waitNothingLeft(before)
	undisturbed()
}
