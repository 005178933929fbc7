package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// problems collects what a Validate finds.
type problems []error

// add notes that the value of key is wrong. With others, it is together with the values of these keys that it is wrong.
func (p *problems) add(key, value, what, fix string, others ...string) {
	*p = append(*p, &Error{Keys: append([]string{key}, others...), Value: value, What: what, Fix: fix})
}

// Validate returns what is wrong with the values.
func (c *HubServer) Validate() error {
	var p problems
	p.listen("listen", c.Listen)
	if c.AdminListen != "" {
		p.listen("admin_listen", c.AdminListen)
		if c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
			p.add("admin_listen", c.AdminListen, "the same as listen", "choose another port, or leave it out", "listen")
		}
	}
	p.name("name", c.Name)
	p.broker("broker", c.Broker)
	if n := len(c.TokenKey); 0 < n && n < minTokenKey {
		p.add("token_key", hidden, fmt.Sprintf("%d bytes, fewer than %d: it could be guessed", n, minTokenKey),
			"make one with: openssl rand -base64 32")
	}
	p.certificate(c.TLSCert, c.TLSKey)
	c.Hub.validate(&p)
	c.Redis.validate(&p, c.Broker)
	c.Log.validate(&p)
	return errors.Join(p...)
}

// certificate checks that the files have a certificate and its key, or neither is named.
func (p *problems) certificate(cert, key string) {
	switch {
	case cert == "" && key == "":
	case cert == "":
		p.add("tls_key", key, "without tls_cert it is of no use", "name the file with the certificate too", "tls_cert")
	case key == "":
		p.add("tls_cert", cert, "without tls_key it is of no use", "name the file with the private key too", "tls_key")
	default:
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			p.add("tls_cert", cert, err.Error(), "name files with a certificate and its key in PEM, which this user may read", "tls_key")
		}
	}
}

// Validate returns what is wrong with the values.
func (c *HubClient) Validate() error {
	var p problems
	p.listen("listen", c.Listen)
	if len(c.Hub) == 0 {
		p.add("hub", "", "no HubServer", "name one, for instance http://127.0.0.1:8081")
	}
	for _, hub := range c.Hub {
		p.hubURL("hub", hub)
	}
	if c.Proxy && len(c.Hub) > 1 {
		p.add("proxy", "true", fmt.Sprintf("proxy passes on to one HubServer, and %d are named", len(c.Hub)),
			"name one hub, or leave out proxy", "hub")
	}
	for _, host := range c.AllowedHosts {
		p.host("allowed_hosts", host)
	}
	c.Log.validate(&p)
	return errors.Join(p...)
}

// minTokenKey is how many bytes the key for tokens has at least: as many as a hash of HS256 (RFC 7518 §3.2).
const minTokenKey = 32

// maxHubs is how many hubs one process may run, which is far more than is of use.
const maxHubs = 100

// Validate returns what is wrong with the values.
func (c *Up) Validate() error {
	var p problems
	if c.Hubs < 1 || c.Hubs > maxHubs {
		p.add("hubs", fmt.Sprint(c.Hubs), "not from 1 to "+fmt.Sprint(maxHubs), "say how many, for instance 2")
	} else {
		c.validatePorts(&p)
	}
	p.host("host", c.Host)
	p.broker("broker", c.Broker)
	c.Hub.validate(&p)
	c.Redis.validate(&p, c.Broker)
	c.Log.validate(&p)
	return errors.Join(p...)
}

// validatePorts checks the two runs of ports. Port 0 is a free port for each, so such a run overlaps with nothing.
func (c *Up) validatePorts(p *problems) {
	before := len(*p)
	p.ports("hub_port", c.HubPort, c.Hubs)
	p.ports("web_port", c.WebPort, c.Hubs)
	if len(*p) > before || c.HubPort == 0 || c.WebPort == 0 {
		return
	}
	if gap := c.HubPort - c.WebPort; -c.Hubs < gap && gap < c.Hubs {
		what := fmt.Sprintf("the ports of the pages, %s, and of the hubs, %s, overlap",
			run(c.WebPort, c.Hubs), run(c.HubPort, c.Hubs))
		p.add("web_port", fmt.Sprint(c.WebPort), what, fmt.Sprintf("keep them %d apart", c.Hubs), "hub_port", "hubs")
	}
}

// run returns the n ports from first as people write them.
func run(first, n int) string {
	if n == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d–%d", first, first+n-1)
}

