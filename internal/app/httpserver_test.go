package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestStopCuts has a handler that does not end: the stop says where how many requests were cut, and why.
func TestStopCuts(t *testing.T) {
	s, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered := make(chan struct{}) // closed by the handler
	left := make(chan struct{})    // closed by the handler
	s.handle(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done() // the cut connection's
		close(left)
	}), time.Minute, slog.New(slog.DiscardHandler))
	failed := make(chan error, 1) // sent by the server, if it fails
	s.serve(failed)

	conn, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no time at all
	err = s.stop(ctx)
	want := s.addr() + ": requests cut before their end: 1:"
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("stopped with %v", err)
	}
	<-left
	if len(failed) > 0 {
		t.Errorf("the server failed: %v", <-failed)
	}
}
