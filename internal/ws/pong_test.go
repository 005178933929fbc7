package ws

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gobwas/ws"
)

// TestRepong has pings come faster than pongs are written: of many that wait the last is for the last ping, and the others
// stay as they are.
func TestRepong(t *testing.T) {
	var q sendQueue
	for i := range 3 * pongsMost {
		if payload := fmt.Append(nil, i); !q.repong(payload) {
			q.append(pongBlock(payload).whole())
		}
	}
	checkPongs(t, &q, pongsMost, 3*pongsMost-1)

	q.take(1, 1) // one is being written
	if q.repong([]byte("x")) {
		t.Error("of those that wait, and are not being written, there are not many")
	}
	q.append(newBlock(ws.OpText, []byte("hi")).whole())
	if q.repong([]byte("x")) {
		t.Error("the pong would be before what the ping came after")
	}
}

// checkPongs fails unless so many pongs wait, in order, of which the last is for the last ping.
func checkPongs(t *testing.T, q *sendQueue, many, last int) {
	t.Helper()
	var got, want []string
	size := 0
	for _, s := range q.spans {
		got = append(got, string(s.bytes()))
		size += s.size()
	}
	for i := range many - 1 {
		want = append(want, string(appendFrame(nil, ws.OpPong, fmt.Append(nil, i))))
	}
	want = append(want, string(appendFrame(nil, ws.OpPong, fmt.Append(nil, last))))
	if !slices.Equal(got, want) || size != q.bytes {
		t.Errorf("%d bytes of %d wait: %q, want %q", q.bytes, size, got, want)
	}
}
