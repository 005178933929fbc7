//go:build unix && !linux

package redistest

import "syscall"

// dieWithParent: other systems than Linux have no such thing.
func dieWithParent() *syscall.SysProcAttr { return nil }

// The signals of Pause and Resume.
const (
	signalPause  = syscall.SIGSTOP
	signalResume = syscall.SIGCONT
)
