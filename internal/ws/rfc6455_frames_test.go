package ws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// both are the subprotocols, for what does not depend on what is in messages.
var both = map[string]func(testing.TB, *testHub, string) *rawClient{"hub.plain": openPlain, "hub.v1": openV1}

// TestFrames has the base framing: RFC 6455 §5.1 to §5.3.
func TestFrames(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	cases := []exchange{
		{"5.2 text", sent(final|opText, "hé"), 0, `text "hé"`, ""},
		{"5.2 binary", sent(final|opBinary, "\xff\x00"), 0, `binary "\xff\x00"`, ""},
		{"5.2 two frames in one segment", sent(final|opText, "a") + sent(final|opBinary, "b"), 0, `text "a" binary "b"`, ""},
		{"5.2 a session byte by byte", sent(opText, "h\xc3") + sent(final|opPing, "p") + sent(opCont, "") +
			sent(final|opCont, "\xa9") + sent(final|opBinary, strings.Repeat("b", 126)) + sent(final|opPong, "") +
			sent(final|opText, ""), 1, `text "hé" binary 126:"bbb"…"bbb" text ""`, `pong "p"`},
		{"5.2 a length of 16 bits with the top bit", sent(final|opBinary, strings.Repeat("x", 0x8000)), 0, `binary 32768:"xxx"…"xxx"`, ""},
		{"5.3 a mask of zeroes", sentAs(final|opText, 7, "\x00\x00\x00\x00", "abcde"), 0, `text "abcde"`, ""},
		{"5.3 a mask of ones", sentAs(final|opText, 7, "\xff\xff\xff\xff", "abcde"), 0, `text "abcde"`, ""},
		{"5.3 a mask that looks like a header", sentAs(final|opText, 7, "\x81\x80\x88\x00", "abcde"), 0, `text "abcde"`, ""},
		{"5.3 each frame has its own mask", sentAs(opText, 7, "\x01\x02\x03\x04", "abcde") +
			sentAs(final|opPing, 7, "\x05\x06\x07\x08", "p") + sentAs(final|opCont, 7, "\x09\x0a\x0b\x0c", "fgh"), 0,
			`text "abcdefgh"`, `pong "p"`},
		{"5.3 a mask is applied from the start of each frame", sentAs(opText, 7, "1234", "a") + sentAs(final|opCont, 7, "1234", "bcdef"), 0,
			`text "abcdef"`, ""},
	}
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536} {
		cases = append(cases, exchange{name: fmt.Sprint("5.2 a length of ", n), send: sent(final|opText, digits(n)),
			others: "text " + short(digits(n))})
	}
	for _, n := range []int{127, 2048, 65536} { // more than one read takes
		cases = append(cases, exchange{name: fmt.Sprint("5.2 chops of a length of ", n), send: sent(final|opText, digits(n)),
			chop: n/3 + 1, others: "text " + short(digits(n))})
	}
	runExchanges(t, h, openPlain, cases)
}

// digits returns n bytes that are not all the same, so that parts in the wrong place are seen.
func digits(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()[:n]
}

