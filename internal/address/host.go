package address

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// HostPort is a host and a port that were looked at: the name is made of DNS characters, in lower case, or an IP
// address without brackets or zone, and the port, which may be empty, of digits. So it can stand in a header and in a
// page.
type HostPort struct{ Name, Port string }

// ParseHostPort reads host, host:port, [IPv6] or [IPv6]:port, as in the Host of a request (RFC 9110 §7.2). It reports
// whether text was well-formed.
func ParseHostPort(text string) (HostPort, bool) {
	name, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		name, port = text[:i], text[i+1:]
		if !IsPort(port) {
			return HostPort{}, false
		}
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return HostPort{}, false
		}
		return HostPort{addr.String(), port}, true
	}
	if !isName(name) {
		return HostPort{}, false
	}
	return HostPort{strings.ToLower(name), port}, true
}

// String returns h as it stands in a URL.
func (h HostPort) String() string {
	if h.Port == "" {
		if strings.Contains(h.Name, ":") {
			return "[" + h.Name + "]"
		}
		return h.Name
	}
	return net.JoinHostPort(h.Name, h.Port)
}

// IsHost reports whether text is an IP address, without brackets, or can be a host name.
func IsHost(text string) bool {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Zone() == "" || isName(addr.Zone()) // netip takes anything for a zone
	}
	return isName(text)
}

// IsPort reports whether text is a port that can be connected to.
func IsPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// isName reports whether text is made of the characters of host names, underscores included, in labels that are not
// empty (RFC 1123 §2.1). IPv4 addresses are among them.
func isName(text string) bool {
	const most = 253 // RFC 1035 §2.3.4, less the dot at the end and the length in front
	if len(text) > most {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
			if !letter && c != '-' && c != '_' { // Compose makes names with _
				return false
			}
		}
	}
	return true
}
