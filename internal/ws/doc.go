// Package ws is the transport of WebSockets (RFC 6455) and of streams of Server-Sent Events (HTML Standard §9.2):
// handshake, frames, and the engines that move bytes between sessions' sockets and the hub.
//
// Its main types are [Server], the handler of both; decoder, which turns bytes into messages and knows no socket; shard,
// which the hub tells what to send; engine, which moves the bytes of a shard's connections; and conn, one connection.
//
// A message from a client is decoded by whoever reads its connection, who calls the hub's core; that puts publications
// into the inboxes of the shards. A shard's loop takes all that waits there, encodes the publications of a room into one
// block for each subprotocol in use, and one for all streams, and appends spans of the block to the queues of the room's
// members. All that waits for a connection is written at once.
//
// Of the two engines [EngineEpoll] has one goroutine, its loop, for all that a shard's connections need; [EngineGoroutine]
// two more for each connection, its reader and its writer. Goroutines: one for each shard's loop, which ends in Shutdown;
// readers, which wait for their writers, and Shutdown for all readers.
//
// The package knows no rooms but as keys of member lists, does not decide who gets what, and does not look at Origin:
// package origin does, before.
package ws
