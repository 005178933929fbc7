package main

import "syscall"

// withParent has the kernel end a child with this process, and keeps Ctrl-C from it: who presses that wants a result,
// for which the hub is needed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
