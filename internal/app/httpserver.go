package app

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// ListenError is why an address cannot be listened on.
type ListenError struct {
	Addr string
	Err  error
}

// Error names address and cause.
func (e *ListenError) Error() string { return fmt.Sprintf("cannot listen on %s: %v", e.Addr, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// httpServer serves HTTP on one listener. It is used in this order: listen, handle, serve, stop; stop may come at any
// time.
type httpServer struct {
	// immutable
	listener net.Listener
	server   *http.Server

	serving sync.WaitGroup // the listener's goroutine

	// guarded by mu
	mu    sync.Mutex
	busy  map[net.Conn]struct{} // with a request under way or to come: neither idle nor taken over by a handler
	grace time.Duration         // how long a request may still take to arrive; 0 before the stop
}

// listen returns a server that listens on a TCP address, and serves nobody yet. Its error is a *ListenError.
func listen(addr string) (*httpServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &ListenError{Addr: addr, Err: err}
	}
	return &httpServer{listener: l, server: new(http.Server), busy: make(map[net.Conn]struct{})}, nil
}

// addr returns host:port of the listener.
func (s *httpServer) addr() string { return s.listener.Addr().String() }

// handle says who answers, in such a way that a client which sends nothing, or sends slowly, holds up nobody.
func (s *httpServer) handle(handler http.Handler, headerTimeout time.Duration, log *slog.Logger) {
	s.server.Handler = handler
	s.server.ReadHeaderTimeout = headerTimeout
	s.server.ReadTimeout = max(time.Minute, headerTimeout) // of a whole request; not of a WebSocket
	s.server.IdleTimeout = 2 * time.Minute
	s.server.MaxHeaderBytes = 16 << 10
	s.server.ErrorLog = errorLog(log)
	s.server.ConnState = s.note
}

// errorLog returns where net/http writes what it finds wrong with single connections.
func errorLog(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }

// serve serves until stop, which waits for the goroutine.
func (s *httpServer) serve(failed chan<- error) {
	s.serving.Go(func() { // ends when the server is shut down
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", s.addr(), err)
		}
	})
}

// note keeps count of who is busy. net/http calls it at each change, for a request after it has set its own deadline.
func (s *httpServer) note(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew && state != http.StateActive {
		delete(s.busy, conn)
		return
	}
	s.busy[conn] = struct{}{}
	s.limit(conn)
}

// limit bounds how long conn is read, from the stop on. The caller holds mu.
func (s *httpServer) limit(conn net.Conn) {
	if s.grace > 0 {
		_ = conn.SetReadDeadline(time.Now().Add(s.grace)) // fails only where the connection is gone
	}
}

// longestGrace is how long a stop waits at most for a request that has not arrived as a whole.
const longestGrace = 2 * time.Second

// hurry begins the stop, which has until ctx is done: requests that are arriving have half of that, and at most
// longestGrace, to do so. Otherwise one client that sends half a body would hold up the stop till its end. A request
// that is there as a whole and still worked on after that sees its context end, since net/http goes on reading its
// connection.
func (s *httpServer) hurry(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grace = longestGrace
	if end, ok := ctx.Deadline(); ok {
		s.grace = max(min(longestGrace, time.Until(end)/2), time.Nanosecond)
	}
	for conn := range s.busy {
		s.limit(conn)
	}
}

// stop waits for the requests under way until ctx is done, then cuts them, and says so. It closes the listener, served
// or not, and waits for its goroutine.
func (s *httpServer) stop(ctx context.Context) error {
	s.hurry(ctx)
	err := s.server.Shutdown(ctx)
	if err != nil {
		s.mu.Lock()
		n := len(s.busy)
		s.mu.Unlock()
		err = fmt.Errorf("%s: requests cut before their end: %d: %w", s.addr(), n, err)
		err = errors.Join(err, s.server.Close())
	}
	_ = s.listener.Close() // already, where it was served
	s.serving.Wait()
	return err
}
