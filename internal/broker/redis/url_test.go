package redis

import (
	"errors"
	"testing"
)

func TestParseURL(t *testing.T) {
	got, err := parseURL("rediss://hub:a%2Fb%40c%3A@r.example:6380/15")
	want := endpoint{addr: "r.example:6380", host: "r.example", tls: true, user: "hub", password: "a/b@c:", db: 15}
	if err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	_, err = parseURL("redis://hub:secret")
	const says = `bad Redis URL "***": not a URL redis://user:password@host:port → ` +
		`name the host, and in user and password write : / # ? % @ as %3A %2F %23 %3F %25 %40`
	if _, ok := errors.AsType[*URLError](err); !ok || err.Error() != says {
		t.Errorf("got %v\nwant %s", err, says)
	}
}
