// Package redis joins hubs through the publish and subscribe commands of one Redis server, version 6 or later.
//
// Its main type is [Broker], which implements hub.Broker. A broker has at most one link: one life of its connections,
// of which there are two, one for commands and one that is subscribed. A link that is in doubt is thrown away whole and
// a new one made; nothing of one link gets into the next. See link.go for why that matters.
//
// A broker owns one goroutine from Start until Close, which waits for it. The receiver is called by Start, once, and
// from then on by that goroutine alone. A link owns three more, which end with it: one publishes, and one probes each
// connection; besides them those with which the Redis library reads and writes.
//
// Publications are at most once: none is ever sent a second time, not even where Redis did not confirm it. The package
// keeps nothing in Redis, and reaches no Sentinel or Cluster.
//
// # Channels
//
// Rooms share 16 channels, rh:live:0 to rh:live:15, by a hash of their names that is part of the wire format. All hubs
// subscribe to all of them. What waits to be published goes out as one round, as few commands as order and a bound on
// their size allow: under load one PUBLISH carries many publications, and there is never more than one for each.
// envelope.go specifies what a command carries.
//
// # Rights
//
// A Redis user for hubs needs this and no more:
//
//	user NAME on >PASSWORD resetchannels &rh:live:* -@all +ping +publish +subscribe +multi +discard
//
// and +select where the URL names a database. MULTI and DISCARD are for asking, at each connect, whether PUBLISH would
// be allowed, without publishing anything.
package redis
