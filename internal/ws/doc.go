// Package ws is the transport of WebSockets (RFC 6455) and of streams of Server-Sent Events (HTML Standard §9.2):
// handshake, frames, and the engine that moves bytes between sessions' sockets and the hub.
//
// Its main types are [Server], the handler of both; decoder, which turns bytes into messages and knows no socket; shard,
// which the hub tells what to send; and conn, one connection.
//
// A message from a client is decoded on its connection's reading goroutine, which calls the hub's core; that puts
// publications into the shard's inbox. The shard's goroutine takes all that waits there, encodes each publication once
// for each subprotocol in use, and once for all streams, and appends the shared bytes to the queues of the room's members. Each connection's
// writing goroutine writes all that waits for it with one writev.
//
// Goroutines: one for each shard, which ends in Shutdown; two for each connection, reader and writer. The reader waits
// for the writer, and Shutdown for all readers.
//
// The package knows no rooms but as keys of member lists, does not decide who gets what, and does not look at Origin:
// package origin does, before.
package ws
