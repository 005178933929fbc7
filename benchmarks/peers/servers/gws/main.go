// Command gws is a chat server on lxzan/gws as its documentation has it: a goroutine that reads for each client, and the
// library's broadcaster, which encodes a message once and queues one write for each of the others.
package main

import (
	"bytes"
	"flag"
	"log"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

type hub struct {
	gws.BuiltinEventHandler
	mu      sync.Mutex
	clients map[*gws.Conn]struct{} // guarded by mu
}

func (h *hub) OnOpen(c *gws.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[c] = struct{}{}
}

func (h *hub) OnClose(c *gws.Conn, _ error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

func (h *hub) OnMessage(from *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(m.Opcode, bytes.Clone(m.Bytes())) // the message's memory goes back to the library
	defer b.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		if c != from {
			_ = b.Broadcast(c) // fails where the client is gone, of which OnClose tells
		}
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	flag.Parse()
	upgrader := gws.NewUpgrader(&hub{clients: make(map[*gws.Conn]struct{})}, &gws.ServerOption{})
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		c.ReadLoop()
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
