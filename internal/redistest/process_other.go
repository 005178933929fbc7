//go:build !unix

package redistest

import "syscall"

// dieWithParent: other systems than Linux have no such thing.
func dieWithParent() *syscall.SysProcAttr { return nil }

// The signals of Pause and Resume, which fail the test: there are none here.
const (
	signalPause  = syscall.Signal(-1)
	signalResume = syscall.Signal(-1)
)