// Validate returns what is wrong with the values.
func (c *Pub) Validate() error {
	var p problems
	c.Reach.validate(&p)
	p.oneOf("kind", c.Kind, "text", "json", "binary")
	p.count("count", c.Count)
	return errors.Join(p...)
}

// Validate returns what is wrong with the values.
func (c *Sub) Validate() error {
	var p problems
	c.Reach.validate(&p)
	p.count("count", c.Count)
	return errors.Join(p...)
}

func (c *Reach) validate(p *problems) {
	if len(c.Hub) == 0 {
		p.add("hub", "", "no HubServer", "name one, for instance http://127.0.0.1:8081")
	}
	for _, hub := range c.Hub {
		p.hubURL("hub", hub)
	}
}

func (c *Hub) validate(p *problems) {
	for _, origin := range c.AllowedOrigins {
		p.origin("allowed_origins", origin)
	}
	for _, host := range c.AllowedHosts {
		p.host("allowed_hosts", host)
	}
	before := len(*p)
	p.size("max_message", c.MaxMessage)
	p.size("send_queue", c.SendQueue)
	if len(*p) == before {
		c.validateQueue(p)
	}
	c.validateRooms(p)
	c.validateLogRooms(p)
	p.positive("linger", c.Linger)
	p.positive("handshake_timeout", c.HandshakeTimeout)
	p.positive("ping_interval", c.PingInterval)
	p.positive("pong_timeout", c.PongTimeout)
	p.positive("write_timeout", c.WriteTimeout)
	p.positive("drain_timeout", c.DrainTimeout)
	p.oneOf("engine", c.Engine, "auto", "epoll", "goroutine")
	if c.Engine == "epoll" && runtime.GOOS != "linux" {
		p.add("engine", c.Engine, "this system has no epoll", "say auto or goroutine")
	}
	if c.Loops < 0 || c.Loops > maxLoops {
		p.add("loops", fmt.Sprint(c.Loops), "not from 0 to "+fmt.Sprint(maxLoops), "leave it out, or say how many")
	}
}

// maxLoops is how many loops a hub may have, which is far more than is of use.
const maxLoops = 256

// validateQueue checks that what a session is sent fits into its queue. In JSON each byte of a message may become six
// (RFC 8259 §7), and besides it the queue holds what a session is told when it begins, which is never dropped.
func (c *Hub) validateQueue(p *problems) {
	const escaped, beside = 6, 64 << 10
	least := escaped*c.MaxMessage + beside // far below the most of an int64, as both are sizes
	if c.SendQueue >= least {
		return
	}
	what := fmt.Sprintf("one message of max_message, %s, may not fit: in JSON it may grow to six times its size",
		c.MaxMessage)
	fix := fmt.Sprintf("set send_queue to %s or more, or max_message lower", least)
	if least > math.MaxInt32 {
		fix = fmt.Sprintf("set max_message to %s or less", Bytes((math.MaxInt32-beside)/escaped>>20<<20))
	}
	p.add("send_queue", c.SendQueue.String(), what, fix, "max_message")
}

// validateLogRooms checks what log rooms have beyond the rest.
func (c *Hub) validateLogRooms(p *problems) {
	p.size("outbox", c.Outbox)
	// What a message counts for beside its bytes: the names and ids in it, and an allowance.
	const beside = 1 << 10
	if least := c.MaxMessage + beside; 0 < c.Outbox && c.Outbox < least && least <= math.MaxInt32 {
		p.add("outbox", c.Outbox.String(), fmt.Sprintf("one message of max_message, %s, may not fit", c.MaxMessage),
			fmt.Sprintf("set outbox to %s or more, or max_message lower", least), "max_message")
	}
	before := len(*p)
	p.lifetime("outbox_age", c.OutboxAge)
	p.lifetime("key_ttl", c.KeyTTL)
	if len(*p) == before {
		c.validateKeyTTL(p)
	}
	p.positive("check_interval", c.CheckInterval)
}

// clientTries is how long clients try to publish a message, 10 minutes, and what it may take on its way.
const clientTries = 11 * time.Minute

// longest is the longest that anything is kept: the sum of two such is far from overflow.
const longest = 100 * 365 * 24 * time.Hour

