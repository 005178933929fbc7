package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Session is one live connection. Its transport calls Receive and Closed, one after the other, never two at once; the
// other methods may be called by several goroutines at once.
type Session struct {
	// Handle is the transport's own: its connection. The hub does not look at it.
	Handle any

	// immutable
	hub    *Hub
	shard  Shard
	dialog *dialog // nil of a plain session
	plain  bool
	stream bool // receives the messages of one room, and sends nothing

	opened    bool                            // hello was received, or the session has entered its room; written by Receive
	displaced atomic.Bool                     // another session of the client took its place: this one is being closed
	who       atomic.Pointer[protocol.Client] // written by Receive

	// owned by whoever calls Receive
	identity  *Identity       // as its token says; nil of nobody in particular
	subs      []*subscription // a few: looked through, not indexed
	keys      uint64          // keys made for publications that brought none
	addressee *addressee      // of what it publishes in log rooms; nil until first needed
}

// dialog is what a session needs besides where its client resumes, and is told things. There may be twenty thousand
// sessions that have no use for it.
type dialog struct {
	turns turns

	// owned by whoever calls Receive
	connection string        // names the session of a client that may have had others
	budget     *rate.Limiter // of what others are told; nil until first needed
}

// What a session may have others be told: each room that it enters, leaves or is renamed in costs one. The burst lets a
// client enter all its rooms at once when it comes back, and take another name in them.
const (
	tellRate  = 50 // a second
	tellBurst = 300
)

// CloseError is what Receive returns where the session is to be closed.
type CloseError struct {
	Code   protocol.Code
	Reason string // at most 123 bytes (RFC 6455 §5.5)
}

// Error returns code and reason.
func (e *CloseError) Error() string { return fmt.Sprintf("close with %d: %s", e.Code, e.Reason) }

// NewSession returns a session of shard that speaks hub.plain or hub.v1. A plain one has to be opened by EnterPlain;
// to the other nothing is sent before its client says hello.
func (h *Hub) NewSession(shard Shard, handle any, plain bool) *Session {
	s := h.newSession(shard, handle)
	if s.plain = plain; !plain {
		s.dialog = new(dialog)
	}
	return s
}

func (h *Hub) newSession(shard Shard, handle any) *Session {
	s := &Session{Handle: handle, hub: h, shard: shard}
	s.who.Store(&protocol.Client{ID: rand.Text()})
	return s
}

// EnterPlain opens a plain session in room, whose name the transport has checked. It comes before the first Receive. It
// waits, for a short time, until the room is there for the session: it misses nothing from then on.
func (s *Session) EnterPlain(ctx context.Context, room string) {
	s.enter(ctx, room, joining{provisional: true})
}

// enter opens a session in the one room that it is in, and waits until that is there for it. One that resumes misses
// nothing, and does not wait.
func (s *Session) enter(ctx context.Context, room string, j joining) {
	s.opened = true
	if s.hub.isLog(room) && (s.hub.logAway.Load() || !j.cursor.IsZero()) {
		s.subs = append(s.subs, s.hub.join(s, room, j))
		return
	}
	ready := make(chan struct{}) // closed under the stripe's lock, by whoever finds that nothing is missed any more
	j.ready = ready
	s.subs = append(s.subs, s.hub.join(s, room, j))
	var late <-chan time.Time
	if s.hub.isLog(room) { // a live room has a timer itself
		late = time.After(s.hub.options.AttachTimeout)
	}
	select {
	case <-ready:
	case <-late:
	case <-ctx.Done():
	}
}

// speaksV1 reports whether the session is told of people and of what it published.
func (s *Session) speaksV1() bool { return !s.plain && !s.stream }

// Opened reports whether the session is open: its client has said hello, or entered its room. It is called by whoever calls Receive.
func (s *Session) Opened() bool { return s.opened }

// ID returns the client's id, which is settled once the session is open.
func (s *Session) ID() string { return s.who.Load().ID }

func (s *Session) client() protocol.Client { return *s.who.Load() }

// Receive takes one message of the client. Text must be UTF-8, which the transport has checked. It returns nil, or a
// *CloseError where the session is to be closed. It does not keep data, and waits for nothing: see FarBehind.
func (s *Session) Receive(data []byte, binary bool) error {
	if s.plain {
		return s.receivePlain(data, binary)
	}
	if s.displaced.Load() {
		return &CloseError{protocol.CodeDisplaced, displacedReason}
	}
	if binary {
		return &CloseError{protocol.CodeUnsupportedData, "hub.v1 is spoken in text messages"}
	}
	f, err := protocol.DecodeFrame(data)
	if errors.Is(err, protocol.ErrNotFrame) {
		s.refuse(&protocol.Frame{}, &Refusal{protocol.ErrBadFrame, err.Error(),
			"send one JSON object with a type in each text message, or connect without the subprotocol hub.v1"})
		return &CloseError{protocol.CodeBadRequest, "not a frame of hub.v1"}
	}
	if err != nil {
		s.refuse(f, &Refusal{protocol.ErrBadFrame, err.Error(), "send the members as docs/protocol.md has them"})
		return nil
	}
	if f.Type == protocol.TypeHello {
		return s.hello(f)
	}
	if !s.opened {
		s.refuse(f, &Refusal{protocol.ErrHelloFirst, fmt.Sprintf("the first frame is of type %q", f.Type),
			`send {"type":"hello","name":"…"} first`})
		return &CloseError{protocol.CodeBadRequest, "the first frame is not hello"}
	}
	switch f.Type {
	case protocol.TypeJoin:
		s.join(f)
	case protocol.TypeLeave:
		s.leave(f)
	case protocol.TypePublish:
		return s.publish(f)
	case protocol.TypePeople:
		s.people(f)
	case protocol.TypePing:
		s.send(&protocol.Frame{Type: protocol.TypePong, Time: protocol.FormatTime(time.Now())})
	}
	return nil
}

