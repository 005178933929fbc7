package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestCloseFrames has RFC 6455 §5.5.1 and §7: a close frame is answered with its code, and ends all. In each case the
// hub closes the TCP connection first (§7.1.1): the client waits for that, and closes nothing.
func TestCloseFrames(t *testing.T) {
	cases := []exchange{
		{name: "5.5.1 without a payload", send: sent(final|opClose, ""), back: "close"},
		{name: "5.5.1 half a code", send: sent(final|opClose, "\x03"), back: wrong},
		{name: "5.5.1 a code alone", send: sentClose(1000, ""), back: "close 1000"},
		{name: "5.5.1 a reason", send: sentClose(1000, "good-bye"), back: "close 1000"},
		{name: "5.5.1 125 bytes", send: sentClose(1000, digits(123)), back: "close 1000"},
		{name: "5.5.1 126 bytes", send: sentClose(1000, digits(124)), back: wrong},
		{name: "5.5.1 byte by byte", send: sentClose(1001, "good-bye"), chop: 1, back: "close 1001"},
		{name: "5.5.1 text behind it", send: sentClose(1000, "") + sent(final|opText, "no"), back: "close 1000"},
		{name: "5.5.1 what is forbidden behind it", send: sentClose(1000, "") + "\xff\xff\xff", back: "close 1000"},
		{name: "5.5.1 another one behind it", send: sentClose(1000, "") + sentClose(1001, ""), back: "close 1000"},
		{name: "5.5.1 the rest of a message behind it", send: sent(opText, "a") + sentClose(1000, "") + sent(final|opCont, "b"), back: "close 1000"},
		{name: "7.1.7 much behind a fault", send: sent(final|3, "") + strings.Repeat(sent(final|opBinary, digits(65536)), 8), back: wrong},
		{name: "7.1.7 a close frame behind a fault", send: sent(final|rsv1|opText, "") + sentClose(1000, ""), back: wrong},
	}
	for _, tt := range goodUTF8 {
		cases = append(cases, exchange{name: "5.5.1 a reason with " + tt.name, send: sentClose(1000, tt.text), back: "close 1000"})
	}
	for _, tt := range badUTF8 {
		cases = append(cases, exchange{name: "8.1 a reason with " + tt.name, send: sentClose(1000, tt.bytes), back: notUTF8})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 32768, 65535} {
		cases = append(cases, exchange{name: fmt.Sprint("7.4 code ", code), send: sentClose(code, ""), back: wrong})
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4500, 4999} {
		cases = append(cases, exchange{name: fmt.Sprint("7.4 code ", code), send: sentClose(code, ""), back: fmt.Sprint("close ", code)})
	}
	runBoth(t, cases)
}

// TestMessagesBehindClose has a client that goes on talking after the close handshake, when the hub has closed the
// connection: nobody hears of it (RFC 6455 §1.4).
func TestMessagesBehindClose(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	room := newRoom()
	other, c := openPlain(t, h, room), openPlain(t, h, room)
	c.write(sentClose(1000, ""), 0)
	if got := c.untilEnd(); got != "close 1000" {
		t.Errorf("got %s", got)
	}
	_, _ = io.WriteString(c.nc, sent(final|opText, "no")) // which may fail already
	eventually(t, "the connection has ended", func() bool { return h.ws.Stats().Connections.All() == 1 })
	if got := other.untilTold(h, room); got != "" {
		t.Errorf("the others got %s", got)
	}
}

// TestHubClosesFirst has the hub begin the close handshake: it closes its end, takes no message any more, and waits for
// the client's close frame or the end of the connection (RFC 6455 §7.1.1, §7.1.2).
func TestHubClosesFirst(t *testing.T) {
	for _, tt := range []struct{ name, answer string }{
		{"7.1.2 the client answers", sentClose(int(protocol.CodeDraining), "")},
		{"7.1.2 the client answers without a code", sent(final|opClose, "")},
		{"7.1.2 the client's own close frame was under way", sentClose(1000, "")},
		{"7.1.2 the client sends more before", sent(final|opText, "late") + sent(final|opPing, "p") + sentClose(1000, "")},
		{"7.1.2 the client just ends", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, newBus(), "hub1", ws.Options{})
			c := openPlain(t, h, newRoom())
			done := make(chan error, 1) // sent once by the goroutine, which ends when the client has answered
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				done <- h.shutdown(ctx)
			}()
			if got, want := c.untilEnd(), "close 4001, explained"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			c.write(tt.answer, 0)
			if tt.answer == "" {
				_ = c.nc.Close()
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := h.ws.Stats().Closed; got[protocol.CodeDraining] != 1 || len(got) != 1 {
				t.Errorf("closed %v", got)
			}
			if got := h.Stats().Received["websocket"]; got != 0 {
				t.Errorf("%d messages were taken", got)
			}
		})
	}
}

// TestEndWithoutClose has clients that end without a close frame, in order or by a reset: nothing of a message that is
// not whole is seen by others, and the connection counts as 1006 (RFC 6455 §7.1.5).
func TestEndWithoutClose(t *testing.T) {
	for _, tt := range []struct{ name, send, others string }{
		{"7.1.5 at once", "", ""},
		{"7.1.5 behind a message", sent(final|opText, "a"), `text "a"`},
		{"7.1.5 in the first byte of a header", sent(final|opText, "a") + "\x81", `text "a"`},
		{"7.1.5 in a header", sent(final|opText, "abc")[:4], ""},
		{"7.1.5 in a frame", sent(final|opText, "abc")[:8], ""},
		{"7.1.5 between fragments", sent(opText, "a"), ""},
		{"7.1.5 in a close frame", sentClose(1000, "")[:7], ""},
	} {
		for how, end := range map[string]func(*net.TCPConn) error{
			"by FIN":   (*net.TCPConn).CloseWrite,
			"by reset": func(nc *net.TCPConn) error { return errors.Join(nc.SetLinger(0), nc.Close()) },
		} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				t.Parallel()
				h := startHub(t, newBus(), "hub1", ws.Options{})
				room := newRoom()
				other, c := openPlain(t, h, room), openPlain(t, h, room)
				c.write(sent(final|opPing, "")+tt.send, 0)
				if op, _, err := c.next(); err != nil || op != opPong { // a reset may overtake what was not yet read
					t.Fatal(op, err)
				}
				if tt.others != "" {
					if op, payload, err := other.next(); err != nil || other.show(op, payload) != tt.others {
						t.Fatalf("the others got %s, %v", other.show(op, payload), err)
					}
				}
				if err := end(c.nc.(*net.TCPConn)); err != nil {
					t.Fatal(err)
				}
				if how == "by FIN" {
					if got := c.untilEnd(); got != "" {
						t.Errorf("got %s", got)
					}
				}
				eventually(t, "the connection has ended", func() bool { return h.ws.Stats().Connections.All() == 1 })
				if got := other.untilTold(h, room); got != "" {
					t.Errorf("the others got %s", got)
				}
				eventually(t, "it is counted", func() bool { return h.ws.Stats().Closed[protocol.CodeAbnormal] == 1 })
			})
		}
	}
}
