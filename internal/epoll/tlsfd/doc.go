// Package tlsfd speaks TLS on bare descriptors, so that an event loop has connections over TLS as it has others, without
// a goroutine for each.
//
// The handshake is done by crypto/tls in a goroutine, on a connection of package net that [Listen] or [Client] gave. Then
// [Detach] takes the descriptor out of it, and a [Conn] goes on there, which never blocks. On other systems than Linux
// there are the first two alone, and they are those of crypto/tls.
package tlsfd
