package ws

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestEndVanished reads the bound back that the system was given.
func TestEndVanished(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := endVanished(nc, 35*time.Second); err != nil {
		t.Fatal(err)
	}
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	if err := raw.Control(func(fd uintptr) {
		got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil || got != 35_000 {
		t.Errorf("the bound is %d ms, %v", got, err)
	}
	if err := endVanished(new(net.IPConn), time.Second); err == nil {
		t.Error("a connection that is none was given a bound")
	}
}
