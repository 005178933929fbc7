package epoll

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Event is what happened at one socket.
type Event struct {
	FD       int
	Serial   uint32 // as given to Add: a descriptor's number may have gone to another socket since
	Readable bool   // there is something to read, be it the end or an error
	Writable bool
}

// Poller waits for events. Wake may be called by several goroutines at once, and so may Add, Change and Remove for
// different sockets; the rest is for the one goroutine that waits.
type Poller struct {
	// immutable
	file  *os.File // the epoll descriptor, which the runtime watches
	raw   syscall.RawConn
	fd    int
	timer int // a timerfd; see Tick

	parked atomic.Bool // whether Wake has something to do

	// owned by the one that waits
	done   func(uintptr) bool // polls, and reports whether Wait is to return; kept to save its allocation
	failed error              // why done does
	events []unix.EpollEvent  // what the kernel told last
	told   []Event            // the same, for the caller
	ticked bool               // a tick is among it
	spent  [8]byte            // how often the timer ran out, which does not matter
}

// most is how many events are taken from the kernel at once: few enough that what else a loop has to do is not put off
// for long.
const most = 256

// Serials of the poller's own descriptors; those of sockets are anything else.
const (
	serialTimer = ^uint32(0) - iota
	// SerialMost is the largest serial that a socket may have.
	SerialMost
)

// New returns a poller that watches nothing yet.
func New() (p *Poller, err error) {
	p = &Poller{timer: -1, events: make([]unix.EpollEvent, most), told: make([]Event, 0, most)}
	defer func() {
		if err != nil {
			_ = p.Close()
		}
	}()
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return p, fmt.Errorf("make an epoll descriptor: %w", err)
	}
	if err = unix.SetNonblock(p.fd, true); err != nil { // or the runtime would not watch it
		_ = unix.Close(p.fd)
		return p, fmt.Errorf("prepare an epoll descriptor: %w", err)
	}
	p.done = func(uintptr) bool {
		var any bool
		any, p.failed = p.poll()
		return any || p.failed != nil
	}
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return p, fmt.Errorf("watch an epoll descriptor: %w", err)
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return p, fmt.Errorf("make a timerfd: %w", err)
	}
	return p, p.control(unix.EPOLL_CTL_ADD, p.timer, serialTimer, unix.EPOLLIN|unix.EPOLLET)
}

// Close frees the descriptors. The sockets stay open.
func (p *Poller) Close() error {
	var errs []error
	if p.file != nil {
		errs = append(errs, p.file.Close())
	}
	if p.timer >= 0 {
		errs = append(errs, unix.Close(p.timer))
	}
	return errors.Join(errs...)
}

// Tick has Wait return at least as often as every, and say so.
func (p *Poller) Tick(every time.Duration) error {
	period := unix.NsecToTimespec(int64(every))
	if err := unix.TimerfdSettime(p.timer, 0, &unix.ItimerSpec{Interval: period, Value: period}, nil); err != nil {
		return fmt.Errorf("set a timerfd: %w", err)
	}
	return nil
}

// Add watches a socket: whether there is something to read, as long as that is so, and where write is set, whether it
// takes more.
func (p *Poller) Add(fd int, serial uint32, read, write bool) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, serial, flags(read, write))
}

// Change changes what is watched for. Where that is nothing, nothing is told of the socket until the next Change, not even
// that the connection broke off, which the kernel would tell again and again.
func (p *Poller) Change(fd int, serial uint32, read, write bool) error {
	if !read && !write {
		if err := p.Remove(fd); !errors.Is(err, unix.ENOENT) {
			return err
		}
		return nil
	}
	err := p.control(unix.EPOLL_CTL_MOD, fd, serial, flags(read, write))
	if errors.Is(err, unix.ENOENT) {
		err = p.Add(fd, serial, read, write)
	}
	return err
}

// Remove watches a socket no more. One that is closed, and of which there is no duplicate, need not be removed.
func (p *Poller) Remove(fd int) error { return p.control(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func flags(read, write bool) (f uint32) {
	if read {
		f = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if write {
		f |= unix.EPOLLOUT
	}
	return f
}

func (p *Poller) control(op, fd int, serial uint32, events uint32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(serial)}
	if err := unix.EpollCtl(p.fd, op, fd, &e); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// past and never are deadlines for Wait: one that has passed ends it, in this process and without a system call, where an
// eventfd would cost three.
var past, never = time.Unix(1, 0), time.Time{}

// Wake has Wait return soon.
func (p *Poller) Wake() {
	if p.parked.CompareAndSwap(true, false) {
		_ = p.file.SetReadDeadline(past) // it fails only where the poller was closed
	}
}

// Poll returns what has happened, and whether a tick has passed, without waiting. The events are valid until the next
// call.
func (p *Poller) Poll() (events []Event, ticked bool, err error) {
	if _, err := p.poll(); err != nil {
		return nil, false, err
	}
	return p.told, p.ticked, nil
}

// Park tells Wake that the caller is about to wait. Between Park and Wait the caller looks once more whether it has
// something to do, and in that case calls Poll instead.
func (p *Poller) Park() { p.parked.Store(true) }

// Wait waits until something has happened or Wake was called since Park.
func (p *Poller) Wait() (events []Event, ticked bool, err error) {
	err = p.raw.Read(p.done)
	p.parked.Store(false)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Who wakes it from now on does so before the caller looks whether it has something to do.
		if err = p.file.SetReadDeadline(never); err == nil {
			return p.Poll()
		}
	case err == nil:
		err = p.failed
	}
	if err != nil {
		return nil, false, fmt.Errorf("wait for events: %w", err)
	}
	return p.told, p.ticked, nil
}

// poll asks the kernel, and reports whether anything has happened.
func (p *Poller) poll() (bool, error) {
	p.told, p.ticked = p.told[:0], false
	// No wait, so that the thread need not be given up for it.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p.events))), most, 0, 0, 0)
	if errno == unix.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, fmt.Errorf("epoll_wait: %w", errno)
	}
	for i := range p.events[:n] {
		e := &p.events[i]
		switch serial := uint32(e.Pad); serial {
		case serialTimer:
			p.ticked = true
			_, _ = Read(p.timer, p.spent[:]) // the kernel sets a periodic timer again when it is read
		default:
			const failed = unix.EPOLLERR | unix.EPOLLHUP // told by reading and by writing alike
			p.told = append(p.told, Event{
				FD: int(e.Fd), Serial: serial,
				Readable: e.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|failed) != 0,
				Writable: e.Events&(unix.EPOLLOUT|failed) != 0,
			})
		}
	}
	return n > 0, nil
}
