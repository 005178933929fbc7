package config

import (
	"errors"
	"strconv"
	"time"
)

// leastBenchSize is the fewest bytes of a message of `bench`: what it measures with is written into each.
const leastBenchSize = 16

// Validate returns what is wrong with the values.
func (c *Bench) Validate() error {
	var p problems
	if len(c.Hub) == 0 {
		p.add("hub", "", "no HubServer", "name one, for instance http://127.0.0.1:8081")
	}
	for _, hub := range c.Hub {
		p.hubURL("hub", hub)
	}
	p.oneOf("protocol", c.Protocol, "plain", "v1")
	p.atLeastOne("conns", c.Conns, "connections")
	p.atLeastOne("rooms", c.Rooms, "rooms")
	if c.Rooms > c.Conns && c.Conns > 0 {
		p.add("rooms", strconv.Itoa(c.Rooms), "more rooms than connections", "open at least one connection a room", "conns")
	}
	if !c.Idle {
		p.atLeastOne("publishers", c.Publishers, "publishers")
	}
	p.notNegative("rate", c.Rate)
	p.notNegative("window", c.Window)
	p.size("size", c.Size)
	if 0 < c.Size && c.Size < leastBenchSize {
		p.add("size", c.Size.String(), "fewer than 16 bytes: publisher, number and time are written into each message", "choose 16 or more")
	}
	p.lifetime("duration", c.Duration)
	p.notBefore("warmup", c.Warmup)
	p.lifetime("drain", c.Drain)
	if most := 4 * time.Hour; c.Duration+c.Warmup > most && c.Duration <= longest && c.Warmup <= longest {
		p.add("duration", formatDuration(c.Duration), "longer than "+formatDuration(most)+" with the warm-up", "measure for a shorter time", "warmup")
	}
	for _, pid := range c.HubPID {
		if n, err := strconv.Atoi(pid); err != nil || n < 1 {
			p.add("hub_pid", pid, "not the number of a process", "look it up with: pgrep realtime-hub")
		}
	}
	if c.CA != "" {
		p.authorities("ca", c.CA)
	}
	return errors.Join(p...)
}

func (p *problems) notBefore(key string, d time.Duration) {
	if d < 0 || d > longest {
		p.add(key, formatDuration(d), "less than 0, or more than anybody waits", durationRule)
	}
}

func (p *problems) atLeastOne(key string, n int, what string) {
	if n < 1 {
		p.add(key, strconv.Itoa(n), "less than 1", "say how many "+what)
	}
}

func (p *problems) notNegative(key string, n int) {
	if n < 0 {
		p.add(key, strconv.Itoa(n), "less than 0", "say how many, or leave it out")
	}
}
