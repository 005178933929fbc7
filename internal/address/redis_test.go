package address

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRedis(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Redis
	}{
		{"redis://redis:6379", Redis{Host: "redis", Port: "6379"}},
		{"redis://localhost", Redis{Host: "localhost", Port: "6379"}},
		{"redis://localhost/", Redis{Host: "localhost", Port: "6379"}},
		{"redis://my_redis:1/2", Redis{Host: "my_redis", Port: "1", Database: 2}},
		{"redis://[::1]:7000/3", Redis{Host: "::1", Port: "7000", Database: 3}},
		{"redis://:word@h:1", Redis{Host: "h", Port: "1", Password: "word"}},
		{"redis://hub@h:1", Redis{Host: "h", Port: "1", User: "hub"}},
		{
			"rediss://hub:a%2Fb%40c%3A@r.example:6380/15",
			Redis{TLS: true, Host: "r.example", Port: "6380", User: "hub", Password: "a/b@c:", Database: 15},
		},
	} {
		if got, err := ParseRedis(c.url); err != nil || got != c.want {
			t.Errorf("ParseRedis(%q) = %+v, %v, want %+v", c.url, got, err, c.want)
		}
	}
}

func TestParseRedisRefuses(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"", `bad address "": empty → for instance redis://localhost:6379`},
		{"localhost:6379", `bad address "localhost:6379": no scheme → did you mean redis://localhost:6379 ?`},
		{"secret", `bad address "***": no scheme → for instance redis://localhost:6379`},
		{"hub:secret@h:1", `bad address "***": no scheme → for instance redis://localhost:6379`},
		{"http://h:1", `bad address "***": unknown scheme → use redis://, or rediss:// for TLS`},
		{"redis://", "no host"},
		{"redis://:6379", "no host"},
		{"redis://hub:secret", `bad address "***": not a URL redis://user:password@host:port → name the host, and`},
		{"redis://:se/cret@h:1", `bad address "***": not a URL redis://user:password@host:port`},
		{"redis://1:1/secret@h:1", "not a URL"},
		{"redis://:secret%zz@h", "not a URL"},
		{"redis://u:secret@:1", "no host"},
		{"redis://u:secret@-:1", "no host"},
		{"redis://h:", "no port behind the colon"},
		{"redis://h:0", "no port behind the colon"},
		{"redis://h:65536", "no port behind the colon"},
		{"redis://h:1/secret", "what stands after the / is no database"},
		{"redis://h:1/-1", "no database"},
		{"redis://h:1/1/2", "no database"},
		{"redis://h:1?password=secret", "it goes on after the address"},
		{"redis://h:1?", "it goes on after the address"},
		{"redis://h:1#secret", "it goes on after the address"},
	} {
		_, err := ParseRedis(c.url)
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseRedis(%q): %v\nwant %s", c.url, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "cret@")) {
			t.Errorf("ParseRedis(%q) shows the password: %v", c.url, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"memory://":                     "memory://",
		"redis://h":                     "redis://h",
		"redis://h:1":                   "redis://h:1",
		"h:1":                           "h:1",
		"redis://user@h:1":              "redis://***@h:1",
		"redis://user:secret@h:1/2":     "redis://***@h:1/2",
		"rediss://:secret@[::1]:1":      "rediss://***@[::1]:1",
		"redis://hub:se@cr@et@h:1":      "redis://***@h:1",
		"redis://@h:1":                  "redis://***@h:1",
		"redis://hub:secret":            "***",
		"redis://hub:se://cr/et@h:1":    "***",
		"redis://localhost?password=x":  "***",
		"secret":                        "***",
		"user:secret@localhost":         "***",
		"redis+sentinel://:secret@h:1":  "***",
		"secret\n":                      "***",
		"redis://h:1 redis://:secret@h": "***",
		"":                              "",
	} {
		if got := Redact(text); got != want {
			t.Errorf("Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzRedact looks for texts of which a password is shown, be it by Redact or by an error. The password has a character
// that no other part of a valid URL has, so that it is one wherever it stands.
func FuzzRedact(f *testing.F) {
	for _, s := range [][2]string{
		{"redis://h", ""}, {"redis://:", "@h"}, {"rediss://u:", "@[::1]:7/3"}, {"u:", "@h"}, {"redis://u:%zz", "@h"},
		{"x://u:", "@@h"}, {"", ""}, {"redis://h:", ""}, {"redis://h/", ""}, {"", ":6379"}, {"redis://u@", "@h:1"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2!hunter2"
		text := before + secret + after
		if shown := Redact(text); strings.Contains(shown, secret) {
			t.Errorf("Redact(%q) = %q", text, shown)
		}
		r, err := ParseRedis(text)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("ParseRedis(%q): %v", text, err)
		}
		if err == nil && (!IsHost(r.Host) || !IsPort(r.Port) || r.Database < 0) {
			t.Errorf("ParseRedis(%q) = %+v", text, r)
		}
	})
}