// Closed ends the session's subscriptions. The transport calls it last, as soon as the connection is of no more use.
// Where mayReturn is set, the client is likely to be back in a moment: the others are told that it left if it is not.
func (s *Session) Closed(mayReturn bool) {
	for _, sub := range s.subs {
		s.hub.leave(sub, mayReturn)
	}
	s.subs = nil
	if s.addressee != nil {
		s.addressee.Store(nil)
	}
	if s.opened && s.speaksV1() {
		s.hub.clients.closed(s)
	}
}

// hello opens the session, or changes its name, or brings another token, which is answered. The name in a token counts
// more than what the client says.
func (s *Session) hello(f *protocol.Frame) error {
	if err := s.authenticate(f); err != nil {
		return err
	}
	who := protocol.Client{ID: s.client().ID, Name: cleanName(f.Name)}
	if s.opened && f.Name == "" && f.Token != "" {
		who.Name = s.client().Name // it brings a token, and says nothing of the name
	}
	if name := cleanName(s.owner().Name); name != "" {
		who.Name = name
	}
	if s.opened {
		if who.Name != s.client().Name && s.mayTell(f, len(s.subs)) {
			s.who.Store(&who)
			for _, sub := range s.subs {
				s.hub.renamed(sub)
			}
		}
		if f.Token != "" && !s.Expires().IsZero() {
			s.send(s.welcome())
		}
		return nil
	}
	came := s.hub.knows(f.Client, s.owner().Subject)
	if came {
		who.ID = f.Client.ID
	}
	s.who.Store(&who)
	s.opened = true
	s.dialog.connection = rand.Text()
	if came && s.hub.presence != nil {
		s.hub.clients.claim(who.ID)
		s.hub.presence.Claim(who.ID)
	}
	s.hub.clients.opened(s)
	welcome := s.welcome()
	s.hub.status.Lock()
	defer s.hub.status.Unlock()
	isolated := s.hub.isolated.Load()
	s.send(welcome)
	s.send(&protocol.Frame{Type: protocol.TypeStatus, Isolated: &isolated})
	return nil
}

// welcome says who the client is, and how long its token lasts.
func (s *Session) welcome() *protocol.Frame {
	f := &protocol.Frame{
		Type: protocol.TypeWelcome, Client: s.hub.credentials(s.ID(), s.owner().Subject),
		Session: s.dialog.connection, Hub: s.hub.name, Time: protocol.FormatTime(time.Now()),
	}
	if end := s.Expires(); !end.IsZero() {
		f.Expires = protocol.FormatTime(end)
	}
	return f
}

// mayTell takes n from what the session may have others be told, and reports whether that much was left; where it was
// not, f is refused. Without it one client could fill the queues of all others in its rooms, with frames that must not be
// dropped.
func (s *Session) mayTell(f *protocol.Frame, n int) bool {
	if s.dialog.budget == nil {
		s.dialog.budget = rate.NewLimiter(tellRate, tellBurst)
	}
	if s.dialog.budget.AllowN(time.Now(), n) {
		return true
	}
	s.refuse(f, &Refusal{protocol.ErrTooMany,
		fmt.Sprintf("the session joined rooms or changed its name more than %d times a second", tellRate),
		"wait a second, then go on more slowly"})
	return false
}

// refuse answers f with an error. Room and key are repeated as they came, cut where they are longer than could be right.
func (s *Session) refuse(f *protocol.Frame, r *Refusal) {
	s.send(&protocol.Frame{
		Type: protocol.TypeError, Code: r.Code, Message: r.Detail, Fix: r.Fix,
		Room: cut(f.Room, protocol.MaxRoomName), Key: cut(f.Key, protocol.MaxKey),
	})
}

func (s *Session) send(f *protocol.Frame) { s.shard.Send(s, f.Encode()) }

// cleanName returns a name fit to be shown: no control characters, no space around it, not longer than a name may be.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, cut(name, 4*protocol.MaxName))
	return cut(strings.TrimSpace(name), protocol.MaxName)
}

// cut returns at most n bytes of s, and no half of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
