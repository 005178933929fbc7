// Package client connects Go programs to a HubServer: they join rooms, read messages and publish.
//
// [Dial] opens a [Client], which speaks the subprotocol hub.v1 (docs/protocol.md). [Client.Join] gives a [Room], whose
// [Room.Messages] are ranged over and in which [Room.Send] publishes; [Client.Publish] publishes in a room that one
// need not have joined. [Room.People] says who is there. A client that lost its connection connects again by itself and joins its rooms again, until it
// is closed or a hub tells it not to come back.
//
// # What is promised
//
// There are rooms of two kinds; the hubs' configuration says which is which. In a log room each message of others that
// is stored in the log comes once, in the order of the log. Where a connection is lost, the client goes on where it
// was, at whatever hub, and nothing is missing. Where that cannot hold, as the log lost its end or no longer has what
// was missed, the range over [Room.Messages] has a [Gap] between the messages, and goes on: [Gap.Lost], [Gap.Reset]. A
// hub that cannot reach the log shows messages before they are stored, and the client gives them at once, as
// [Message.Provisional]. They do not come again when they are stored, which may be in another order, nor is the program
// told if they never are.
//
// A message that was acknowledged with the scope "cluster" is in the log. [Client.Publish] sends a message again under
// the same key where need be, and it is stored once. One that was acknowledged with the scope "hub" is kept by that hub,
// which cannot reach the log, and by the client, which sends it again where its connection is lost before it is stored:
// for 10 minutes from the first time, and at most 1,000 of them.
//
// In a live room a message arrives at most once, in the order of its publisher, and nothing is kept for those who are
// away. Where the connection was lost, there is a [Gap]: [Gap.Away]. Where it takes messages too slowly, the hub drops
// the oldest, and there is one, too: [Gap.Dropped]. A client reads its connection as fast as it can, whatever the program
// does, so for that the network or the machine must be too slow. What hubs drop that cannot reach each other is told to
// nobody, and counted (messages_dropped_total, in their metrics).
//
// In rooms of both kinds, what the program reads so slowly that more waits than [WithBuffer] allows is dropped by the
// client, and told: [Gap.Dropped].
//
// A client may know several hubs, by [WithHubs], and be at one after the other: it is the same client at each of them,
// and all of the above holds over such a change.
//
// All this ends with the Client: where it was, and who it was, is kept in memory alone. A new one that joins a log room
// begins at its end, or with [WithHistory] a little before.
//
// # Goroutines
//
// A Client owns three while it is connected: one that connects, reads and connects again, one that writes, and one that
// pings; with [WithToken] one more, and one for each message that it keeps. [Client.Close] ends them and waits for them. They run no code of the caller but its
// logger and the function that fetches tokens, and wait for nobody who reads slowly. All methods of Client and Room may be called by several goroutines at once.
//
// # What it does not do
//
// After [ErrUnknown] a message may still be stored, and a further call publishes another message. What the client keeps
// is in memory alone, and ends with it.
package client
