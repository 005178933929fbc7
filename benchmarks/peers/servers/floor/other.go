//go:build !linux

// Command floor does the least that fan-out over WebSocket takes. It needs epoll(7).
package main

import "log"

func main() { log.Fatal("floor runs on Linux alone") }
