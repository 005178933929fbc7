package web

import (
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/address"
	"github.com/soumya-codes/realtime-hub/internal/origin"
)

// hubURL is the address of a hub as a page has it.
type hubURL struct{ address.Hub }

// seenFrom returns u for a page that was opened as opened: its host name replaces a loopback host. The page of another
// machine so reaches the hub, and the page of the same machine has an Origin that the hub takes for its own.
func (u hubURL) seenFrom(opened address.HostPort) hubURL {
	if opened.Name != "" && origin.IsLoopback(u.Host.Name) {
		u.Host.Name = opened.Name
	}
	return u
}

// sources returns the source expressions that let a page connect to u.
func (u hubURL) sources() []string {
	if u.Secure {
		return []string{source("https", u.Host), source("wss", u.Host)}
	}
	return []string{source("http", u.Host), source("ws", u.Host)}
}

// source returns the source expression of a Content Security Policy that stands for scheme at h. Its grammar has no
// IPv6 addresses, and browsers ignore one: there a wildcard stands, bound to the scheme and the port.
func source(scheme string, h address.HostPort) string {
	if strings.Contains(h.Name, ":") {
		h.Name = "*"
	}
	return scheme + "://" + h.String()
}
