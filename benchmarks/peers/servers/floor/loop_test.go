//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

// TestNext has as many frames in the rounds as are asked for, on average, and in each no more than one more or less.
func TestNext(t *testing.T) {
	for _, frames := range []float64{1, 25, 25.4, 74.87} {
		f := &floor{frames: frames}
		total := 0
		for range 1000 {
			f.next()
			if d := float64(f.full) - frames; d <= -1 || d >= 1 {
				t.Errorf("a round of %d frames, where %v are asked for", f.full, frames)
			}
			total += f.full
		}
		if d := float64(total) - 1000*frames; d < -1 || d > 1 {
			t.Errorf("%d frames in 1000 rounds, where %v are asked for", total, frames)
		}
	}
}

// TestRounds sends frames to a floor that writes two or three at a time: all come, in order, and so do those that are
// too few for a round, after a while.
func TestRounds(t *testing.T) {
	p, err := epoll.New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &floor{poller: p, frames: 2.5, conns: make(map[int]*conn)}
	go accept(l, f) // both end with the process
	go func() { t.Error(f.run()) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	open := func() net.Conn {
		c, _, _, err := ws.Dial(ctx, "ws://"+l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		// A pong says that the loop has it.
		if err := ws.WriteFrame(c, ws.MaskFrameInPlace(ws.NewPingFrame([]byte("x")))); err != nil {
			t.Fatal(err)
		}
		if _, err := ws.ReadFrame(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	from, to := open(), open()
	for n := range 6 {
		if err := wsutil.WriteClientText(from, fmt.Append(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 6 {
		got, err := wsutil.ReadServerText(to)
		if err != nil || string(got) != fmt.Sprint(n) {
			t.Fatalf("message %d is %q, %v", n, got, err)
		}
	}
	if err := from.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(from); len(b) > 0 {
		t.Errorf("who sent got %q", b)
	}
}
