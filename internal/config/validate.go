package config

import (
	"errors"
	"fmt"
	"math"
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
	p.address("listen", c.Listen)
	if c.AdminListen != "" {
		p.address("admin_listen", c.AdminListen)
		if c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
			p.add("admin_listen", c.AdminListen, "the same as listen", "choose another port, or leave it out", "listen")
		}
	}
	p.name("name", c.Name)
	p.broker("broker", c.Broker)
	c.Hub.validate(&p)
	c.Redis.validate(&p)
	c.Log.validate(&p)
	return errors.Join(p...)
}

// Validate returns what is wrong with the values.
func (c *HubClient) Validate() error {
	var p problems
	p.address("listen", c.Listen)
	if len(c.Hub) == 0 {
		p.add("hub", "", "no HubServer", "name one, for instance http://127.0.0.1:8081")
	}
	for _, hub := range c.Hub {
		p.hubURL("hub", hub)
	}
	c.Log.validate(&p)
	return errors.Join(p...)
}

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
	c.Redis.validate(&p)
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
		p.add("web_port", fmt.Sprint(c.WebPort), fmt.Sprintf("the ports of the pages, %s, and of the hubs, %s, overlap",
			run(c.WebPort, c.Hubs), run(c.HubPort, c.Hubs)), fmt.Sprintf("keep them %d apart", c.Hubs), "hub_port", "hubs")
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
	p.hubURL("hub", c.Hub)
	p.oneOf("kind", c.Kind, "text", "json", "binary")
	p.count("count", c.Count)
	return errors.Join(p...)
}

// Validate returns what is wrong with the values.
func (c *Sub) Validate() error {
	var p problems
	p.hubURL("hub", c.Hub)
	p.count("count", c.Count)
	return errors.Join(p...)
}

func (c *Hub) validate(p *problems) {
	for _, origin := range c.AllowedOrigins {
		p.origin("allowed_origins", origin)
	}
	for _, host := range c.AllowedHosts {
		p.host("allowed_hosts", host)
	}
	p.size("max_message", c.MaxMessage)
	p.size("send_queue", c.SendQueue)
	p.positive("handshake_timeout", c.HandshakeTimeout)
	p.positive("ping_interval", c.PingInterval)
	p.positive("pong_timeout", c.PongTimeout)
	p.positive("write_timeout", c.WriteTimeout)
	p.positive("drain_timeout", c.DrainTimeout)
}

func (c *Redis) validate(p *problems) {
	p.positive("broker_timeout", c.BrokerTimeout)
	p.positive("broker_ping", c.BrokerPing)
	if c.BrokerPing >= c.BrokerTimeout && c.BrokerTimeout > 0 {
		p.add("broker_ping", c.BrokerPing.String(), fmt.Sprintf(
			"not less than broker_timeout, %s: a Redis that is there would count as away", c.BrokerTimeout),
			"ask at least twice in that time", "broker_timeout")
	}
	p.size("broker_queue", c.BrokerQueue)
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
