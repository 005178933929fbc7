package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxPort is the highest TCP port.
const maxPort = 65535

// ports checks that n ports from first are ports. Port 0 stands for a free one.
func (p *problems) ports(key string, first, n int) {
	switch {
	case first < 0 || first > maxPort:
		p.add(key, strconv.Itoa(first), "not a port", "a port is from 1 to 65535, or 0 for a free one")
	case first+n-1 > maxPort:
		p.add(key, strconv.Itoa(first), fmt.Sprintf("%d ports from there end beyond 65535", n), "choose a lower one", "hubs")
	}
}

// address checks an address to listen on, host:port. The host may be missing, which means every address.
func (p *problems) address(key, text string) {
	host, port, ok := splitAddress(text)
	if scheme, rest, found := strings.Cut(text, "://"); found {
		p.add(key, text, "it is a URL, and "+scheme+":// is too much", "did you mean "+rest+" ?")
		return
	}
	if !ok {
		fix := "write host:port, for instance 127.0.0.1:8081"
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			fix = fmt.Sprintf("did you mean 127.0.0.1:%d ?", n)
		} else if isHost(text) {
			fix = "did you mean " + text + ":8081 ?"
		}
		p.add(key, text, "no port", fix)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		p.add(key, text, fmt.Sprintf("%q is not a port", port), "a port is from 1 to 65535, or 0 for a free one")
	} else if host != "" && !isHost(host) {
		p.add(key, text, fmt.Sprintf("%q is neither a host name nor an IP address", host), "for instance 127.0.0.1:"+port)
	}
}

// splitAddress returns the two parts of host:port or [host]:port. An IPv6 address without brackets has no port.
func splitAddress(text string) (host, port string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return "", "", false
	}
	host, port = text[:i], text[i+1:]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1], port, true
	}
	return host, port, !strings.Contains(host, ":")
}

// host checks an address or a host name that stands alone.
func (p *problems) host(key, text string) {
	if isHost(text) {
		return
	}
	fix := "write a host name or an IP address alone, for instance 127.0.0.1 or chat.example.com"
	if host, _, ok := splitAddress(text); ok && isHost(host) {
		fix = "did you mean " + host + " ?"
	}
	p.add(key, text, "neither a host name nor an IP address", fix)
}

// isHost reports whether text is an IP address, without brackets, or can be a host name.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	const most = 253 // RFC 1035 §2.3.4, less the dot at the end and the length in front
	if text == "" || len(text) > most {
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

// brokerSchemes are the schemes of brokers that work.
var brokerSchemes = []string{"memory", "redis", "rediss"}

// broker checks the URL of a broker. Nothing that the URL may hold in secret stands in the errors.
func (p *problems) broker(key, text string) {
	const example = "for instance memory:// or redis://localhost:6379"
	shown := Redact(text)
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case text == "":
		p.add(key, shown, "empty", example)
	case !ok && slices.Contains(brokerSchemes, strings.TrimRight(text, ":/")):
		p.add(key, shown, "no ://", "did you mean "+strings.TrimRight(text, ":/")+":// ?")
	case !ok:
		p.add(key, shown, "no scheme", "did you mean redis://"+shown+" ?")
	case !slices.Contains(brokerSchemes, scheme):
		fix := "use memory://, redis:// or rediss:// (TLS)"
		if guess := Guess(scheme, brokerSchemes); guess != "" {
			fix = "did you mean " + guess + "://" + strings.TrimPrefix(shown, scheme+"://") + " ?"
		}
		p.add(key, shown, fmt.Sprintf("unknown scheme %q", scheme), fix)
	case scheme == "memory":
		if rest != "" {
			p.add(key, shown, "there is nothing to name behind memory://", "write memory:// alone")
		}
	default:
		if what, fix := checkRedis(text); what != "" {
			p.add(key, shown, what, fix)
		}
	}
}

// checkRedis returns what is wrong with the URL of a Redis, or "". The error of url.Parse may hold a part of the
// password, so that it is not passed on.
func checkRedis(text string) (what, fix string) {
	u, err := url.Parse(text)
	switch {
	// An @ behind the host stands behind a password with a / in it.
	case err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@"):
		return "not a URL", "write characters such as / # ? % @ in a password as %2F %23 %3F %25 %40"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "it goes on after the address", "leave out what begins with ? or #: options are keys of their own"
	case !isHost(u.Hostname()):
		return "no host", "for instance " + u.Scheme + "://localhost:6379"
	case u.Port() == "" && strings.HasSuffix(u.Host, ":"), !isPort(u.Port()) && u.Port() != "":
		return "no port behind the colon", "Redis listens on 6379 unless told otherwise"
	case !isDatabase(strings.TrimPrefix(u.Path, "/")):
		return "what stands after the / is no database", "write its number, or leave it out"
	}
	return "", ""
}

// isDatabase reports whether text can be the number of a Redis database, or is empty, which means 0.
func isDatabase(text string) bool {
	_, err := strconv.ParseUint(text, 10, 31)
	return err == nil || text == ""
}

// isPort reports whether text is a port that can be connected to.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// hubURL checks the URL of a HubServer.
func (p *problems) hubURL(key, text string) {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok {
		p.add(key, text, "no scheme", "did you mean http://"+text+" ?")
		return
	}
	if schemes := []string{"http", "https", "ws", "wss"}; !slices.Contains(schemes, scheme) {
		fix := "use http:// or https://"
		if guess := Guess(scheme, schemes); guess != "" {
			fix = "did you mean " + guess + strings.TrimPrefix(text, scheme) + " ?"
		}
		p.add(key, text, fmt.Sprintf("unknown scheme %q", scheme), fix)
		return
	}
	const example = "for instance http://127.0.0.1:8081"
	u, err := url.Parse(text)
	switch {
	case err != nil:
		p.add(key, text, "not a URL", example)
	case !isHost(u.Hostname()):
		p.add(key, text, "no host", example)
	case u.Port() != "" && !isPort(u.Port()) || u.Port() == "" && strings.HasSuffix(u.Host, ":"):
		p.add(key, text, "no port behind the colon", example)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		p.add(key, Redact(text), "more than scheme, host, port and path", example)
	}
}

// origin checks an origin as browsers send it (RFC 6454 §6.2): a scheme, a host, and a port where it is not the usual
// one.
func (p *problems) origin(key, text string) {
	const example = "for instance https://chat.example.com"
	if text == "*" {
		p.add(key, text, "every page in the world could use this hub", "name the origins, "+example)
		return
	}
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || scheme == "" {
		fix := example
		if isHost(text) {
			fix = "did you mean https://" + text + " ?"
		}
		p.add(key, text, "no scheme", fix)
		return
	}
	u, err := url.Parse(text)
	if err != nil || !isHost(u.Hostname()) || u.Port() != "" && !isPort(u.Port()) {
		p.add(key, text, "not an origin", "an origin is scheme://host or scheme://host:port, "+example)
		return
	}
	if plain := u.Scheme + "://" + strings.ToLower(u.Host); plain != text {
		p.add(key, text, "browsers send it otherwise", "did you mean "+strings.TrimSuffix(plain, ":")+" ?")
	}
}

// IsMemoryBroker reports whether the URL of a valid configuration means the broker inside the process.
func IsMemoryBroker(url string) bool { return strings.HasPrefix(url, "memory://") }

// CheckHubURL returns what is wrong with the URL of a HubServer that was given as an argument, or nil.
func CheckHubURL(text string) error {
	var p problems
	p.hubURL("URL", text)
	err := errors.Join(p...)
	Each(err, func(e *Error) { e.Source = Source{FromFlag, "URL"} })
	return err
}
