// Command gorilla is the usual chat server on gorilla/websocket: one goroutine owns the set of clients, two more serve
// each client, and each message is one write to each of the others. A client whose channel is full is disconnected.
//
// With -redis several of them are one: each message is published with one PUBLISH, and what comes from Redis is passed
// on by all but the one that published it.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/gorilla/websocket"
)

// queue is how many messages may wait for a client: more than the generator has in flight in any scenario, so that
// nobody is disconnected for a burst.
const queue = 4096

// message is what a client said.
type message struct {
	kind int
	data []byte
	from *client // nil where it came from Redis
}

// hub passes messages on.
type hub struct {
	join, leave chan *client // clients' readers send, run receives; unbuffered, so that a join is in order
	messages    chan message // clients' readers send, run receives
	elsewhere   func(message)
}

func (h *hub) run() {
	clients := make(map[*client]bool)
	remove := func(c *client) {
		if clients[c] {
			delete(clients, c)
			close(c.queue)
		}
	}
	for {
		select {
		case c := <-h.join:
			clients[c] = true
		case c := <-h.leave:
			remove(c)
		case m := <-h.messages:
			for c := range clients {
				if c == m.from {
					continue
				}
				select {
				case c.queue <- m:
				default:
					remove(c)
				}
			}
		}
	}
}

// client is one connection.
type client struct {
	conn  *websocket.Conn
	queue chan message // the hub sends and closes, the client's writer receives
}

func (c *client) read(h *hub) {
	defer func() {
		h.leave <- c
		c.conn.Close()
	}()
	for {
		kind, data, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		m := message{kind: kind, data: data, from: c}
		h.messages <- m
		if h.elsewhere != nil {
			h.elsewhere(m)
		}
	}
}

func (c *client) write() {
	defer c.conn.Close()
	for m := range c.queue {
		if err := c.conn.WriteMessage(m.kind, m.data); err != nil {
			break
		}
	}
	for range c.queue { // until the hub has heard of the end
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	redis := flag.String("redis", "", "address of a Redis that connects several of these")
	flag.Parse()
	h := &hub{join: make(chan *client), leave: make(chan *client), messages: make(chan message, 256)}
	if *redis != "" {
		if err := h.connect(*redis); err != nil {
			log.Fatalf("connect to Redis: %v", err)
		}
	}
	go h.run() // ends with the process
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, CheckOrigin: func(*http.Request) bool { return true }}
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &client{conn: conn, queue: make(chan message, queue)}
		h.join <- c
		go c.write() // ends when the hub closes the queue, or a write fails and the hub has heard of it
		c.read(h)
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
