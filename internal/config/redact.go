package config

import "strings"

// Redact returns url with *** for what may be secret in it: everything before the last @ of the rest after the scheme,
// and the query. It needs no valid URL, since what is not valid is what errors show.
func Redact(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if ok {
		scheme += "://"
	} else {
		scheme, rest = "", url
	}
	// The last @: a password may hold one that should have been written %40.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "***" + rest[at:]
	}
	if before, _, ok := strings.Cut(rest, "?"); ok {
		rest = before + "?***"
	}
	return scheme + rest
}
