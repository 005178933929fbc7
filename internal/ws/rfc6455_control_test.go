package ws_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestControlFrames has RFC 6455 §5.5: control frames are short and whole, and may come anywhere.
func TestControlFrames(t *testing.T) {
	cases := []exchange{
		{name: "5.5.2 a ping", send: sent(final|opPing, "abc"), back: `pong "abc"`},
		{name: "5.5.2 an empty ping", send: sent(final|opPing, ""), back: `pong ""`},
		{name: "5.5.2 a ping of 125 bytes", send: sent(final|opPing, digits(125)), back: "pong " + short(digits(125))},
		{name: "5.5.2 a ping that is not UTF-8", send: sent(final|opPing, "\xff\x00\xc3"), back: `pong "\xff\x00\xc3"`},
		{name: "5.5.2 a ping byte by byte", send: sent(final|opPing, "abc"), chop: 1, back: `pong "abc"`},
		{name: "5.5.2 pings in order", send: pings(50), back: pongs(50)},
		{name: "5.5.2 no pong behind a close frame", send: sentClose(1000, "") + sent(final|opPing, "p"), back: "close 1000"},
		{name: "5.5.2 the pong comes before the answer to close", send: sent(final|opPing, "p") + sentClose(1000, ""), back: `pong "p" close 1000`},
		{name: "5.5.3 a pong that nobody asked for", send: sent(final|opPong, "abc")},
		{name: "5.5.3 an empty pong", send: sent(final|opPong, "")},
		{name: "5.5.3 a pong of 125 bytes", send: sent(final|opPong, digits(125))},
		{name: "5.5.3 pongs and a ping", send: sent(final|opPong, "a") + sent(final|opPing, "b") + sent(final|opPong, "c"), back: `pong "b"`},
	}
	for op, name := range opNames {
		if op < opClose {
			continue
		}
		cases = append(cases,
			exchange{name: "5.5 126 bytes of " + name, send: sent(final|op, "\x03\xe8"+digits(124)), back: wrong},
			exchange{name: "5.5 65536 bytes of " + name, send: sent(final|op, "\x03\xe8"+digits(65534)), back: wrong},
			exchange{name: "5.5 too much is promised in " + name, send: sent(final|op, "\x03\xe8"+digits(124))[:8], back: wrong},
			exchange{name: "5.2 1 byte in 16 bits of " + name, send: sentAs(final|op, 16, "1234", "a"), back: wrong},
			exchange{name: "5.2 2 bytes in 64 bits of " + name, send: sentAs(final|op, 64, "1234", "\x03\xe8"), back: wrong},
			exchange{name: "5.5 a fragment of " + name, send: sent(op, ""), back: wrong},
			exchange{name: "5.5 fragments of " + name, send: sent(op, "\x03") + sent(final|opCont, "\xe8"), back: wrong},
			exchange{name: "5.5 a fragment between fragments of " + name, send: sent(opText, "a") + sent(op, "\x03\xe8"), back: wrong},
		)
	}
	runBoth(t, cases)
}

func pings(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(sent(final|opPing, fmt.Sprint(i)))
	}
	return b.String()
}

func pongs(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("pong %q", fmt.Sprint(i))
	}
	return strings.Join(all, " ")
}
