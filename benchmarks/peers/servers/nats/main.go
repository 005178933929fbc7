// Command nats is a NATS server with a WebSocket listener without TLS, and everything else as it is by default.
package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address of the WebSocket listener")
	flag.Parse()
	host, text, err := net.SplitHostPort(*listen)
	if err != nil {
		log.Fatalf("read --listen: %v", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		log.Fatalf("read --listen: %v", err)
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, // the listener of its own protocol, which nobody uses here
		NoSigs:    true,
		Websocket: server.WebsocketOpts{Host: host, Port: port, NoTLS: true},
	})
	if err != nil {
		log.Fatalf("make the server: %v", err)
	}
	go s.Start() // ends in Shutdown; WaitForShutdown waits
	if !s.ReadyForConnections(10 * time.Second) {
		log.Fatal("the server does not become ready")
	}
	stop := make(chan os.Signal, 1) // the runtime sends, main receives, nobody closes it
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	s.Shutdown()
	s.WaitForShutdown()
}
