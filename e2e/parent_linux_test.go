package e2e

import "syscall"

// dieWithParent has the kernel end a process where the test's own ends without its clean-up.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
