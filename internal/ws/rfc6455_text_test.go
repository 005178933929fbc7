package ws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// badUTF8 has one of each class that RFC 3629 forbids.
var badUTF8 = []struct{ name, bytes string }{
	{"a continuation byte alone", "\x80"},
	{"the last continuation byte alone", "\xbf"},
	{"a continuation byte too many", "é\xa9"},
	{"/ in two bytes", "\xc0\xaf"},
	{"U+0000 in two bytes", "\xc0\x80"},
	{"U+007F in two bytes", "\xc1\xbf"},
	{"U+0000 in three bytes", "\xe0\x80\x80"},
	{"U+07FF in three bytes", "\xe0\x9f\xbf"},
	{"U+0000 in four bytes", "\xf0\x80\x80\x80"},
	{"U+FFFF in four bytes", "\xf0\x8f\xbf\xbf"},
	{"the first surrogate", "\xed\xa0\x80"},
	{"the last surrogate", "\xed\xbf\xbf"},
	{"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
	{"U+110000", "\xf4\x90\x80\x80"},
	{"a first byte beyond U+10FFFF", "\xf5\x80\x80\x80"},
	{"five bytes", "\xf8\x88\x80\x80\x80"},
	{"six bytes", "\xfc\x84\x80\x80\x80\x80"},
	{"FE", "\xfe"},
	{"FF", "\xff"},
	{"one byte of two", "\xc3"},
	{"one byte of three", "\xe2"},
	{"two bytes of three", "\xe2\x82"},
	{"one byte of four", "\xf0"},
	{"two bytes of four", "\xf0\x9f"},
	{"three bytes of four", "\xf0\x9f\x98"},
	{"one byte of two, then ASCII", "\xc3a"},
	{"two bytes of three, then ASCII", "\xe2\x82a"},
	{"three bytes of four, then ASCII", "\xf0\x9f\x98a"},
	{"three bytes of four, then a whole character", "\xf0\x9f\x98é"},
}

// goodUTF8 has the edges of what is allowed.
var goodUTF8 = []struct{ name, text string }{
	{"U+0000", "\x00"}, {"U+007F", "\x7f"}, {"U+0080", "\u0080"}, {"U+07FF", "\u07ff"}, {"U+0800", "\u0800"},
	{"U+D7FF", "\ud7ff"}, {"U+E000", "\ue000"}, {"U+FEFF", "\ufeff"}, {"U+FFFD", "\ufffd"}, {"U+FFFE", "\ufffe"},
	{"U+FFFF", "\uffff"}, {"U+10000", "\U00010000"}, {"U+1FFFE", "\U0001fffe"}, {"U+10FFFF", "\U0010ffff"},
}

// TestText has RFC 6455 §5.6 and §8.1: text is UTF-8, whole messages of it, not each fragment.
func TestText(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	var cases []exchange
	for _, tt := range goodUTF8 {
		cases = append(cases,
			exchange{name: "5.6 " + tt.name, send: sent(final|opText, tt.text), others: "text " + short(tt.text)},
			exchange{name: "5.6 byte by byte: " + tt.name, send: sent(final|opText, "é"+tt.text+"é"), chop: 1, others: "text " + short("é"+tt.text+"é")})
	}
	for _, tt := range badUTF8 {
		cases = append(cases,
			exchange{name: "8.1 " + tt.name, send: sent(final|opText, tt.bytes), back: notUTF8},
			exchange{name: "8.1 in the middle: " + tt.name, send: sent(final|opText, "hé "+tt.bytes+" there"), back: notUTF8},
			exchange{name: "8.1 behind much: " + tt.name, send: sent(final|opText, strings.Repeat("é", 200)+tt.bytes), back: notUTF8},
			exchange{name: "8.1 in fragments: " + tt.name, send: fragments(opText, tt.bytes), back: notUTF8},
			exchange{name: "8.1 byte by byte: " + tt.name, send: sent(final|opText, tt.bytes), chop: 1, back: notUTF8},
			exchange{name: "5.6 binary may be " + tt.name, send: sent(final|opBinary, tt.bytes) + fragments(opBinary, tt.bytes),
				others: "binary " + short(tt.bytes) + " binary " + short(tt.bytes)})
	}
	const split = "a\u00e9\u20ac\U0001f600z" // 1, 2, 3, 4 and 1 bytes
	cases = append(cases, exchange{name: "5.6 a fragment for each byte", send: fragments(opText, split), others: "text " + short(split)})
	for i := range len(split) + 1 {
		cut := sent(opText, split[:i]) + sent(final|opCont, split[i:])
		cases = append(cases,
			exchange{name: fmt.Sprint("5.6 split behind byte ", i), send: cut, others: "text " + short(split)},
			exchange{name: fmt.Sprint("5.6 in segments, split behind byte ", i), send: cut, chop: 1, others: "text " + short(split)},
			exchange{name: fmt.Sprint("5.6 with a ping behind byte ", i), send: sent(opText, split[:i]) + sent(final|opPing, "\xff") +
				sent(final|opCont, split[i:]), others: "text " + short(split), back: `pong "\xff"`})
	}
	cases = append(cases,
		exchange{name: "8.1 halves of a character in two messages", send: sent(final|opText, "\xc3") + sent(final|opText, "\xa9"), back: notUTF8},
		exchange{name: "8.1 the end is missing, and a message follows", send: sent(opText, "\xe2") + sent(final|opCont, "\x82") + sent(final|opText, "a"),
			back: notUTF8})
	runExchanges(t, h, openPlain, cases)
}

// fragments sends payload with one byte a fragment.
func fragments(op byte, payload string) string {
	var b strings.Builder
	for i := range len(payload) {
		first := byte(opCont)
		if i == 0 {
			first = op
		}
		b.WriteString(sent(first, payload[i:i+1]))
	}
	return b.String() + sent(final|opCont, "")
}
