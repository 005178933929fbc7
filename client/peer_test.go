package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// script is the other end of a client under test: it does what the test says, which a real hub does only now and then,
// or never. It works over pipes in a bubble of testing/synctest, where time passes only when all wait. What real hubs
// do is tested in package e2e.
type script struct {
	t     *testing.T
	conns chan net.Conn // sent by dial, received by Accept; unbuffered; never closed
	peers chan *peer    // sent by greet, received by next; holds more than a test makes; never closed
	ended chan struct{} // closed by Close

	// guarded by mu
	mu    sync.Mutex
	away  bool
	only  string                // the one host that is there; "" for all
	token func(string) *Refused // what is said of a hello's token; nil for nothing
	lasts time.Duration         // what the next welcome says of the token; 0 for nothing
	who   protocol.Credentials  // what the next welcome says; c1 with the secret s1 at first
	dials []time.Time           // when the client tried
	hosts []string              // and where
}

// peer is one connection to a script.
type peer struct {
	t      *testing.T
	conn   *websocket.Conn
	hello  *protocol.Frame
	frames chan *protocol.Frame // sent by greet, received by expect; holds more than a test sends; closed at the end
	err    error                // why frames was closed
	mute   atomic.Bool          // pings of RFC 6455 are not answered
	pings  atomic.Bool          // frames of type ping are for expect; otherwise they are answered at once
}

// newScript starts a script, which greets each client that connects.
func newScript(t *testing.T) *script {
	s := &script{
		t: t, conns: make(chan net.Conn), peers: make(chan *peer, 100), ended: make(chan struct{}),
		who: protocol.Credentials{ID: "c1", Secret: "s1"},
	}
	s.serve(http.HandlerFunc(s.greet))
	return s
}

// newServer starts a script that answers requests with handler.
func newServer(t *testing.T, handler http.HandlerFunc) *script {
	s := &script{t: t, conns: make(chan net.Conn), ended: make(chan struct{})}
	s.serve(handler)
	return s
}

func (s *script) serve(handler http.Handler) {
	server := &http.Server{Handler: handler}
	served := make(chan struct{})
	go func() { // ends with server.Close; the cleanup waits
		defer close(served)
		server.Serve(s)
	}()
	s.t.Cleanup(func() {
		server.Close()
		<-served
	})
}

func (s *script) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.ended:
		return nil, net.ErrClosed
	}
}

func (s *script) Close() error   { close(s.ended); return nil }
func (s *script) Addr() net.Addr { return &net.TCPAddr{} }

// dial is the client's way in.
func (s *script) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	s.mu.Lock()
	s.dials, s.hosts = append(s.dials, time.Now()), append(s.hosts, host)
	away := s.away || s.only != "" && s.only != host
	s.mu.Unlock()
	if away {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	select {
	case s.conns <- there:
		return here, nil
	case <-s.ended:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *script) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// setOnly has one host alone be there.
func (s *script) setOnly(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.only = host
}

// setToken has judge say what is wrong with each token, and the others last so long.
func (s *script) setToken(judge func(string) *Refused, lasts time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.lasts = judge, lasts
}

// triedAt returns where the client tried to connect since it was asked last.
func (s *script) triedAt() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	hosts := s.hosts
	s.hosts = nil
	return hosts
}

func (s *script) setWho(who protocol.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.who = who
}

// welcome returns the answer to a hello: a welcome, or an error frame.
func (s *script) welcome(hello *protocol.Frame) *protocol.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != nil {
		if wrong := s.token(hello.Token); wrong != nil {
			return &protocol.Frame{Type: protocol.TypeError, Code: wrong.Code, Message: wrong.Message, Fix: wrong.Fix}
		}
	}
	who := s.who
	f := &protocol.Frame{Type: protocol.TypeWelcome, Client: &who, Hub: "hub1"}
	if s.lasts > 0 { // by a clock that is not the client's
		now := time.Now().Add(-time.Hour)
		f.Time, f.Expires = protocol.FormatTime(now), protocol.FormatTime(now.Add(s.lasts))
	}
	return f
}

