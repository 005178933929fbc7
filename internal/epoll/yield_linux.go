package epoll

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Yielder lets others go on: goroutines that could run, and those that wait for something that has come. runtime.Gosched
// does that for the first alone. As long as one goroutine can run on each processor, the runtime looks at what it watches
// every 10 ms (sysmon in runtime/proc.go), so where a loop has the only one, whoever reads from the network in the usual
// way waits as long each time. It is used by one goroutine.
type Yielder struct {
	file   *os.File // an eventfd, which the runtime watches
	raw    syscall.RawConn
	fd     int
	gone   bool               // the goroutine has said that it waits
	parted func(uintptr) bool // says so, and reports whether it was so before; kept to save its allocation
	failed error              // why parted does not
}

// one is what is written to an eventfd. The kernel tells of each write, whatever was written before.
var one = [8]byte{1}

// NewYielder returns a yielder. Close frees its descriptor.
func NewYielder() (*Yielder, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	y := &Yielder{file: os.NewFile(uintptr(fd), "eventfd"), fd: fd}
	if y.raw, err = y.file.SyscallConn(); err != nil {
		_ = y.file.Close()
		return nil, fmt.Errorf("watch an eventfd: %w", err)
	}
	y.parted = func(uintptr) bool {
		if y.gone {
			return true
		}
		y.gone = true
		// Not before it is known that the goroutine waits, or the runtime might forget that it was told.
		if _, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(y.fd), uintptr(unsafe.Pointer(&one)), uintptr(len(one))); errno != 0 {
			y.failed = errno
			return true
		}
		return false
	}
	return y, nil
}

// Yield returns when all others that could go on have done so, up to where they wait again; or after 10 ms, where some do
// not wait. It costs two system calls.
func (y *Yielder) Yield() error {
	y.gone = false
	err := y.raw.Read(y.parted)
	if err == nil {
		err = y.failed
	}
	if err != nil {
		return fmt.Errorf("yield: %w", err)
	}
	return nil
}

// Close frees the descriptor.
func (y *Yielder) Close() error { return y.file.Close() }
