package hub

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// clients knows which session is which client's, so that a client which comes back displaces what is left of it.
//
// A client shows its id and a secret, which is made of the id and of what all hubs of one log share: each hub can check
// it, and none keeps anything.
type clients struct {
	own []byte // immutable: signs while nothing is shared yet

	mu   sync.Mutex
	byID map[string]*Session // guarded by mu; sessions of hub.v1
}

// displacedReason goes with protocol.CodeDisplaced.
const displacedReason = "another session of this client took its place"

func newClients() *clients {
	return &clients{own: []byte(rand.Text()), byID: make(map[string]*Session)}
}

// credentials returns what the client with this id shows when it comes back.
func (h *Hub) credentials(id string) *protocol.Credentials {
	return &protocol.Credentials{ID: id, Secret: sign(h.secret(), id)}
}

// knows reports whether a hub of this log gave c.
func (h *Hub) knows(c *protocol.Credentials) bool {
	const longest = 64 // those that hubs give have 26
	if c == nil || c.ID == "" || len(c.ID) > longest {
		return false
	}
	// What was given before there was anything to share counts here.
	return equal(c.Secret, sign(h.secret(), c.ID)) || equal(c.Secret, sign(h.clients.own, c.ID))
}

// secret returns what is signed with.
func (h *Hub) secret() []byte {
	if h.logs != nil {
		if shared := h.logs.Secret(); shared != nil {
			return shared
		}
	}
	return h.clients.own
}

func sign(secret []byte, id string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("client\x00" + id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// opened notes that s is the session of its client now, and closes the one that was.
func (c *clients) opened(s *Session) {
	id := s.client().ID
	c.mu.Lock()
	old := c.byID[id]
	c.byID[id] = s
	c.mu.Unlock()
	if old != nil {
		old.displaced.Store(true) // what it asks for from now on is not done
		old.shard.Close(old, protocol.CodeDisplaced, displacedReason)
	}
}

// closed forgets s.
func (c *clients) closed(s *Session) {
	id := s.client().ID
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[id] == s {
		delete(c.byID, id)
	}
}
