package ws

import (
	"crypto/tls"
	"net"

	"github.com/soumya-codes/realtime-hub/internal/epoll/tlsfd"
)

// ListenTLS returns a listener whose connections speak TLS as configured, and can be taken over by either engine.
func ListenTLS(l net.Listener, config *tls.Config) net.Listener { return tlsfd.Listen(l, config) }
