// Package address reads the addresses that people write: of hosts, of hubs, and of a Redis. Each form has one parser
// here, so that the configuration refuses exactly what the part that uses the address would.
//
// [ParseHostPort] reads a host with a port, [ParseHub] the URL of a HubServer, and [ParseRedis] that of a Redis; their
// errors are of type [*Error] and show no password, as [Redact] does not.
//
// The package starts no goroutine, keeps no state, looks up no names and opens no connections.
package address

import (
	"fmt"
	"strings"
)

// Error is what is wrong with an address.
type Error struct {
	Shown string // the address as it may be shown
	What  string // what is wrong with it
	Fix   string // what to write instead
}

// Error returns all of it in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("bad address %q: %s → %s", e.Shown, e.What, e.Fix)
}

// hidden stands where something is not shown.
const hidden = "***"

// Mask returns the text of a URL with *** for what may be secret in it: everything before the last @ of the rest after
// the scheme, and the query. The text may be malformed. It is for URLs that are meant to hold no secret: those of a
// broker need [Redact], which is stricter.
func Mask(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", text
	}
	// The last @: a password may hold one that should have been written %40.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = hidden + rest[at:]
	}
	if before, _, ok := strings.Cut(rest, "?"); ok {
		rest = before + "?" + hidden
	}
	if strings.Contains(scheme, "@") {
		scheme = hidden + "://" // it is no scheme
	}
	return scheme + rest
}
