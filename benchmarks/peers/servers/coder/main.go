// Command coder is a chat server on coder/websocket as one would write it: a set of clients under a lock, one goroutine
// that reads and one that writes for each client, and each message, a text, one write to each of the others. A client whose
// channel is full is disconnected.
package main

import (
	"flag"
	"log"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// queue is how many messages may wait for a client.
const queue = 256

type client struct {
	conn  *websocket.Conn
	queue chan []byte // readers of all clients send, the client's writer receives, nobody closes it
}

type hub struct {
	mu      sync.Mutex
	clients map[*client]struct{} // guarded by mu
}

func (h *hub) add(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[c] = struct{}{}
}

func (h *hub) remove(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
}

func (h *hub) pass(text []byte, from *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		if c == from {
			continue
		}
		select {
		case c.queue <- text:
		default:
			delete(h.clients, c)
			go c.conn.Close(websocket.StatusPolicyViolation, "too slow") // ends within the library's 5 s
		}
	}
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	c := &client{conn: conn, queue: make(chan []byte, queue)}
	h.add(c)
	defer h.remove(c)
	ctx := r.Context()
	done := make(chan struct{}) // closed by the reader
	defer close(done)
	go func() { // ends with the reader, or when a write fails
		for {
			select {
			case text := <-c.queue:
				if conn.Write(ctx, websocket.MessageText, text) != nil {
					conn.CloseNow()
					return
				}
			case <-done:
				return
			}
		}
	}()
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return
		}
		h.pass(text, c)
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	flag.Parse()
	h := &hub{clients: make(map[*client]struct{})}
	http.HandleFunc("/ws", h.serve)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
