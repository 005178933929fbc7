package address

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Hub is the address of a HubServer as a browser or another client reaches it.
type Hub struct {
	Secure bool // https or wss
	Host   HostPort
	Path   string // in front of /ws: empty, or with a slash at its beginning and none at its end
}

// HubSchemes are the schemes of the URL of a HubServer.
var HubSchemes = []string{"http", "https", "ws", "wss"}

// ParseHub reads the URL of a HubServer: a scheme, a host, a port unless it is the scheme's own, and a path where the
// hub is not at the root. The path may end in /ws. Its errors are of type *Error.
func ParseHub(text string) (Hub, error) {
	bad := func(what string) (Hub, error) {
		return Hub{}, &Error{Mask(text), what, "for instance http://127.0.0.1:8081"}
	}
	scheme, _, ok := strings.Cut(text, "://")
	switch {
	case !ok:
		return Hub{}, &Error{Mask(text), "no scheme", "did you mean http://" + Mask(text) + " ?"}
	case !slices.Contains(HubSchemes, scheme):
		return Hub{}, &Error{Mask(text), fmt.Sprintf("unknown scheme %q", Mask(scheme)), "use http:// or https://"}
	}
	u, err := url.Parse(text)
	if err != nil {
		return bad("not a URL") // its error may hold a part of a password
	}
	host, ok := ParseHostPort(u.Host)
	switch {
	case u.Hostname() == "":
		return bad("no host")
	case !IsPort(u.Port()) && (u.Port() != "" || strings.HasSuffix(u.Host, ":")):
		return bad("no port behind the colon")
	case !ok:
		return bad("the host is neither a name nor an IP address")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return bad("more than scheme, host, port and path")
	case strings.ContainsAny(text, " \t\r\n"):
		return bad("it has a space") // the page takes a list of addresses apart at spaces
	}
	path := strings.TrimRight(strings.TrimSuffix(u.EscapedPath(), "/ws"), "/")
	return Hub{Secure: scheme == "https" || scheme == "wss", Host: host, Path: path}, nil
}

// Socket returns the URL of the hub's WebSocket.
func (h Hub) Socket() string {
	scheme := "ws"
	if h.Secure {
		scheme = "wss"
	}
	return scheme + "://" + h.Host.String() + h.Path + "/ws"
}
