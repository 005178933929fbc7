package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// maxPort is the highest TCP port.
const maxPort = 65535

// ports checks that n ports from first are ports. Port 0 stands for a free one.
func (p *problems) ports(key string, first, n int) {
	switch {
	case first < 0 || first > maxPort:
		p.add(key, strconv.Itoa(first), "not a port", "a port is from 1 to 65535, or 0 for a free one")
	case first+n-1 > maxPort:
		what := fmt.Sprintf("%d ports from there end beyond 65535", n)
		p.add(key, strconv.Itoa(first), what, "choose a lower one", "hubs")
	}
}

// listen checks an address to listen on, host:port. The host may be missing, which means every address.
func (p *problems) listen(key, text string) {
	host, port, ok := splitAddress(text)
	if scheme, rest, found := strings.Cut(text, "://"); found {
		p.add(key, text, "it is a URL, and "+scheme+":// is too much", "did you mean "+rest+" ?")
		return
	}
	if !ok {
		fix := "write host:port, for instance 127.0.0.1:8081"
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			fix = fmt.Sprintf("did you mean 127.0.0.1:%d ?", n)
		} else if address.IsHost(text) {
			fix = "did you mean " + text + ":8081 ?"
		}
		p.add(key, text, "no port", fix)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		p.add(key, text, fmt.Sprintf("%q is not a port", port), "a port is from 1 to 65535, or 0 for a free one")
	} else if host != "" && !address.IsHost(host) {
		what := fmt.Sprintf("%q is neither a host name nor an IP address", host)
		p.add(key, text, what, "for instance 127.0.0.1:"+port)
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
	if address.IsHost(text) {
		return
	}
	fix := "write a host name or an IP address alone, for instance 127.0.0.1 or chat.example.com"
	if host, _, ok := splitAddress(text); ok && address.IsHost(host) {
		fix = "did you mean " + host + " ?"
	}
	p.add(key, text, "neither a host name nor an IP address", fix)
}

// brokerSchemes are the schemes of brokers that work, foreignSchemes others that people try.
var (
	brokerSchemes  = []string{"memory", "redis", "rediss"}
	foreignSchemes = []string{"redis+sentinel", "redis+cluster", "unix", "tcp", "http", "https", "nats", "amqp"}
)

// broker checks the URL of a broker. Nothing that the URL may hold in secret stands in the errors.
func (p *problems) broker(key, text string) {
	shown := address.Redact(text)
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case text == "":
		p.add(key, "", "empty", "for instance memory:// or redis://localhost:6379")
	case !ok && slices.Contains(brokerSchemes, strings.TrimRight(text, ":/")):
		p.add(key, shown, "no ://", "did you mean "+strings.TrimRight(text, ":/")+":// ?")
	case ok && !slices.Contains(brokerSchemes, scheme):
		what, fix := unknownBroker(scheme, rest)
		p.add(key, shown, what, fix)
	case text == "memory://":
	case scheme == "memory" && ok:
		p.add(key, shown, "there is nothing to name behind memory://", "write memory:// alone")
	default:
		_, err := address.ParseRedis(text)
		p.malformed(key, err)
	}
}

// unknownBroker returns what is wrong with the URL of a broker whose scheme is none of brokerSchemes. Of what may be
// anything it tells what is like a URL that we know.
func unknownBroker(scheme, rest string) (what, fix string) {
	what, fix = "unknown scheme", "use memory://, redis:// or rediss:// (TLS)"
	guess := Guess(scheme, brokerSchemes)
	if guess != "" || slices.Contains(foreignSchemes, scheme) {
		what = fmt.Sprintf("unknown scheme %q", scheme)
	}
	if guess != "" {
		if _, ok := address.ParseHostPort(rest); !ok {
			rest = ""
		}
		fix = "did you mean " + guess + "://" + rest + " ?"
	}
	return what, fix
}

// malformed adds err, of package address, where there is one.
func (p *problems) malformed(key string, err error) {
	if e, ok := errors.AsType[*address.Error](err); ok {
		p.add(key, e.Shown, e.What, e.Fix)
	}
}

// hubURL checks the URL of a HubServer.
func (p *problems) hubURL(key, text string) {
	_, err := address.ParseHub(text)
	if e, ok := errors.AsType[*address.Error](err); ok {
		scheme, rest, found := strings.Cut(text, "://")
		if guess := Guess(scheme, address.HubSchemes); found && guess != "" && guess != scheme {
			e.Fix = "did you mean " + address.Mask(guess+"://"+rest) + " ?"
		}
	}
	p.malformed(key, err)
}

// origin checks an origin as browsers send it (RFC 6454 §6.2): a scheme, a host, and a port where it is not the usual
// one.
func (p *problems) origin(key, text string) {
	const example = "for instance https://chat.example.com"
	shown := address.Mask(text)
	if text == "*" {
		p.add(key, text, "every page in the world could use this hub", "name the origins, "+example)
		return
	}
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || scheme == "" {
		fix := example
		if address.IsHost(text) {
			fix = "did you mean https://" + text + " ?"
		}
		p.add(key, shown, "no scheme", fix)
		return
	}
	u, err := url.Parse(text)
	if err != nil || !address.IsHost(u.Hostname()) || u.Port() != "" && !address.IsPort(u.Port()) {
		p.add(key, shown, "not an origin", "an origin is scheme://host or scheme://host:port, "+example)
		return
	}
	if plain := u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), ":"); plain != text {
		p.add(key, shown, "browsers send it otherwise", "did you mean "+plain+" ?")
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
