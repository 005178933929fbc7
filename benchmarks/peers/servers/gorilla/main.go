// Command gorilla is the usual chat server on gorilla/websocket: one goroutine owns the set of clients, two more serve
// each client, and each message, a text, is one write to each of the others. A client whose channel is full is
// disconnected.
//
// With -redis several of them are one: each message is published with one PUBLISH, and what comes from Redis is passed
// on by all but the one that published it. A reader waits for its PUBLISH, as is usual, or with -pipeline hands the
// message over, and what then waits is published together.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/gorilla/websocket"
)

// message is what a client said.
type message struct {
	text []byte
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
				case c.queue <- m.text:
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
	queue chan []byte // the hub sends and closes, the client's writer receives
}

func (c *client) read(h *hub) {
	defer func() {
		h.leave <- c
		c.conn.Close()
	}()
	for {
		_, text, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		m := message{text: text, from: c}
		h.messages <- m
		if h.elsewhere != nil {
			h.elsewhere(m)
		}
	}
}

func (c *client) write() {
	defer c.conn.Close()
	for text := range c.queue {
		if err := c.conn.WriteMessage(websocket.TextMessage, text); err != nil {
			break
		}
	}
	for range c.queue { // until the hub has heard of the end
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	redis := flag.String("redis", "", "address of a Redis that connects several of these")
	pipeline := flag.Bool("pipeline", false, "send what waits for Redis in one pipeline")
	queue := flag.Int("queue", 256, "how many messages may wait for a client")
	flag.Parse()
	h := &hub{join: make(chan *client), leave: make(chan *client), messages: make(chan message, 256)}
	if *redis != "" {
		connect := h.connectUsual
		if *pipeline {
			connect = h.connectPipeline
		}
		if err := connect(*redis); err != nil {
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
		c := &client{conn: conn, queue: make(chan []byte, *queue)}
		h.join <- c
		go c.write() // ends when the hub closes the queue, or a write fails and the hub has heard of it
		c.read(h)
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
