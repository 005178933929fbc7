//go:build !linux

package bench

import "errors"

// processUsage returns an error: there is no /proc.
func processUsage(int) (Usage, error) { return Usage{}, errors.ErrUnsupported }

// listener finds nothing: there is no /proc.
func listener(string) (pid int, ok bool) { return 0, false }
