package ws_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// openV1 opens a session of hub.v1 and says hello. It joins no room, so it is told nothing but answers.
func openV1(t testing.TB, h *testHub, _ string) *rawClient {
	t.Helper()
	c := openRaw(t, h, "", "Sec-WebSocket-Protocol: hub.v1\r\n")
	c.show = showV1
	c.write(sent(final|opText, `{"type":"hello"}`), 0)
	for _, want := range []string{protocol.TypeWelcome, protocol.TypeStatus} {
		op, payload, err := c.next()
		if got := c.show(op, payload); err != nil || got != want {
			t.Fatalf("got %s, %v, want %s", got, err, want)
		}
	}
	return c
}

// showV1 writes down the types of frames of hub.v1.
func showV1(op byte, payload string) string {
	var f struct{ Type, Code string }
	if op != opText || json.Unmarshal([]byte(payload), &f) != nil {
		return showPlain(op, payload)
	}
	return strings.TrimSuffix(f.Type+" "+f.Code, " ")
}

// ping is a frame of hub.v1, in so many bytes.
func ping(n int) string {
	const frame = `{"type":"ping"}`
	return frame + strings.Repeat(" ", n-len(frame))
}

// TestFramesV1 has what RFC 6455 says of messages for hub.v1, where they are JSON.
func TestFramesV1(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	const most = 6*64<<10 + 4<<10 // as a frame may need six bytes for one of the data
	publish := `{"type":"publish","room":"r","key":"k","data":"a` + "\u00e9\u20ac\U0001f600" + `z"}`
	cases := []exchange{
		{name: "5.2 two frames in one segment", send: sent(final|opText, ping(20)) + sent(final|opText, ping(21)), back: "pong pong"},
		{name: "5.2 byte by byte", send: sent(opText, ping(20)) + sent(final|opPing, "p") + sent(final|opCont, " "), chop: 1, back: `pong "p" pong`},
		{name: "5.4 a fragment for each byte", send: fragments(opText, ping(20)), back: "pong"},
		{name: "5.4 pings between fragments", send: sent(opText, ping(20)) + sent(final|opPing, "1") + sent(opCont, " ") +
			sent(final|opPing, "2") + sent(final|opCont, ""), back: `pong "1" pong "2" pong`},
		{name: "5.4 fragments over the limit", send: sent(opText, ping(most)) + sent(final|opCont, " "), back: tooBig},
		{name: "5.2 a length over the limit", send: sent(final|opText, ping(most+1)), back: tooBig},
		{name: "5.2 a length over the limit, by its header", send: sent(final|opText, ping(most+1))[:14], back: tooBig},
		{name: "5.6 a fragment for each byte of characters", send: fragments(opText, publish), back: "ack"},
		{name: "5.6 segments of a byte", send: sent(final|opText, publish), chop: 1, back: "ack"},
		{name: "5.5.1 no answer behind a close frame", send: sentClose(1000, "") + sent(final|opText, ping(20)), back: "close 1000"},
		{name: "5.5.1 the answer comes before that to close", send: sent(final|opText, ping(20)) + sentClose(1000, ""), back: "pong close 1000"},
	}
	for _, n := range []int{15, 125, 126, 127, 65535, 65536, most} {
		cases = append(cases, exchange{name: fmt.Sprint("5.2 a length of ", n), send: sent(final|opText, ping(n)), back: "pong"})
	}
	for _, tt := range badUTF8 {
		cases = append(cases, exchange{name: "8.1 " + tt.name, send: sent(final|opText, `{"type":"`+tt.bytes+`"}`), back: notUTF8})
	}
	runExchanges(t, h, openV1, cases)
}