// tries returns how long after since the client tried to connect.
func (s *script) tries(since time.Time) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ds []time.Duration
	for _, at := range s.dials {
		if !at.Before(since) {
			ds = append(ds, at.Sub(since))
		}
	}
	return ds
}

func (s *script) greet(w http.ResponseWriter, r *http.Request) {
	p := &peer{t: s.t, frames: make(chan *protocol.Frame, 1000)}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:   []string{protocol.SubprotocolV1},
		OnPingReceived: func(context.Context, []byte) bool { return !p.mute.Load() },
	})
	if err != nil {
		s.t.Errorf("accept: %v", err)
		return
	}
	defer conn.CloseNow()
	p.conn = conn
	if p.hello, err = p.read(); err != nil {
		return
	}
	isolated := false
	answer := s.welcome(p.hello)
	p.send(answer)
	if answer.Type == protocol.TypeError {
		code := protocol.CodeBadToken
		if answer.Code == protocol.ErrTokenExpired {
			code = protocol.CodeExpired
		}
		conn.Close(websocket.StatusCode(code), answer.Code)
		return
	}
	p.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
	s.peers <- p
	for {
		f, err := p.read()
		if err != nil {
			p.err = err
			close(p.frames)
			return
		}
		if f.Type == protocol.TypePing && !p.pings.Load() {
			p.send(&protocol.Frame{Type: protocol.TypePong})
			continue
		}
		if f.Type == protocol.TypeHello {
			p.send(s.welcome(f))
		}
		p.frames <- f
	}
}

func (p *peer) read() (*protocol.Frame, error) {
	_, text, err := p.conn.Read(context.Background())
	if err != nil {
		return nil, err
	}
	return protocol.DecodeFrame(text)
}

func (p *peer) send(f *protocol.Frame) { p.sendText(string(f.Encode())) }

func (p *peer) sendText(text string) {
	p.conn.Write(context.Background(), websocket.MessageText, []byte(text))
}

// sendMessage sends a message of somebody else.
func (p *peer) sendMessage(room, text string) {
	m := &protocol.Message{Room: room, ID: "c2/" + text, From: protocol.Client{ID: "c2", Name: "Bob"}, Hub: "hub2",
		Time: time.Now(), Kind: protocol.Text, Data: []byte(text)}
	p.sendText(string(protocol.AppendMessage(nil, protocol.Delivery{Message: m})))
}

// expect returns the client's next frame, and fails the test where that is not of type kind. It may be called by any
// goroutine.
func (p *peer) expect(kind string) *protocol.Frame {
	p.t.Helper()
	select {
	case f, ok := <-p.frames:
		if ok && f.Type == kind {
			return f
		}
		p.t.Errorf("frame %+v, connection ended with %v; want a frame %s", f, p.err, kind)
	case <-time.After(time.Minute):
		p.t.Errorf("no frame %s within a minute", kind)
	}
	return new(protocol.Frame)
}

// admit answers the client's next frame, a join. It may be called by any goroutine.
func (p *peer) admit(room string) {
	p.t.Helper()
	if f := p.expect(protocol.TypeJoin); f.Room != room {
		p.t.Errorf("join of %q, want %q", f.Room, room)
	}
	count := 1
	p.send(&protocol.Frame{Type: protocol.TypeThere, Room: room, Count: &count})
}

// next returns the next connection of the client.
func (s *script) next() *peer {
	s.t.Helper()
	select {
	case p := <-s.peers:
		return p
	case <-time.After(10 * time.Minute):
		s.t.Fatal("the client did not connect within ten minutes")
		return nil
	}
}

// connect dials the script and returns both ends.
func (s *script) connect(opts ...Option) (*Client, *peer) {
	s.t.Helper()
	c, err := s.tryConnect(opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c, s.next()
}

func (s *script) tryConnect(opts ...Option) (*Client, error) {
	opts = append(opts, func(o *options) { o.dial = s.dial })
	return Dial(s.t.Context(), "http://hub.test", opts...)
}

// join joins a room, which p admits.
func join(t *testing.T, c *Client, p *peer, name string) *Room {
	t.Helper()
	go p.admit(name) // ends when the client's join came; Join below waits for its answer
	r, err := c.Join(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
