package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// failure is an error that ends the process: what is printed, and the code.
type failure struct {
	err  error
	fix  string // what to do; may be empty
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// report prints err for people and returns the exit code for it.
func (p *process) report(err error) int {
	var configErrors []*config.Error
	config.Each(err, func(e *config.Error) { configErrors = append(configErrors, e) })
	if len(configErrors) > 0 {
		for _, e := range configErrors {
			p.reportConfig(e)
		}
		return configErrors[0].ExitCode()
	}
	if e, ok := errors.AsType[*usageError](err); ok {
		p.complain(e.Error(), "")
		return exitUsage
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = explain(err)
	}
	p.complain(f.Error(), f.fix)
	return f.code
}

// reportConfig prints e. What begins with a place in a file is printed as compilers do, so that editors find the place.
func (p *process) reportConfig(e *config.Error) {
	if e.InFile() {
		fmt.Fprintln(p.stderr, escape(e.Error()))
		return
	}
	p.complain(e.Error(), "")
}

// complain prints what is wrong on one line and, where there is one, the fix on the next.
func (p *process) complain(what, fix string) {
	fmt.Fprintln(p.stderr, "realtime-hub: "+escape(what))
	if fix != "" {
		fmt.Fprintln(p.stderr, "  → "+escape(fix))
	}
}

// explain returns the failure that err stands for. Errors of our own packages may have a fix behind an arrow.
func explain(err error) *failure {
	f := &failure{err: err, code: exitFailed}
	if what, fix, ok := strings.Cut(err.Error(), " → "); ok {
		f.err, f.fix = errors.New(what), fix
	}
	refused, isRefused := errors.AsType[*client.Refused](err)
	closed, isClosed := errors.AsType[*client.CloseError](err)
	switch {
	case errors.Is(err, hub.ErrRefused):
		f.code = exitRefused
	case errors.Is(err, client.ErrUnreachable):
		f.fix, f.code = "start a hub with: realtime-hub up, or name another one with --hub", exitUnreachable
	case isClosed && !closed.Code.Reconnect():
		f.code = exitRefused
	case isRefused:
		f.err, f.fix = fmt.Errorf("the hub refuses: %s", refused.Message), refused.Fix
	}
	if isRefused && errors.Is(err, client.ErrToken) {
		f.fix, f.code = tokenFix, exitRefused
	}
	return f
}

// cannotListen returns the failure for e: why, in plain words, and flag, which says how to listen elsewhere.
func cannotListen(e *app.ListenError, flag string) *failure {
	f := &failure{
		err:  fmt.Errorf("cannot listen on %s: %s", e.Addr, cause(e.Err)),
		fix:  "choose another address: " + flag,
		code: exitListen,
	}
	_, isDNS := errors.AsType[*net.DNSError](e.Err)
	const ownAddresses = "use 127.0.0.1 for this machine alone, or 0.0.0.0 for every network that it is in"
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		f.err = fmt.Errorf("cannot listen on %s: the port is in use", e.Addr)
		f.fix = "stop what uses it, or: " + flag
	case errors.Is(e.Err, os.ErrPermission):
		f.fix = "ports below 1024 are for root alone, so: " + flag
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		f.err = fmt.Errorf("cannot listen on %s: this machine has no such address", e.Addr)
		f.fix = ownAddresses
	case isDNS:
		f.fix = ownAddresses
	}
	return f
}

// cause returns what lies at the bottom of a network error, in a few words.
func cause(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("there is no host %s", e.Name)
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "no answer in time"
	}
	text := err.Error()
	if _, why, ok := strings.Cut(text, client.ErrUnreachable.Error()+": "); ok {
		return why // what stands before is what the caller says in its own words
	}
	return text
}
