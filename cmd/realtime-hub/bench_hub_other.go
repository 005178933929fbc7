//go:build !linux

package main

import "syscall"

// withParent: other systems than Linux cannot end a child with its parent, so it gets Ctrl-C as well.
func withParent() *syscall.SysProcAttr { return nil }
