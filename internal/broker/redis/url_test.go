package redis

import (
	"errors"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want endpoint
	}{
		{url: "redis://redis:6379", want: endpoint{addr: "redis:6379", host: "redis"}},
		{url: "redis://localhost", want: endpoint{addr: "localhost:6379", host: "localhost"}},
		{url: "redis://localhost/", want: endpoint{addr: "localhost:6379", host: "localhost"}},
		{url: "redis://[::1]:7000/3", want: endpoint{addr: "[::1]:7000", host: "::1", db: 3}},
		{url: "redis://:word@h:1", want: endpoint{addr: "h:1", host: "h", password: "word"}},
		{url: "redis://hub@h:1", want: endpoint{addr: "h:1", host: "h", user: "hub"}},
		{
			url:  "rediss://hub:a%2Fb%40c%3A@r.example:6380/15",
			want: endpoint{addr: "r.example:6380", host: "r.example", tls: true, user: "hub", password: "a/b@c:", db: 15},
		},
	} {
		t.Run(c.url, func(t *testing.T) {
			got, err := parseURL(c.url)
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestParseURLErrors(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{url: "", want: `bad Redis URL "": it is empty → write redis://[user:password@]host:port, or rediss://… for TLS`},
		{url: "localhost:6379", want: `bad Redis URL "localhost:6379": no scheme → did you mean redis://localhost:6379 ?`},
		{url: "hub:secret@h:1", want: `bad Redis URL "hub:***@h:1": no scheme → did you mean redis://hub:***@h:1 ?`},
		{url: "http://h:1", want: `bad Redis URL "http://h:1": unknown scheme "http" → did you mean redis://h:1 ? (rediss:// for TLS)`},
		{url: "redis+sentinel://h:1", want: `unknown scheme "redis+sentinel"`},
		{url: "redis://", want: "no host"},
		{url: "redis://:6379", want: "no host"},
		{url: "redis://:se/cret@h:1", want: `bad Redis URL "redis://:***@h:1": it is no URL → in user and password write / as %2F`},
		{url: "redis://:secret%zz@h", want: "it is no URL"},
		{url: "redis://h:0", want: `port "0"`},
		{url: "redis://h:65536", want: `port "65536"`},
		{url: "redis://h:1/a", want: `database "a"`},
		{url: "redis://h:1/-1", want: `database "-1"`},
		{url: "redis://h:1/1/2", want: `database "1/2"`},
		{url: "redis://h:1?db=2", want: "options after a ?"},
		{url: "redis://h:1?", want: "options after a ?"},
		{url: "redis://h:1#x", want: "something after a #"},
	} {
		t.Run(c.url, func(t *testing.T) {
			_, err := parseURL(c.url)
			if _, ok := errors.AsType[*URLError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "cret@")) {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{url: "redis://h:1", want: "redis://h:1"},
		{url: "redis://hub@h:1", want: "redis://hub@h:1"},
		{url: "redis://hub:secret@h:1/2", want: "redis://hub:***@h:1/2"},
		{url: "redis://:secret@h:1", want: "redis://:***@h:1"},
		{url: "redis://hub:se@cr@et@h:1", want: "redis://hub:***@h:1"},
		{url: "redis://hub:se://cr/et@h:1", want: "redis://hub:***@h:1"},
		{url: "hub:secret@h", want: "hub:***@h"},
		{url: "memory://", want: "memory://"},
		{url: "", want: ""},
	} {
		if got := Redact(c.url); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.url, got, c.want)
		}
	}
}

// FuzzParseURL looks for URLs whose password is shown.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"redis://h:1", "redis://:p@h", "rediss://u:p@[::1]:7/3", "u:p@h", "redis://u:%zz@h", "x://u:p@@h", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, before string) {
		const secret = "hunter2hunter2"
		text := "redis://hub:" + before + secret + "@host:1"
		if shown := Redact(text); strings.Contains(shown, secret) {
			t.Errorf("Redact(%q) = %q", text, shown)
		}
		if _, err := parseURL(text); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("parse %q: %v", text, err)
		}
		if e, err := parseURL(before); err == nil && (e.addr == "" || e.host == "" || e.db < 0) {
			t.Errorf("parse %q: %+v", before, e)
		}
	})
}
