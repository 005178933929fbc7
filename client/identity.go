package client

import (
	"slices"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// maxFormer is how many earlier ids a client remembers as its own.
const maxFormer = 64

// identity is who the client is to hubs: what it shows them to be the same client at each of them, and who it was
// before one of them did not know it.
type identity struct {
	protocol.Credentials
	former []string // earlier ids, newest last, at most maxFormer
}

// become takes what a hub said who the client is.
func (i *identity) become(who protocol.Credentials) {
	if i.ID != "" && i.ID != who.ID {
		if i.former = append(i.former, i.ID); len(i.former) > maxFormer {
			i.former = slices.Delete(i.former, 0, 1)
		}
	}
	i.Credentials = who
}

// is reports whether id is, or was, the client's.
func (i *identity) is(id string) bool { return id == i.ID || slices.Contains(i.former, id) }

// hello returns the frame that opens a session, as the client that the last hub knew, or that brings another token.
func (c *Client) hello() *protocol.Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &protocol.Frame{Type: protocol.TypeHello, Name: c.options.name, Token: c.token.text}
	if who := c.who.Credentials; who.ID != "" && who.Secret != "" {
		f.Client = &who
	}
	return f
}
