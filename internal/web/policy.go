package web

import (
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// permissionsPolicy turns off what a chat page has no use for.
const permissionsPolicy = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), usb=()"

// contentSecurityPolicy returns the page's policy: nothing but its own files, connections to the hubs and no other, and
// no string that becomes code or markup (trusted types without any policy).
func (h *Handler) contentSecurityPolicy(opened address.HostPort) string {
	connect := []string{"'self'"}
	if h.proxied {
		// Not every browser counts ws: of the same host as 'self'.
		if opened.Name != "" {
			connect = append(connect, source("ws", opened), source("wss", opened))
		}
	} else {
		for _, u := range h.hubs {
			connect = append(connect, u.seenFrom(opened).sources()...)
		}
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"connect-src " + strings.Join(connect, " "),
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	}, "; ")
}
