// Package protocol is the language that hubs and their clients speak: rooms, messages, the JSON frames of the
// subprotocol hub.v1, and the close codes.
//
// Its main types are [Message], which a room carries, and [Frame], which holds any one frame of hub.v1. It starts no
// goroutine, keeps no state and imports nothing of ours, so that clients can use it as hubs do. Everything in it may be
// used by several goroutines at once, as long as nobody changes the values passed.
//
// # Frames
//
// A frame of hub.v1 is one JSON object in one WebSocket text message. What follows is the whole of it; docs/protocol.md
// says what each means. Unknown types and unknown members are ignored.
//
//	client → hub
//	{"type":"hello","name":NAME,"client":{"id":ID,"secret":SECRET},"token":TOKEN}  first; again to rename or stay
//	{"type":"join","room":ROOM,"position":POSITION,"history":N,"provisional":BOOL}
//	{"type":"leave","room":ROOM}
//	{"type":"publish","room":ROOM,"key":KEY,"birth":POSITION,"kind":KIND,"data":DATA}
//	{"type":"people","room":ROOM,"after":ID,"limit":N}
//	{"type":"ping"}
//
//	hub → client
//	{"type":"welcome","client":{"id":ID,"secret":SECRET},"session":ID,"hub":NAME,"time":TIME,"expires":TIME}
//	{"type":"status","isolated":BOOL}
//	{"type":"there","room":ROOM,"people":[{"id":ID,"name":NAME,"hub":NAME},…],"count":N,"log":BOOL}
//	{"type":"joined","room":ROOM,"person":{"id":ID,"name":NAME,"hub":NAME},"count":N}
//	{"type":"updated","room":ROOM,"person":{"id":ID,"name":NAME,"hub":NAME},"count":N}
//	{"type":"left","room":ROOM,"person":{"id":ID},"count":N}
//	{"type":"people","room":ROOM,"people":[{"id":ID,"name":NAME,"hub":NAME},…],"count":N,"next":ID}
//	{"type":"subscribed","room":ROOM,"position":POSITION}
//	{"type":"message","room":ROOM,"id":ID,"position":POSITION,"scope":"hub","past":true,
//	 "from":{"id":ID,"name":NAME},"hub":NAME,"time":TIME,"kind":KIND,"data":DATA}
//	{"type":"history","room":ROOM,"count":N}
//	{"type":"ack","room":ROOM,"key":KEY,"id":ID,"scope":SCOPE,"position":POSITION,"duplicate":true}
//	{"type":"orphans","room":ROOM,"position":POSITION,"count":N}
//	{"type":"reset","room":ROOM,"position":POSITION}
//	{"type":"gap","room":ROOM,"count":N}
//	{"type":"pong","time":TIME}
//	{"type":"error","code":CODE,"message":TEXT,"fix":TEXT,"room":ROOM,"key":KEY}
//	{"type":"bye","retry":MILLISECONDS}
//
// DATA is a string for the kind "text", the value itself for "json", and base64 (RFC 4648 §4, with padding) for
// "binary". SCOPE is live, hub or cluster. A POSITION is [Position] as text. TIME is RFC 3339 in UTC with milliseconds.
package protocol
