//go:build !short && unix

package main

import (
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/redistest"
)

// TestRedisScripts runs the scripts that need a Redis. They have its address, and that of one that is away.
func TestRedisScripts(t *testing.T) {
	redis := redistest.New(t, redistest.Options{Password: "right"})
	away := redistest.Prepare(t, redistest.Options{})
	runScripts(t, "testdata/redis", map[string]string{
		"REDIS": redis.Addr(),
		"AWAY":  away.Addr(),
	})
}
