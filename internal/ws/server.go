package ws

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Options is what a Server is made of. Zero means the default.
type Options struct {
	Hub *hub.Hub     // required; not yet started
	Log *slog.Logger // nil: nothing is logged

	Engine Engine // "": EngineAuto. Where the system has not what it needs, it is EngineGoroutine, and logged
	Loops  int    // how many loops share the sessions; 0: one for each four cores, and one at least

	SendQueue        int           // bytes that wait for one session at most; 1 MiB
	HandshakeTimeout time.Duration // until hello has to come; 10 s
	PingInterval     time.Duration // a connection silent for so long is pinged; 25 s
	PongTimeout      time.Duration // and closed after so much more silence; 10 s
	WriteTimeout     time.Duration // for 256 KiB; a connection that takes longer is closed; 30 s
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Engine == "" {
		o.Engine = EngineAuto
	}
	if o.Loops == 0 {
		o.Loops = defaultLoops()
	}
	if o.SendQueue == 0 {
		o.SendQueue = 1 << 20
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{
		{&o.HandshakeTimeout, 10 * time.Second},
		{&o.PingInterval, 25 * time.Second},
		{&o.PongTimeout, 10 * time.Second},
		{&o.WriteTimeout, 30 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
}

// closeTimeout is how long a connection that is being closed has for writing the rest, and for the peer's close frame.
func (o *Options) closeTimeout() time.Duration { return min(o.WriteTimeout, 5*time.Second) }

// Server is the handler of /ws, and with ServeEvents and Snapshots that of streams. All of these
// and Stats may be called by several goroutines at once.
type Server struct {
	// immutable
	options Options
	hub     *hub.Hub
	log     *slog.Logger
	metrics *metrics
	shards  []*shard
	made    time.Time // the start of the clock

	loops sync.WaitGroup // one for each shard
	busy  sync.WaitGroup // one for each connection, and one while snapshots are taken
	next  atomic.Uint32  // deals connections to the shards

	mu       sync.Mutex
	conns    []*conn     // in no order; each knows its index; guarded by mu
	open     Connections // how many conns has; guarded by mu
	draining bool        // no more connections are taken; guarded by mu
}

// New returns a server, adds its shards to the hub, and starts their loops, which Shutdown ends.
func New(o Options) *Server {
	o.setDefaults()
	s := &Server{options: o, hub: o.Hub, log: o.Log, metrics: new(metrics), made: time.Now()}
	for range o.Loops {
		shard := newShard(o.Hub, s.metrics, o.SendQueue)
		shard.engine = s.newEngine(shard)
		s.shards = append(s.shards, shard)
		o.Hub.AddShard(shard)
		s.loops.Go(shard.loop) // ends in Shutdown, which waits for it
	}
	return s
}

// newEngine returns a shard's engine.
func (s *Server) newEngine(of *shard) engine {
	if s.options.Engine != EngineGoroutine && hasEpoll {
		loop, err := newLoop(s, of)
		if err == nil {
			return loop
		}
		s.log.Error("the epoll engine cannot start, so connections have goroutines", "error", err)
	}
	return newGoroutineEngine(of)
}

// ServeHTTP upgrades the request and returns; the connection lives on.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	speaks, chosen := plain, subprotocol(r)
	if chosen == protocol.SubprotocolV1 {
		speaks = v1
	}
	room, p := roomOf(r, speaks == plain)
	if p == nil {
		p = checkHandshake(r)
	}
	var who hub.Identity
	if p == nil && speaks == plain { // the others bring their token in hello
		who, p = auth.Bearer(s.hub, r)
	}
	if p != nil {
		if p.Status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		p.Write(w)
		return
	}
	// The session is in its room before the handshake is answered: a client whose connection is open misses nothing.
	c := s.newSocket(speaks)
	if !s.add(c) {
		refuseDraining(w)
		return
	}
	if speaks == plain {
		c.session.Identify(who)
		c.session.EnterPlain(r.Context(), room)
	}
	nc, rw, _, err := ws.HTTPUpgrader{Timeout: s.options.HandshakeTimeout, Protocol: known}.Upgrade(agreed(r, chosen), w)
	if err != nil {
		s.log.Debug("handshake failed", "remote", r.RemoteAddr, "error", err)
		if nc != nil {
			_ = nc.Close()
		}
		s.abandon(c)
		return
	}
	if rw.Reader.Buffered() > 0 {
		c.reading.decoder = c.newDecoder()
		c.reading.decoder.early(rw.Reader)
	}
	first := s.options.PingInterval
	if speaks == v1 {
		first = s.options.HandshakeTimeout
	}
	s.start(c, nc, first)
}

// abandon forgets a connection that never got its socket.
func (s *Server) abandon(c *conn) {
	c.session.Closed(false)
	c.shard.forget(c)
	c.endSlow()
	s.forget(c)
}

// newSocket returns a WebSocket's connection that has no socket yet.
func (s *Server) newSocket(speaks encoding) *conn {
	c := s.newConn(speaks)
	c.session = s.hub.NewSession(c.shard, c, speaks == plain)
	return c
}

// newConn returns a connection that has neither session nor socket yet.
func (s *Server) newConn(speaks encoding) *conn {
	shard := s.shards[int(s.next.Add(1))%len(s.shards)]
	return &conn{server: s, shard: shard, speaks: speaks, greeted: -1}
}

// start gives c its socket. The time is looked at after first, or when the token ends.
func (s *Server) start(c *conn, nc net.Conn, first time.Duration) {
	c.reading.look = c.before(s.clock() + first)
	c.shard.engine.start(c, nc)
}

// pace waits while what is read would wait too long for a shard.
func (s *Server) pace() {
	for _, shard := range s.shards {
		shard.Pace()
	}
}

// behind reports whether it would wait too long for a shard other than one.
func (s *Server) behind(but *shard) bool {
	for _, shard := range s.shards {
		if shard != but && shard.inbox.Size() > shard.pace {
			return true
		}
	}
	return false
}

// ended forgets a connection whose socket has been closed.
func (s *Server) ended(c *conn) {
	c.reading.decoder = nil // who still knows of the session keeps no message of it
	c.shard.forget(c)
	s.metrics.closed(c.howClosed().code)
	s.forget(c)
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	c.index = int32(len(s.conns))
	s.conns = append(s.conns, c)
	*s.open.of(c)++
	s.busy.Add(1)
	return true
}

func (s *Server) forget(c *conn) {
	if c.snapshots != nil {
		c.snapshots.remove(c)
	}
	s.mu.Lock()
	last := len(s.conns) - 1
	s.conns[c.index] = s.conns[last]
	s.conns[c.index].index = c.index
	s.conns[last] = nil
	s.conns = s.conns[:last]
	*s.open.of(c)--
	s.mu.Unlock()
	s.busy.Done()
}

// Shutdown takes no more connections, says bye to those that there are, each with another time to come back, and closes
// them after what they are owed. Where ctx is done before all have ended, the rest is cut, and an error says how many.
// It is called once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	conns := slices.Clone(s.conns)
	s.mu.Unlock()

	spread := retrySpread(len(conns))
	for _, c := range conns {
		if c.speaks != plain {
			retry := rand.Int64N(spread.Milliseconds())
			c.shard.bye(c.session, (&protocol.Frame{Type: protocol.TypeBye, Retry: &retry}).Encode())
		}
		c.shard.Close(c.session, protocol.CodeDraining, "the hub is going away")
	}
	ended := make(chan struct{}) // closed when all connections have ended
	go func() {                  // ends then, which is soon after all connections were cut; Shutdown waits for it
		s.busy.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = s.cut()
		<-ended
	}
	for _, shard := range s.shards {
		shard.engine.stop()
	}
	s.loops.Wait()
	return err
}

// cut ends the connections that are left.
func (s *Server) cut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.abort(protocol.CodeAbnormal)
	}
	return fmt.Errorf("drain: %d sessions did not close in time", len(s.conns))
}

// retrySpread is over how long n clients are told to come back: half a millisecond each, and not longer than they would
// put up with.
func retrySpread(n int) time.Duration {
	return min(max(time.Duration(n)*time.Millisecond/2, 500*time.Millisecond), 10*time.Second)
}