// TestFramesRefused has what RFC 6455 §5.1 to §5.3 forbid. A message before the fault counts, none behind it does.
func TestFramesRefused(t *testing.T) {
	const mask = "\x01\x02\x03\x04"
	cases := []exchange{
		{name: "5.2 a length of 64 bits with the top bit", send: "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x01" + mask, back: wrong},
		{name: "5.2 a length of 64 bits, all ones", send: "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff" + mask, back: wrong},
		{name: "5.2 a length of 63 bits", send: "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" + mask, back: tooBig},
		{name: "5.2 a length of 32 bits and one more", send: "\x82\xff\x00\x00\x00\x01\x00\x00\x00\x01" + mask, back: tooBig},
		{name: "5.2 what comes behind a fault is not looked at", send: sent(final|3, "") + sent(final|opPing, "p") +
			sent(final|opBinary, "no") + sentClose(1000, ""), back: wrong},
		{name: "5.2 a fault byte by byte", send: sent(final|rsv1|opText, "abc"), chop: 1, back: wrong},
	}
	for _, n := range []int{0, 1, 125} {
		for _, bits := range []int{16, 64} {
			cases = append(cases, exchange{name: fmt.Sprintf("5.2 a length of %d in %d bits", n, bits),
				send: sentAs(final|opBinary, bits, mask, digits(n)), back: wrong})
		}
	}
	for _, n := range []int{126, 65535} {
		cases = append(cases, exchange{name: fmt.Sprintf("5.2 a length of %d in 64 bits", n),
			send: sentAs(final|opBinary, 64, mask, digits(n)), back: wrong})
	}
	for op, name := range opNames {
		start := ""
		if op == opCont {
			start = sent(opText, "a")
		}
		for bit, first := range map[string]byte{"RSV1": rsv1, "RSV2": rsv2, "RSV3": rsv3, "all RSV": rsv1 | rsv2 | rsv3} {
			cases = append(cases, exchange{name: fmt.Sprint("5.2 ", bit, " in ", name), send: start + sent(final|first|op, ""), back: wrong})
		}
		cases = append(cases,
			exchange{name: "5.1 not masked: " + name, send: start + sentAs(final|op, 7, "", "\x03\xe8"), back: wrong},
			exchange{name: "5.1 not masked and empty: " + name, send: start + sentAs(final|op, 7, "", ""), back: wrong},
		)
		if op < opClose {
			cases = append(cases, exchange{name: "5.1 not masked and long: " + name, send: start + sentAs(final|op, 16, "", digits(126)), back: wrong})
		}
	}
	for _, op := range []byte{0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf} {
		cases = append(cases,
			exchange{name: fmt.Sprintf("5.2 opcode %x", op), send: sent(final|op, "a"), back: wrong},
			exchange{name: fmt.Sprintf("5.2 opcode %x, empty", op), send: sent(final|op, ""), back: wrong},
			exchange{name: fmt.Sprintf("5.2 opcode %x, the first of fragments", op), send: sent(op, "a"), back: wrong},
			exchange{name: fmt.Sprintf("5.2 opcode %x between fragments", op), send: sent(opBinary, "a") + sent(final|op, "b") +
				sent(final|opCont, "c"), back: wrong},
		)
	}
	runBoth(t, cases)
}

// runBoth runs cases with each subprotocol; and once more behind a message that must arrive.
func runBoth(t *testing.T, cases []exchange) {
	t.Helper()
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for name, open := range both {
		t.Run(name, func(t *testing.T) { runExchanges(t, h, open, cases) })
	}
	behind := slices.Clone(cases)
	for i := range behind {
		x := &behind[i]
		x.send, x.others = sent(final|opText, "before")+x.send, strings.TrimSuffix(`text "before" `+x.others, " ")
	}
	t.Run("behind a message", func(t *testing.T) { runExchanges(t, h, openPlain, behind) })
}

