//go:build !linux

package ws

import (
	"crypto/tls"
	"net"
)

// ListenTLS returns a listener whose connections speak TLS as configured, and can be taken over by either engine.
func ListenTLS(l net.Listener, config *tls.Config) net.Listener { return tls.NewListener(l, config) }
