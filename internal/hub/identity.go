package hub

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// Identity is who somebody is, as a token says. The zero Identity is nobody in particular: so is everybody at a hub that
// wants no tokens.
type Identity struct {
	Subject string    // 1 to 128 visible ASCII characters; "" for nobody in particular
	Name    string    // a label; "" where the token has none
	Expires time.Time // when the token ends; zero where there is none
}

// Authenticator looks at tokens. Its methods may be called by several goroutines at once.
type Authenticator interface {
	// Authenticate returns who token names. The error, which wraps ErrTokenExpired where the token was good, says what is
	// wrong in words for its bearer. It does not block.
	Authenticate(token string) (Identity, error)
}

// ErrTokenExpired is wrapped by Authenticator.Authenticate where the time of a good token is over.
var ErrTokenExpired = errors.New("the token has ended")

// Authenticate returns who the bearer of token is, which is empty where there is none, or why he is not let in. A hub
// that wants no tokens looks at none.
func (h *Hub) Authenticate(token string) (Identity, *Refusal) {
	if h.options.Tokens == nil {
		return Identity{}, nil
	}
	if token == "" {
		return Identity{}, &Refusal{protocol.ErrTokenRequired, "this hub wants a token, and there is none",
			"send the token that whoever runs the hub gives you"}
	}
	who, err := h.options.Tokens.Authenticate(token)
	switch {
	case errors.Is(err, ErrTokenExpired):
		return Identity{}, &Refusal{protocol.ErrTokenExpired, err.Error(), "fetch another token"}
	case err != nil:
		return Identity{}, &Refusal{protocol.ErrBadToken, err.Error(), "send the token as it was given to you, or fetch another"}
	}
	return who, nil
}

// Identify says who the client of a session in one room is. It comes before EnterPlain or EnterStream.
func (s *Session) Identify(who Identity) {
	s.identify(who)
	s.who.Store(&protocol.Client{ID: s.ID(), Name: cleanName(who.Name)})
}

// Expires returns when the session's token ends; zero where it has none. It is called by whoever calls Receive, who is to
// close the session then with protocol.CodeExpired.
func (s *Session) Expires() time.Time { return s.owner().Expires }

// owner returns who the session's token names.
func (s *Session) owner() Identity {
	if s.identity == nil {
		return Identity{}
	}
	return *s.identity
}

func (s *Session) identify(who Identity) {
	s.identity = nil
	if who != (Identity{}) {
		s.identity = &who
	}
}

// ExpiredReason goes with protocol.CodeExpired.
const ExpiredReason = "the token has ended"

// authenticate looks at the token of a hello. Its error says how the session is to be closed.
func (s *Session) authenticate(f *protocol.Frame) error {
	if s.opened && f.Token == "" {
		return nil // it changes the name
	}
	who, refusal := s.hub.Authenticate(f.Token)
	if refusal == nil && s.opened && who.Subject != s.owner().Subject {
		refusal = &Refusal{protocol.ErrBadToken, fmt.Sprintf("the token is for another subject, %q", who.Subject),
			"open another session for somebody else"}
	}
	switch {
	case refusal == nil:
		s.identify(who)
		return nil
	case refusal.Code == protocol.ErrTokenExpired:
		s.refuse(f, refusal)
		return &CloseError{protocol.CodeExpired, ExpiredReason}
	}
	refusal.Code = protocol.ErrBadToken // also where there is none
	s.refuse(f, refusal)
	return &CloseError{protocol.CodeBadToken, "the hub wants a token, and this is none that it takes"}
}

// sender returns who publishes over HTTP: the subject, or whoever the room has. A subject is part of the ids of messages,
// in which a slash stands behind the sender, so it has none there.
func (who Identity) sender(room string) protocol.Client {
	if who.Subject == "" {
		return protocol.Client{ID: "http:" + room}
	}
	return protocol.Client{ID: subjectEscapes.Replace(who.Subject), Name: cleanName(who.Name)}
}

var subjectEscapes = strings.NewReplacer("%", "%25", "/", "%2F")
