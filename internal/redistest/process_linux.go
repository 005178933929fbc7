package redistest

import "syscall"

// dieWithParent has the kernel end the server where the test's process ends without its clean-up.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// The signals of Pause and Resume.
const (
	signalPause  = syscall.SIGSTOP
	signalResume = syscall.SIGCONT
)