// TestFragments has RFC 6455 §5.4.
func TestFragments(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	ones := sent(opText, "") + strings.Repeat(sent(opCont, "x"), 65536)
	runExchanges(t, h, openPlain, []exchange{
		{"5.4 two fragments", sent(opText, "ab") + sent(final|opCont, "c"), 0, `text "abc"`, ""},
		{"5.4 three fragments", sent(opBinary, "a") + sent(opCont, "b") + sent(final|opCont, "c"), 0, `binary "abc"`, ""},
		{"5.4 fragments byte by byte", sent(opBinary, "a") + sent(opCont, "b") + sent(final|opCont, "c"), 1, `binary "abc"`, ""},
		{"5.4 the first is empty", sent(opText, "") + sent(final|opCont, "a"), 0, `text "a"`, ""},
		{"5.4 one between is empty", sent(opText, "a") + sent(opCont, "") + sent(final|opCont, "b"), 0, `text "ab"`, ""},
		{"5.4 the last is empty", sent(opText, "a") + sent(final|opCont, ""), 0, `text "a"`, ""},
		{"5.4 all are empty", sent(opText, "") + sent(opCont, "") + sent(final|opCont, ""), 0, `text ""`, ""},
		{"5.4 two messages", sent(opText, "a") + sent(final|opCont, "b") + sent(opBinary, "c") + sent(final|opCont, "d"), 0,
			`text "ab" binary "cd"`, ""},
		{"5.4 a whole one behind a fragmented one", sent(opText, "a") + sent(final|opCont, "b") + sent(final|opText, "c"), 0,
			`text "ab" text "c"`, ""},
		{"5.4 fragments of all lengths", sent(opBinary, digits(125)) + sent(opCont, digits(126)) + sent(final|opCont, digits(60000)), 0,
			"binary " + short(digits(125)+digits(126)+digits(60000)), ""},
		{"5.4 as many fragments as bytes", ones + sent(final|opCont, ""), 0, "text " + short(strings.Repeat("x", 65536)), ""},
		{"5.4 pings between fragments", sent(opText, "a") + sent(final|opPing, "1") + sent(opCont, "b") + sent(final|opPing, "2") +
			sent(final|opPing, "3") + sent(final|opCont, "c"), 0, `text "abc"`, `pong "1" pong "2" pong "3"`},
		{"5.4 a pong between fragments", sent(opText, "a") + sent(final|opPong, "1") + sent(final|opCont, "b"), 0, `text "ab"`, ""},
		{"5.4 a close between fragments", sent(opText, "a") + sentClose(1001, "") + sent(final|opCont, "b"), 0, "", "close 1001"},
		{"5.4 the limit is that of the message", sent(opBinary, digits(65536)) + sent(final|opCont, ""), 0, "binary " + short(digits(65536)), ""},
		{"5.4 the limit is that of one message", sent(opBinary, "a") + sent(final|opCont, "b") + sent(final|opBinary, digits(65536)), 0,
			`binary "ab" binary ` + short(digits(65536)), ""},
		{"5.4 one byte too many in the last", sent(opBinary, digits(65536)) + sent(final|opCont, "x"), 0, "", tooBig},
		{"5.4 control frames do not count", sent(opBinary, digits(65536)) + sent(final|opPing, digits(125)) + sent(final|opCont, ""), 0,
			"binary " + short(digits(65536)), "pong " + short(digits(125))},
	})
	runBoth(t, []exchange{
		{name: "5.4 a continuation without a start", send: sent(final|opCont, "a"), back: wrong},
		{name: "5.4 an empty continuation without a start", send: sent(final|opCont, ""), back: wrong},
		{name: "5.4 a continuation that goes on without a start", send: sent(opCont, "a") + sent(final|opCont, "b"), back: wrong},
		{name: "5.4 text in a fragmented message", send: sent(opText, "a") + sent(final|opText, "b"), back: wrong},
		{name: "5.4 binary in a fragmented message", send: sent(opText, "a") + sent(final|opBinary, "b"), back: wrong},
		{name: "5.4 another start in a fragmented message", send: sent(opBinary, "a") + sent(opBinary, "b"), back: wrong},
		{name: "5.4 text behind a ping in a fragmented message", send: sent(opText, "a") + sent(final|opPing, "1") +
			sent(final|opText, "b"), back: `pong "1" ` + wrong},
	})
	runExchanges(t, h, openPlain, []exchange{
		{"5.4 a continuation behind the end", sent(opText, "a") + sent(final|opCont, "b") + sent(final|opCont, "c"), 0, `text "ab"`, wrong},
		{"5.4 a continuation behind a whole message", sent(final|opText, "a") + sent(final|opCont, "b"), 0, `text "a"`, wrong},
	})
}
