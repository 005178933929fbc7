package config

import (
	"strings"
	"time"
)

const Live = "live"

type Room struct {
	Kind    string
	History int
	TTL     time.Duration
}

func (c *Hub) Room(name string) Room {
	if strings.HasPrefix(name, "live.") {
		return Room{Kind: Live}
	}
	return Room{Kind: "log", History: 1000, TTL: 24 * time.Hour}
}
