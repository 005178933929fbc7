package web

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/origin"
)

// hostPort is a host and a port that were looked at: the name is made of DNS characters, or an IP address without
// brackets or zone, and the port, which may be empty, of digits. So it can stand in a header and in a page.
type hostPort struct{ name, port string }

// parseHost reads the Host of a request (RFC 9110 §7.2). It reports whether s was well-formed.
func parseHost(s string) (hostPort, bool) {
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		name, port = s[:i], s[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return hostPort{}, false
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return hostPort{}, false
		}
		return hostPort{addr.String(), port}, true
	}
	if !isDNS(name) {
		return hostPort{}, false
	}
	return hostPort{strings.ToLower(name), port}, true
}

// isDNS reports whether name is made of the characters of host names, underscores included, in labels that are not
// empty (RFC 1123 §2.1). IPv4 addresses are among them.
func isDNS(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
			if !letter && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// String returns h as it stands in a URL.
func (h hostPort) String() string {
	if h.port == "" {
		if strings.Contains(h.name, ":") {
			return "[" + h.name + "]"
		}
		return h.name
	}
	return net.JoinHostPort(h.name, h.port)
}

// source returns the source expression of a Content Security Policy that stands for scheme at h. Its grammar has no
// IPv6 addresses, and browsers ignore one: there a wildcard stands, bound to the scheme and the port.
func (h hostPort) source(scheme string) string {
	if strings.Contains(h.name, ":") {
		h.name = "*"
	}
	return scheme + "://" + h.String()
}

// hubURL is the address of a hub as a browser reaches it.
type hubURL struct {
	secure bool
	host   hostPort
	path   string // in front of /ws: empty, or with a slash at its beginning and none at its end
}

// parseHubURL reads the value of --hub.
func parseHubURL(s string) (hubURL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		if _, ok := parseHost(s); ok {
			return hubURL{}, fmt.Errorf("bad --hub %q: no scheme → did you mean http://%s ?", s, s)
		}
		return hubURL{}, badHubURL(s, "not a URL")
	}
	var secure bool
	switch u.Scheme {
	case "http", "ws":
	case "https", "wss":
		secure = true
	default:
		return hubURL{}, badHubURL(s, fmt.Sprintf("the scheme is %q", u.Scheme))
	}
	host, ok := parseHost(u.Host)
	switch {
	case u.User != nil:
		return hubURL{}, badHubURL("", "it holds a user or a password, which every browser would see")
	case !ok:
		return hubURL{}, badHubURL(s, "the host or the port is malformed")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return hubURL{}, badHubURL(s, "it has a query or a fragment")
	case strings.ContainsAny(u.Path, " \t\r\n"):
		return hubURL{}, badHubURL(s, "it has a space") // the page takes a list of addresses apart at spaces
	}
	path := strings.TrimRight(strings.TrimSuffix(u.EscapedPath(), "/ws"), "/")
	return hubURL{secure, host, path}, nil
}

func badHubURL(s, why string) error {
	if s != "" {
		s = " " + strconv.Quote(s)
	}
	return fmt.Errorf("bad --hub%s: %s → write the hub's address as the browser reaches it: http://127.0.0.1:8081", s, why)
}

// seenFrom returns u for a page that was opened as opened: its host name replaces a loopback host. The page of another
// machine so reaches the hub, and the page of the same machine has an Origin that the hub takes for its own.
func (u hubURL) seenFrom(opened hostPort) hubURL {
	if opened.name != "" && origin.IsLoopback(u.host.name) {
		u.host.name = opened.name
	}
	return u
}

// socket returns the URL of the WebSocket.
func (u hubURL) socket() string {
	scheme := "ws"
	if u.secure {
		scheme = "wss"
	}
	return scheme + "://" + u.host.String() + u.path + "/ws"
}

// sources returns the source expressions that let a page connect to u.
func (u hubURL) sources() []string {
	if u.secure {
		return []string{u.host.source("https"), u.host.source("wss")}
	}
	return []string{u.host.source("http"), u.host.source("ws")}
}
