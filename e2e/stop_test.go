package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestStop stops a hub with SIGTERM: what was published before arrives, clients are told when to come back, and the
// process ends with 0.
func TestStop(t *testing.T) { bothKinds(t, "lobby", testStop) }

func testStop(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	from, v1, plain := dialV1(t, h, "", room), dialV1(t, h, "", room), dialPlain(t, h, room)
	const n = 500
	for i := range n {
		from.publish(room, strconv.Itoa(i))
	}
	for range n {
		from.expectAck(room)
	}
	h.Interrupt()
	for i := range n {
		if f := v1.expect("message"); string(f.Data) != fmt.Sprintf("%q", strconv.Itoa(i)) {
			t.Fatalf("got %s, want %d", f.Data, i)
		}
		plain.expectText(strconv.Itoa(i))
	}
	retries := make(map[int64]bool)
	for _, c := range []*conn{from, v1} {
		f := c.expect("bye")
		if f.Retry == nil || *f.Retry < 0 {
			t.Fatalf("bye %+v", f)
		}
		retries[*f.Retry] = true
		if rest := c.expectClosed(protocol.CodeDraining); len(rest) > 0 {
			t.Errorf("after bye came %v", rest)
		}
	}
	plain.expectClosed(protocol.CodeDraining)
	if code := h.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("told to come back after (ms): %v", retries)
}

// TestStopDoesNotWaitForEver has clients that do not answer the close frame, and do not even read.
func TestStopDoesNotWaitForEver(t *testing.T) { bothKinds(t, "lobby", testStopDoesNotWaitForEver) }

func testStopDoesNotWaitForEver(t *testing.T, room string) {
	t.Parallel()
	const drain = time.Second
	h := startHub(t, "--drain-timeout", drain.String())
	for range 3 {
		dialRawWS(t, h, room, "")
	}
	sender := dialPlain(t, h, room)
	for range 100 {
		sender.send(strings.Repeat("x", 60<<10))
	}
	since := time.Now()
	h.Stop()
	took := time.Since(since)
	t.Logf("stopped after %v", took.Round(time.Millisecond))
	if took > drain+5*time.Second { // the rest is for a slow machine
		t.Errorf("the hub stopped after %v, with a drain time-out of %v", took, drain)
	}
}

// TestHubKilled kills a hub under clients of package client: they come back by themselves when it is started again, are
// told that something may be missing, and go on. The hub kept its log rooms in its memory, so that these are other ones then.
func TestHubKilled(t *testing.T) {
	t.Parallel()
	bothKinds(t, "lobby", testHubKilled)
}

func testHubKilled(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	ada, bob := dialClient(t, h, "Ada"), dialClient(t, h, "Bob")
	fromBob, fromAda := joinRoom(t, ada, room), joinRoom(t, bob, room)
	for round := range 3 {
		text := fmt.Sprint("round ", round)
		sendText(t, bob, room, text)
		sendText(t, ada, room, text)
		fromBob.expect(t, text)
		fromAda.expect(t, text)

		h.Kill()
		h.Restart()
		for _, r := range []*roomReader{fromBob, fromAda} {
			gap := r.expectGap(t)
			if gap.Dropped != 0 || gap.Reset != isLog(room) || !isLog(room) && (gap.Away == 0 || gap.Cause == nil) {
				t.Errorf("gap %+v", gap)
			}
		}
	}
}

// TestHubKilledWhilePublishing has a publisher that goes on while its hub is killed: each message is acknowledged and
// arrives, or its publisher is told that it may not have.
func TestHubKilledWhilePublishing(t *testing.T) { bothKinds(t, "lobby", testHubKilledWhilePublishing) }

func testHubKilledWhilePublishing(t *testing.T, room string) {
	t.Parallel()
	h := startHub(t)
	c, witness := dialClient(t, h, ""), dialPlain(t, h, room)
	stop := make(chan struct{}) // closed below, received by the goroutine
	type publication struct {
		n   int
		err error
	}
	done := make(chan []publication, 1) // sent once by the goroutine below
	go func() {                         // ends when stop is closed and the publication under way has ended; received below
		var all []publication
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- all
				return
			default:
			}
			_, err := c.Publish(t.Context(), room, protocol.Text, []byte(strconv.Itoa(n)))
			all = append(all, publication{n, err})
		}
	}()
	for range 1000 {
		witness.next()
	}
	h.Kill()
	h.Restart()
	after := dialPlain(t, h, room)
	for range 100 {
		after.next() // the publisher is back
	}
	close(stop)
	unknown := 0
	for _, p := range <-done {
		if p.err != nil {
			if unknown++; !errors.Is(p.err, client.ErrUnknown) {
				t.Errorf("message %d: %v", p.n, p.err)
			}
		}
	}
	if unknown > 1 { // one goroutine has one message on its way
		t.Errorf("%d messages of one publisher are unknown", unknown)
	}
}

func dialClient(t *testing.T, h *hub, name string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), h.URL(), client.WithName(name), client.WithBackoff(50*time.Millisecond, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func sendText(t *testing.T, c *client.Client, room, text string) {
	t.Helper()
	if _, err := c.Publish(t.Context(), room, protocol.Text, []byte(text)); err != nil {
		t.Error(err)
	}
}

// roomReader reads a room of package client in the background.
type roomReader struct {
	in chan any // a client.Message or an error; sent by the goroutine of joinRoom, closed at the end
}

func joinRoom(t *testing.T, c *client.Client, name string) *roomReader {
	t.Helper()
	room, err := c.Join(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	r := &roomReader{in: make(chan any, 1000)}
	go func() { // ends when the client is closed, which the cleanup does and waits for
		defer close(r.in)
		for m, err := range room.Messages(t.Context()) {
			if err != nil {
				r.in <- err
				continue
			}
			r.in <- m
		}
	}()
	return r
}

func (r *roomReader) next(t *testing.T) any {
	t.Helper()
	select {
	case v := <-r.in:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		return nil
	}
}

func (r *roomReader) expect(t *testing.T, text string) {
	t.Helper()
	v := r.next(t)
	if m, ok := v.(client.Message); !ok || string(m.Data) != text {
		encoded, _ := json.Marshal(v)
		t.Errorf("got %s, want the message %q", encoded, text)
	}
}

func (r *roomReader) expectGap(t *testing.T) *client.Gap {
	t.Helper()
	v := r.next(t)
	err, _ := v.(error)
	gap, ok := errors.AsType[*client.Gap](err)
	if !ok {
		t.Fatalf("got %v, want a gap", v)
	}
	return gap
}
