package epoll

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MaxVectors is how many pieces Writev takes at most (IOV_MAX).
const MaxVectors = 1024

// ErrAgain is returned where a socket has nothing to read, or takes no more, for now.
var ErrAgain error = unix.EAGAIN

// The calls here do not block, so the thread is not given up for them: beside a write of some microseconds that is
// nothing, and it saves the scheduler's part.

// Detach takes the descriptor out of a connection, which is closed by it and no longer of use. The caller closes the
// descriptor by unix.Close. It does not block.
func Detach(nc net.Conn) (fd int, err error) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return -1, fmt.Errorf("a %T has no descriptor", nc)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("get at the descriptor: %w", err)
	}
	fd = -1
	failed := raw.Control(func(own uintptr) { fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if err = errors.Join(failed, err); err != nil {
		return -1, fmt.Errorf("duplicate the descriptor: %w", err)
	}
	_ = nc.Close() // the duplicate holds the socket open
	return fd, nil
}

// Close closes a socket.
func Close(fd int) { _ = unix.Close(fd) } // what is lost then would have been lost anyway

// CloseWrite ends what is sent.
func CloseWrite(fd int) { _ = unix.Shutdown(fd, unix.SHUT_WR) } // fails only where nobody is left

// Read reads what is there, up to the length of b: 0 bytes at the end, ErrAgain where there is nothing.
func Read(fd int, b []byte) (int, error) {
	return transfer(unix.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

// Write writes as much of b as the socket takes, and returns ErrAgain where that is nothing.
func Write(fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return transfer(unix.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

// transfer makes a system call on n things from first on.
func transfer(call uintptr, fd int, first unsafe.Pointer, n int) (int, error) {
	for {
		done, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(first), uintptr(n))
		switch errno {
		case 0:
			return int(done), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}

// Vectors are pieces that one call writes. It keeps its memory.
type Vectors struct{ pieces []unix.Iovec }

// Reset empties v.
func (v *Vectors) Reset() {
	clear(v.pieces)
	v.pieces = v.pieces[:0]
}

// Append adds a piece that is not empty.
func (v *Vectors) Append(b []byte) {
	piece := unix.Iovec{Base: &b[0]}
	piece.SetLen(len(b))
	v.pieces = append(v.pieces, piece)
}

// Len returns how many pieces there are.
func (v *Vectors) Len() int { return len(v.pieces) }

// Writev writes as much of v, which has 1 to MaxVectors pieces, as the socket takes, and returns ErrAgain where that is
// nothing.
func Writev(fd int, v *Vectors) (int, error) {
	if len(v.pieces) == 1 { // which costs the kernel less as a plain write
		return Write(fd, unsafe.Slice(v.pieces[0].Base, v.pieces[0].Len))
	}
	return transfer(unix.SYS_WRITEV, fd, unsafe.Pointer(unsafe.SliceData(v.pieces)), len(v.pieces))
}
