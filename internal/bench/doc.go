// Package bench is the load test: it opens connections to running servers, has some of them publish, and measures how
// long messages take to every subscriber, and which of them are lost, doubled or out of order.
//
// [Run] does it, as [Options] say, and returns a [Result]. What the connections speak is a [Dialect], so that servers of
// other protocols are measured by the same code: one [Peer] a connection turns bytes into messages and back, and tells a
// [Turn] what came.
//
// All that is counted belongs to one load, which one goroutine works at a time: on Linux the loop, which waits for all
// sockets with package epoll and reads them into one buffer, so that a connection costs neither a goroutine nor a
// buffer; on other systems a goroutine for each connection, under a lock. Dialling and the handshakes, those of TLS too, are
// done by a few goroutines in front of that. All of them end before Run returns.
//
// The package does not start servers, and knows of hubs only what the dialects "plain" and "v1" need.
package bench
