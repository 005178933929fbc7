package config

import (
	"strconv"
	"strings"
)

// Origin says what kind of place a value came from. A higher one goes before a lower one.
type Origin uint8

// The places that values come from.
const (
	FromDefault Origin = iota
	FromFile
	FromEnv
	FromFlag
)

// Source is where a value came from.
type Source struct {
	Origin Origin
	Name   string // realtime-hub.yaml:3:9, REALTIME_HUB_LISTEN or --listen; empty for a default
}

// String returns the source as `config show` prints it.
func (s Source) String() string {
	if s.Origin == FromDefault {
		return "default"
	}
	return s.Name
}

// The codes that a process exits with for an [*Error].
const (
	exitUsage   = 2
	exitInvalid = 3
)

// Error is one thing that is wrong with a configuration. It holds no secret.
type Error struct {
	Keys   []string // the keys that it is about, the foremost first; none where the trouble is with a source as a whole
	Value  string   // what that key was given, redacted where it is a secret
	What   string   // what is wrong
	Fix    string   // what to do; may be empty
	Source Source   // where the value came from; the zero value before a Loader filled it in
}

// Error says what is wrong, where, and what to do, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case len(e.Keys) == 0:
		if e.Source.Name != "" {
			b.WriteString(e.Source.Name + ": ")
		}
	case e.Source.Origin == FromFlag || e.Source.Origin == FromEnv:
		b.WriteString("bad " + e.Source.Name + " " + strconv.Quote(e.Value) + ": ")
	default:
		if e.Source.Origin == FromFile {
			b.WriteString(e.Source.Name + ": ")
		}
		b.WriteString("bad " + e.Keys[0] + " " + strconv.Quote(e.Value) + ": ")
	}
	b.WriteString(e.What)
	if e.Fix != "" {
		b.WriteString(" → " + e.Fix)
	}
	return b.String()
}

// ExitCode returns the code that a process exits with for this error: 2 for a bad flag, 3 for a bad file or a bad
// environment.
func (e *Error) ExitCode() int {
	if e.Source.Origin == FromFlag {
		return exitUsage
	}
	return exitInvalid
}

// InFile reports whether the error is about a place in the configuration file, which its text then begins with.
func (e *Error) InFile() bool { return e.Source.Origin == FromFile }

// Each calls do with every *Error that err holds, alone or joined.
func Each(err error, do func(*Error)) {
	switch err := err.(type) {
	case *Error:
		do(err)
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			Each(e, do)
		}
	}
}
