//go:build !linux

package tlsfd

import (
	"crypto/tls"
	"net"
)

// Listen returns a listener whose connections speak TLS as configured.
func Listen(l net.Listener, config *tls.Config) net.Listener { return tls.NewListener(l, config) }

// Client returns a connection that speaks TLS as configured with the server at the other end of nc.
func Client(nc net.Conn, config *tls.Config) *tls.Conn { return tls.Client(nc, config) }
