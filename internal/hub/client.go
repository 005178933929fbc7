package hub

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// clients knows which session is which client's, so that a client which comes back displaces what is left of it.
//
// A client shows its id and a secret, which is made of the id, of the subject of its token where it has one, and of what
// all hubs of one log share: each hub can check it, and none keeps anything. So nobody comes as another subject's client,
// not even who got hold of its secret.
type clients struct {
	own []byte // immutable: signs while nothing is shared yet

	mu   sync.Mutex
	byID map[string]*Session // guarded by mu; sessions of hub.v1

	// So many claims of each client are on their way. All hubs see all claims in one order, so that of the sessions of one
	// client on several hubs one is the last on all of them: a claim of another hub is older than those on their way.
	claims map[string]int // guarded by mu
}

// displacedReason goes with protocol.CodeDisplaced.
const displacedReason = "another session of this client took its place"

func newClients() *clients {
	return &clients{own: []byte(rand.Text()), byID: make(map[string]*Session), claims: make(map[string]int)}
}

// credentials returns what the client with this id, of this subject, shows when it comes back.
func (h *Hub) credentials(id, subject string) *protocol.Credentials {
	return &protocol.Credentials{ID: id, Secret: sign(h.secret(), id, subject)}
}

// knows reports whether a hub of this log gave c to this subject.
func (h *Hub) knows(c *protocol.Credentials, subject string) bool {
	const longest = 64 // those that hubs give have 26
	if c == nil || c.ID == "" || len(c.ID) > longest {
		return false
	}
	// What was given before there was anything to share counts here.
	return equal(c.Secret, sign(h.secret(), c.ID, subject)) || equal(c.Secret, sign(h.clients.own, c.ID, subject))
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

// sign says that the client with this id is subject's, or nobody's in particular. What is signed begins in two ways, and
// no subject has a zero byte, so no two pairs are signed alike, whatever id is shown.
func sign(secret []byte, id, subject string) string {
	mac := hmac.New(sha256.New, secret)
	if subject == "" {
		mac.Write([]byte("client\x00" + id))
	} else {
		mac.Write([]byte("client of\x00" + subject + "\x00" + id))
	}
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
		old.displace()
	}
}

// displace closes s, whose client has another session now.
func (s *Session) displace() {
	s.displaced.Store(true) // what it asks for from now on is not done
	s.shard.Close(s, protocol.CodeDisplaced, displacedReason)
}

// claim notes that this hub is about to claim the client.
func (c *clients) claim(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims[id]++
}

// claimed notes that this hub or another has claimed the client, and closes the session that is older than that.
func (c *clients) claimed(id string, own bool) {
	c.mu.Lock()
	var older *Session
	switch n := c.claims[id]; {
	case own && n > 1:
		c.claims[id] = n - 1
	case own:
		delete(c.claims, id)
	case n == 0:
		older = c.byID[id]
	}
	c.mu.Unlock()
	if older != nil {
		older.displace()
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

// clientID is how long the ids are that hubs give to clients: those of crypto/rand.Text.
const clientID = 26

// LikeClientID reports whether id looks like one that a hub gives to a client.
func LikeClientID(id string) bool {
	return len(id) == clientID && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
