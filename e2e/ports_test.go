package e2e

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// given are the ports that freePorts gave away.
var given = struct {
	sync.Mutex
	ports map[int]bool // guarded by Mutex
}{ports: make(map[int]bool)}

// freeAddr returns an address on 127.0.0.1 as freePorts does.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	return local(freePorts(tb, 1))
}

// freePorts returns the first of n ports in a row where nobody listens on 127.0.0.1. They lie below those that systems
// hand out by themselves: nobody is given one while a server is down, and a client that tries one then cannot end up
// connected to itself.
func freePorts(tb testing.TB, n int) int {
	tb.Helper()
	given.Lock()
	defer given.Unlock()
	for range 1000 {
		first, free := 30000+rand.N(2700), 0
		for free < n && !given.ports[first+free] && isFree(local(first+free)) {
			free++
		}
		if free < n {
			continue
		}
		for i := range n {
			given.ports[first+i] = true
		}
		return first
	}
	tb.Fatal("no free ports between 30000 and 32700")
	return 0
}

func isFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
