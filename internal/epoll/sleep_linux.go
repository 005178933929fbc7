package epoll

import (
	"time"

	"golang.org/x/sys/unix"
)

// Sleep has the calling goroutine, with its thread, wait for d, to which the kernel adds some 50 µs (PR_SET_TIMERSLACK in
// prctl(2)). Where nothing else is to be done package time has it last a millisecond at least.
func Sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR { // which the scheduler's signals bring about
	}
}
