// Package redis joins hubs through one Redis server: the live rooms through its publish and subscribe commands, version 6
// or later, and the log rooms through logs that scripts keep there, version 7 or later.
//
// Its main types are [Broker], which implements hub.Broker, [Log], which implements hub.Log, and [Presence], which
// implements hub.Presence. Each has at most one link: one life of its connections. Those of a broker are two, one for
// commands and one that is subscribed; a log has three of its own, and a presence two, see there. A link that is in doubt is thrown away whole and a new one made; nothing of one link gets
// into the next. See link.go for why that matters.
//
// A broker owns one goroutine from Start until Close, which waits for it. The receiver is called by Start, once, and
// from then on by that goroutine alone. A link owns four more, which end with it: one publishes, one subscribes, and
// one probes each connection; besides them those with which the Redis library reads and writes.
//
// Publications of live rooms are at most once: none is ever sent a second time, not even where Redis did not confirm it,
// and nothing of them is kept. Messages of log rooms are kept under the key of their publisher, so whoever appends may
// repeat; the package itself repeats only calls that Redis refused whole, as it did not know the script. It reaches no
// Sentinel or Cluster.
//
// # Channels
//
// Rooms share 16 channels, rh:live:0 to rh:live:15, by a hash of their names that is part of the wire format. A hub is
// subscribed to those that it has a room of, or had one of a moment ago (Options.Keep), and for a moment after each
// connect to all, which shows that it may be. What waits to be published goes out as one round, as few commands as order and a bound on
// their size allow: under load one PUBLISH carries many publications, and there is never more than one for each.
// envelope.go specifies what a command carries.
//
// A log room has a channel of its own, and keys; {} keeps them together in a cluster:
//
//	rh:{ROOM}:c                        channel: one message for each call that stored something; see log_envelope.go
//	rh:{ROOM}:s                        stream: the entries, at offset-0
//	rh:{ROOM}:m                        hash: epoch, offset, reign, fork list and name of the log; see lua/epoch.lua
//	rh:{ROOM}:i:LENGTH:PUBLISHER:KEY   string: the position of what PUBLISHER, of LENGTH bytes, published under KEY
//	rh:secret                          string: what all hubs sign with
//	rh:{RANDOM}:p                      channel: one log's probes
//
// Of people everything has one hash tag, so that a script may use it all. A registration is one life of a hub's link:
//
//	rh:{people}:hubs                   hash: registration → time of the last beat, state, the hub's id and name
//	rh:{people}:changes                stream: what hubs say, about the last minute of it
//	rh:{people}:serial                 string: how much that was
//	rh:{people}:REGISTRATION:in        sorted set: the rooms in which it has people
//	rh:{people}:REGISTRATION:of:ROOM   sorted set: those people, each as id, time and name
//
// # Rights
//
// A Redis user for hubs needs this and no more:
//
//	user NAME on >PASSWORD resetchannels &rh:live:* -@all +ping +publish +subscribe +unsubscribe +multi +discard
//
// and +select where the URL names a database. MULTI and DISCARD are for asking, at each connect, whether PUBLISH would
// be allowed, without publishing anything.
//
// A log and a presence need more, as their scripts may do only what their user may:
//
//	~rh:* resetchannels &rh:* -@all +ping +info +script|load +evalsha +hmget +hset +del +get +mget +set +xadd +xtrim +xrange
//	+pttl +pexpire +publish +subscribe +unsubscribe +multi +discard
//	+xread +xrevrange +hget +hdel +hgetall +incr +zadd +zrem +zremrangebylex +zcard +zrange +unlink +time
//
// and +wait for [Replicated], +config|get for [Fsynced].
package redis
