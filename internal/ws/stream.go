package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// ServeEvents answers GET /v1/rooms/{room}/events with a stream of Server-Sent Events, and returns; the connection
// lives on. It takes the connection over, so that it is one like those of WebSockets, with the same queue, limits and
// end; the answer has no length, and ends with the connection (RFC 9112 §6.3). Headers that are set before stay.
func (s *Server) ServeEvents(w http.ResponseWriter, r *http.Request) {
	ask, p := s.askedFor(r)
	if p != nil {
		p.Write(w)
		return
	}
	c := s.newStream(w, r, nil)
	if c == nil {
		return
	}
	begins := ask.cursor.IsZero()
	if begins && ask.history > 0 {
		ask.cursor = s.pushHistory(r, c, ask)
	}
	// The session is in its room before the answer: a client whose stream is open misses nothing.
	c.session.EnterStream(r.Context(), ask.room, ask.cursor, begins)
	if nc := s.takeOver(w, r, c); nc != nil {
		s.start(c, nc, s.options.PingInterval)
	}
}

// newStream begins the answer to a request for a stream, and returns its connection, which has no socket yet; nil where
// the request has been answered. One of snapshots says of which.
func (s *Server) newStream(w http.ResponseWriter, r *http.Request, of *snapshots) *conn {
	who, p := auth.Bearer(s.hub, r)
	if p != nil {
		p.Write(w)
		return nil
	}
	streamHeader(w.Header())
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	c := s.newConn(events)
	c.snapshots = of
	c.session = s.hub.NewStream(c.shard, c)
	c.session.Identify(who)
	if !s.add(c) {
		s.sendAway(w)
		return nil
	}
	c.push(headBlock(w.Header()))
	c.push(retryBlock(s.retry()))
	return c
}

// takeOver returns the socket of a stream whose answer waits in c; nil where there is none, and c is forgotten.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request, c *conn) net.Conn {
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // a connection that cannot be taken over, as one of HTTP/2
		s.log.Error("cannot take over a connection for a stream", "remote", r.RemoteAddr, "error", err)
		s.abandon(c)
		w.WriteHeader(http.StatusInternalServerError)
		return nil
	}
	// A stream's client says nothing, so it is not asked: what keeps the stream alive is to be acknowledged by TCP.
	if err := endVanished(nc, s.options.PingInterval+s.options.PongTimeout); err != nil {
		s.log.Debug("cannot bound how long a client may be gone", "remote", r.RemoteAddr, "error", err)
	}
	return nc
}

// streamHeader sets the headers of a stream.
func streamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no") // of proxies that would wait for more
	h.Set("X-Content-Type-Options", "nosniff")
}

// headBlock is the head of the answer, which net/http does not write for a connection that was taken over.
func headBlock(h http.Header) *block {
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	return single(b.Bytes(), frame{})
}

// sendAway answers where the hub is going away. A refusal would have a browser give up for good; so the stream begins,
// says when to come back, and ends.
func (s *Server) sendAway(w http.ResponseWriter) {
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append(retryBlock(s.retry()).bytes, ": the hub is going away\n\n"...)) // to a client that may be gone
}

// retryLeast is how many milliseconds a client waits at least before it connects again.
const retryLeast = 500

// retry returns how long a client is told to wait before it connects again, in milliseconds: another for each, so that
// those of a hub that ends do not all come at once.
func (s *Server) retry() int64 {
	s.mu.Lock()
	n := len(s.conns)
	s.mu.Unlock()
	return retryLeast + rand.Int64N(retrySpread(n).Milliseconds())
}

// pushHistory has c begin with the newest messages of its room, and returns where it goes on from there. Where the log
// cannot be read now, the stream begins with what comes: it would be worth less to have none.
func (s *Server) pushHistory(r *http.Request, c *conn, ask asked) protocol.Position {
	page, err := s.hub.History(r.Context(), ask.room, protocol.Position{}, ask.history)
	if err != nil {
		c.push(single([]byte(": no history, as the hub cannot read the log now\n\n"), frame{}))
		return protocol.Position{}
	}
	// In JSON a message may grow to six times its size, and all of this is in the queue at once.
	first, size := len(page.Entries), 0
	for first > 0 && (size == 0 || size+hub.MessageSize(page.Entries[first-1].Message) <= s.options.SendQueue/8) {
		first--
		size += hub.MessageSize(page.Entries[first].Message)
	}
	if first < len(page.Entries) {
		b := new(block)
		for _, e := range page.Entries[first:] {
			b.appendMessage(events, protocol.Delivery{Message: e.Message, At: e.At}, false)
		}
		for i := range b.frames {
			b.frames[i].published = 0 // what was stored long ago says nothing of how long a delivery takes
		}
		c.push(b)
	}
	return page.Next
}

// closeComment says that nothing more comes, and why.
func closeComment(code protocol.Code, reason string) *block {
	return single(fmt.Appendf(nil, ": closed with %d: %s\n\n", code, reason), frame{})
}
