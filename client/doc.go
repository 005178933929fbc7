// Package client connects Go programs to a HubServer: they join rooms, read messages and publish.
//
// [Dial] opens a [Client], which speaks the subprotocol hub.v1 (docs/protocol.md). [Client.Join] gives a [Room], whose
// [Room.Messages] are ranged over and in which [Room.Send] publishes; [Client.Publish] publishes in a room that one
// need not have joined. A client that lost its connection connects again by itself and joins its rooms again, until it
// is closed or a hub tells it not to come back.
//
// # What is promised
//
// All rooms are live rooms so far: a message arrives at most once, in the order of its publisher, and nothing is kept
// for those who are away. What this package knows to be missing it tells: where the connection was lost for a while, or
// the program reads too slowly and more waits than [WithBuffer] allows, the range over [Room.Messages] has a [Gap]
// between the messages, and goes on.
//
// What a hub drops it does not tell the client. It drops the oldest messages for a connection that takes them too
// slowly, and messages between hubs that cannot reach each other; it counts both (messages_dropped_total, in its
// metrics). A client reads its connection as fast as it can, whatever the program does, so for the first the network or
// the machine must be too slow.
//
// # Goroutines
//
// A Client owns three while it is connected: one that connects, reads and connects again, one that writes, and one that
// pings. [Client.Close] ends them and waits for them. They run no code of the caller but its logger, and wait for
// nobody who reads slowly. All methods of Client and Room may be called by several goroutines at once.
//
// # What it does not do
//
// It does not store what was to be published while there was no connection: [Client.Publish] waits for one as long as
// its context lasts. It does not publish a second time by itself: [ErrUnknown] tells the caller that it may have to.
package client