// validateKeyTTL checks that a key outlives every try of its message: the last that a client makes may lie in the
// outbox of a hub.
func (c *Hub) validateKeyTTL(p *problems) {
	least := c.OutboxAge + clientTries
	if c.KeyTTL >= least {
		return
	}
	fix := "set key_ttl to " + formatDuration(least) + " or more"
	if most := c.KeyTTL - clientTries; most > 0 {
		fix += ", or outbox_age to " + formatDuration(most) + " or less"
	}
	what := fmt.Sprintf("a message may be tried again after its key is forgotten, and be stored twice: a client tries "+
		"for 10m, and a hub keeps it for outbox_age, %s", formatDuration(c.OutboxAge))
	p.add("key_ttl", formatDuration(c.KeyTTL), what, fix, "outbox_age")
}

// validate checks the values for a broker at url.
func (c *Redis) validate(p *problems, url string) {
	p.positive("broker_timeout", c.BrokerTimeout)
	p.positive("broker_ping", c.BrokerPing)
	if c.BrokerPing >= c.BrokerTimeout && c.BrokerTimeout > 0 {
		p.add("broker_ping", c.BrokerPing.String(), fmt.Sprintf(
			"not less than broker_timeout, %s: a Redis that is there would count as away", c.BrokerTimeout),
			"ask at least twice in that time", "broker_timeout")
	}
	p.size("broker_queue", c.BrokerQueue)
	p.positive("broker_silence", c.BrokerSilence)
	p.positive("presence_timeout", c.PresenceTimeout)
	c.validateDurability(p, url)
	if c.BrokerCA == "" {
		return
	}
	p.authorities("broker_ca", c.BrokerCA)
	if strings.HasPrefix(url, "redis://") {
		p.add("broker_ca", c.BrokerCA, "broker_ca is for TLS, which a broker redis:// does not use",
			"write rediss:// as the broker, or leave out broker_ca", "broker")
	}
}

// validateDurability checks that the broker at url can be asked for the durability.
func (c *Redis) validateDurability(p *problems, url string) {
	p.oneOf("durability", c.Durability, "memory", "replicated", "fsynced")
	if more := c.Durability == "replicated" || c.Durability == "fsynced"; more && IsMemoryBroker(url) {
		p.add("durability", c.Durability, "a broker memory:// has no replicas and no disk for durability "+c.Durability,
			"name a Redis as the broker, or leave out durability", "broker")
	}
}

func (c *Log) validate(p *problems) {
	p.oneOf("log.level", c.Level, "debug", "info", "warn", "error")
	p.oneOf("log.format", c.Format, "auto", "text", "json")
}

func (p *problems) positive(key string, d time.Duration) {
	if d <= 0 {
		p.add(key, formatDuration(d), "not more than 0", durationRule)
	}
}

// lifetime checks that d can be how long something is kept.
func (p *problems) lifetime(key string, d time.Duration) {
	p.positive(key, d)
	if d > longest {
		p.add(key, formatDuration(d), "more than "+formatDuration(longest)+", a hundred years", "choose a shorter time")
	}
}

// authorities checks that the file at path holds certificates.
func (p *problems) authorities(key, path string) {
	const fix = "name a file with certificates in PEM, which this user may read"
	text, err := readFile(path, maxAuthorities)
	if err != nil {
		p.add(key, path, fmt.Sprintf("cannot read it: %v", err), fix)
	} else if !x509.NewCertPool().AppendCertsFromPEM(text) {
		p.add(key, path, "it holds no certificate", fix)
	}
}

// maxAuthorities is the most bytes that a file of certificates may have: those that systems bring have less than 1 MiB.
const maxAuthorities = 16 << 20

// size checks that b can be the size of something in memory, on systems of 32 bits too.
func (p *problems) size(key string, b Bytes) {
	if b <= 0 || b > math.MaxInt32 {
		p.add(key, b.String(), "not from 1B to 2GiB", bytesRule)
	}
}

func (p *problems) count(key string, n int) {
	if n < 0 {
		p.add(key, fmt.Sprint(n), "less than 0", "say how many messages, or leave it out")
	}
}

func (p *problems) oneOf(key, value string, known ...string) {
	if slices.Contains(known, value) {
		return
	}
	last := len(known) - 1
	fix := "say " + strings.Join(known[:last], ", ") + " or " + known[last]
	p.add(key, value, "unknown", fix)
}

// name checks that a label can be shown on one line.
func (p *problems) name(key, name string) {
	const most = 128
	if len(name) > most {
		p.add(key, name, fmt.Sprintf("more than %d bytes", most), "choose a shorter one")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }) {
		p.add(key, name, "it has a control character", "choose a name that can be shown on one line")
	}
}
