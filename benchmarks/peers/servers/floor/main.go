//go:build linux

// Command floor does the least that fan-out over WebSocket takes: it reads the frames that have come, and writes the same
// bytes to every other connection, all that is pending in one write for each. It is what a hub is measured against.
//
// It has one event loop and nothing else: no rooms, no protocol, no limits, no queues. Where a connection takes no more,
// the loop spins until it does, so nothing is lost and one slow reader would hold up everybody: with the one generator that
// reads all connections this costs nothing. A connection that takes nothing for 10 s is closed.
//
// By itself it takes what is there, as a hub's round does. With -frames N a write carries N frames, where N is no whole
// number on average: the loop waits for them, and takes no more. So it can be run with as many frames a write as a hub
// had. What has come is written before that only where nothing has come for 100 ms, so that a load can end.
package main

import (
	"flag"
	"log"
	"net"
	"runtime"

	"github.com/gobwas/ws"

	"github.com/soumya-codes/realtime-hub/internal/epoll"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	frames := flag.Float64("frames", 0, "frames a write, 1 or more; 0 for what is there")
	flag.Parse()
	if *frames != 0 && *frames < 1 {
		log.Fatalf("-frames %v is less than one", *frames)
	}
	runtime.GOMAXPROCS(1)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	p, err := epoll.New()
	if err != nil {
		log.Fatal(err)
	}
	f := &floor{poller: p, frames: *frames, conns: make(map[int]*conn)}
	go accept(l, f) // ends with the process
	log.Fatal(f.run())
}

// accept does the handshakes and gives the sockets to the loop.
func accept(l net.Listener, f *floor) {
	for {
		nc, err := l.Accept()
		if err != nil {
			log.Printf("accept: %v", err)
			continue
		}
		go func() { // ends with the handshake
			if _, err := ws.Upgrade(nc); err != nil {
				nc.Close()
				return
			}
			fd, err := epoll.Detach(nc)
			if err != nil {
				log.Printf("take a connection over: %v", err)
				return
			}
			f.join(fd)
		}()
	}
}
