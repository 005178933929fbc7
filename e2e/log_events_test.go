package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/streamtest"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// streamReader reads the events of a log room, does what a browser does where the stream ends, at one hub after the other,
// and records what it saw as frames that say the same. An id alone says that a message is there which the client has;
// which one it is, the log knows at the end.
//
// It owns one goroutine, which stop ends and awaits.
type streamReader struct {
	// immutable
	name, room string
	hubs       []string // addresses
	enough     context.Context
	cancel     context.CancelFunc
	work       sync.WaitGroup

	mu         sync.Mutex
	rec        record            // guarded by mu
	cursor     protocol.Position // guarded by mu
	subscribed bool              // guarded by mu: to the room, over this connection
	conn       *streamtest.Stream
	opened     int // guarded by mu: how often
}

// startStreamReader starts one that goes to hubs, the first first. The test's end stops it.
func startStreamReader(tb testing.TB, name, room string, hubs ...*hub) *streamReader {
	s := &streamReader{name: name, room: room, rec: record{name: name}}
	for _, h := range hubs {
		s.hubs = append(s.hubs, h.Addr())
	}
	s.enough, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.run)
	tb.Cleanup(s.stop)
	return s
}

// stop ends it. It may be called again.
func (s *streamReader) stop() {
	s.cancel()
	s.cut()
	s.work.Wait()
}

// cut ends the connection, as a network does; the reader connects again.
func (s *streamReader) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Conn.SetLinger(0) // it is closed already, or will be now
		s.conn.Close()
	}
}

func (s *streamReader) run() {
	const pause = 20 * time.Millisecond // between two tries: the test is not to wait for as long as browsers are told to
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for n := 0; ; n++ {
		addr := s.hubs[n%len(s.hubs)]
		if conn, err := streamtest.Open(s.enough, addr, "/v1/rooms/"+s.room+"/events", s.last(), 10*time.Minute); err == nil {
			why := s.read(addr, conn)
			conn.Close()
			s.note(closed, why.Error(), nil)
		}
		select {
		case <-tick.C:
		case <-s.enough.Done():
			return
		}
	}
}

// last returns the last id, as a browser shows it.
func (s *streamReader) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cursor.IsZero() {
		return ""
	}
	return s.cursor.String()
}

// read reads a stream to its end.
func (s *streamReader) read(addr string, conn *streamtest.Stream) error {
	s.mu.Lock()
	s.conn, s.subscribed = conn, false
	s.opened++
	s.mu.Unlock()
	if s.enough.Err() != nil {
		return s.enough.Err()
	}
	s.note(opened, addr, nil)
	s.note(got, "", &protocol.Frame{Type: protocol.TypeWelcome, Client: &protocol.Credentials{ID: s.name}})
	s.note(sent, "", &protocol.Frame{Type: protocol.TypeJoin, Room: s.room, Position: s.last()})
	s.note(got, "", &protocol.Frame{Type: protocol.TypeThere, Room: s.room, Log: new(true)})
	for {
		e, err := conn.Next()
		if err != nil {
			return err
		}
		if err := s.take(e); err != nil {
			s.note(got, "", &protocol.Frame{Type: protocol.TypeError, Code: err.Error()}) // which the checker takes for a violation
		}
	}
}

// take notes what an event says.
func (s *streamReader) take(e streamtest.Event) (err error) {
	f := &protocol.Frame{Type: e.Type, Room: s.room, Position: e.ID}
	var at protocol.Position
	if e.ID != "" {
		if at, err = protocol.ParsePosition(e.ID); err != nil {
			return fmt.Errorf("%+v: %w", e, err)
		}
	}
	s.mu.Lock()
	before := s.cursor
	if e.ID != "" {
		s.cursor = at
	}
	s.mu.Unlock()
	switch {
	case e.Data == "" && e.ID == "":
		return nil // a comment, or when to come back
	case e.Data == "":
		f.Type = protocol.TypeSubscribed
		if !before.IsZero() && at.Offset > before.Offset {
			f.Type, f.Scope = protocol.TypeAck, protocol.ScopeCluster
		} else {
			s.mu.Lock()
			s.subscribed = true
			s.mu.Unlock()
		}
	case e.Type == protocol.TypeMessage:
		m, err := e.Message()
		if err != nil {
			return err
		}
		f.ID, f.From, f.Data, f.Scope = m.ID, &protocol.Client{ID: m.From.ID}, m.Data, m.Scope
	default:
		return fmt.Errorf("%+v where nothing was lost", e)
	}
	s.note(got, "", f)
	return nil
}

func (s *streamReader) note(w what, where string, f *protocol.Frame) {
	s.mu.Lock()
	s.rec.add(w, where, f)
	s.mu.Unlock()
}

// live returns an error as long as the stream has not come to the log's end since it was opened last.
func (s *streamReader) live(top uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.subscribed || s.cursor.Offset < top {
		return fmt.Errorf("%s is at %v of %s, whose log ends at %d, and is subscribed: %v", s.name, s.cursor, s.room, top, s.subscribed)
	}
	return nil
}

// times returns how often it was connected.
func (s *streamReader) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// record returns what it saw, by the log of its room: a position alone is that of the message that stands there; and of a
// message that came without one it is known to be there when the cursor is beyond it.
func (s *streamReader) record(log []stored) *record {
	s.mu.Lock()
	defer s.mu.Unlock()
	where := map[string]protocol.Position{}
	for _, entry := range log {
		where[entry.id] = entry.at
	}
	out := &record{name: s.name}
	shown, cursor := map[string]bool{}, uint64(0)
	for _, e := range s.rec.events {
		out.events = append(out.events, e)
		if e.what != got || e.frame.Room == "" {
			continue
		}
		f := *e.frame
		at, err := protocol.ParsePosition(f.Position)
		switch {
		case f.Type == protocol.TypeMessage && err != nil:
			shown[f.ID] = true
		case f.Type == protocol.TypeMessage:
			delete(shown, f.ID)
		case f.Type == protocol.TypeAck && at.Offset >= 1 && at.Offset <= uint64(len(log)):
			f.ID = log[at.Offset-1].id
			out.events[len(out.events)-1].frame = &f
			delete(shown, f.ID)
		}
		if err == nil {
			cursor = at.Offset
		}
		for id := range shown {
			if p, ok := where[id]; ok && p.Offset <= cursor {
				delete(shown, id)
				settled := &protocol.Frame{Type: protocol.TypeAck, Room: s.room, ID: id, Scope: protocol.ScopeCluster, Position: p.String()}
				out.events = append(out.events, event{e.at, got, "", settled})
			}
		}
	}
	return out
}
