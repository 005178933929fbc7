// Package origin decides which web pages may use a hub, and under which names a hub on a loopback address may be
// addressed.
//
// A browser lets any page open a WebSocket to any host, so the server has to look at Origin itself (RFC 6455 §10.2). A
// page whose name was made to resolve to 127.0.0.1 is kept out by its Host (DNS rebinding). [Policy] has both rules. It
// authenticates nobody: programs can send any Origin they like.
package origin

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/problem"
)

// CodeNotAllowed is the code of the problem that answers a page whose origin may not use this hub.
const CodeNotAllowed = "origin_not_allowed"

// Policy is the two rules. It is immutable once used; all methods may be called by several goroutines at once.
type Policy struct {
	// AllowedOrigins are the exact origins (scheme://host[:port]) whose pages are let in. Where it is empty, a page is
	// let in if its origin has the host name of the request's Host, whatever the port.
	AllowedOrigins []string
	// AllowedHosts are host names that a request on a loopback listener may be addressed to besides localhost, names
	// below it, and loopback addresses.
	AllowedHosts []string
	// Loopback says that the listener is on a loopback address: Host is looked at only there.
	Loopback bool
}

// CheckOrigin returns nil where r has no Origin or one that is allowed, and otherwise a *problem.Problem with 403.
func (p *Policy) CheckOrigin(r *http.Request) error {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return nil
	}
	if len(origins) == 1 && p.allows(origins[0], r.Host) {
		return nil
	}
	fix := "start the hub with --allowed-origins " + quote(origins[0])
	if origins[0] == "null" || len(origins) > 1 {
		fix = "open the page by http or https from a host that the hub knows"
	}
	return &problem.Problem{
		Status: http.StatusForbidden, Code: CodeNotAllowed,
		Detail: fmt.Sprintf("pages of origin %s may not use this hub, which was addressed as %s",
			quote(origins[0]), quote(r.Host)),
		Fix: fix,
	}
}

func (p *Policy) allows(origin, host string) bool {
	if len(p.AllowedOrigins) > 0 {
		return slices.ContainsFunc(p.AllowedOrigins, func(o string) bool { return strings.EqualFold(o, origin) })
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" {
		return false
	}
	return strings.EqualFold(u.Hostname(), Hostname(host))
}

// CheckHost returns nil where r may be addressed to this listener, and otherwise a *problem.Problem with 421.
func (p *Policy) CheckHost(r *http.Request) error {
	if !p.Loopback || IsLoopback(Hostname(r.Host)) {
		return nil
	}
	name := Hostname(r.Host)
	if slices.ContainsFunc(p.AllowedHosts, func(h string) bool { return strings.EqualFold(h, name) }) {
		return nil
	}
	return &problem.Problem{
		Status: http.StatusMisdirectedRequest, Code: "host_not_allowed",
		Detail: fmt.Sprintf("this server listens on a loopback address and was addressed as %s", quote(r.Host)),
		Fix:    "address it as localhost, or start it with --allowed-hosts " + quote(name),
	}
}

// Protect returns a handler that answers requests which break the policy and passes the others to next. A request that
// changes something and carries no Origin is asked for its Sec-Fetch-Site, which browsers send instead.
func (p *Policy) Protect(next http.Handler) http.Handler {
	fetch := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := p.CheckHost(r)
		if err == nil {
			err = p.CheckOrigin(r)
		}
		if err == nil && r.Header.Get("Origin") == "" && fetch.Check(r) != nil {
			err = &problem.Problem{
				Status: http.StatusForbidden, Code: CodeNotAllowed,
				Detail: "a page of another site sent this request, without an Origin",
				Fix:    "send it by fetch, which carries the Origin",
			}
		}
		if err != nil {
			err.(*problem.Problem).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Hostname returns the name or address in a Host header or in host:port, without port and brackets.
func Hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// IsLoopback reports whether host is localhost, a name below it (RFC 6761 §6.3), or a loopback address.
func IsLoopback(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// quote shortens what a stranger sent, and makes it harmless to print.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}
