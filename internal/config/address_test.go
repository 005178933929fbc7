package config

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// FuzzBroker looks for values of a secret key of which a password is shown, by an error, and for brokers that are
// valid here alone. The password has a character that no other part of a valid URL has.
func FuzzBroker(f *testing.F) {
	for _, s := range [][2]string{
		{"", ""}, {"memory://", ""}, {"redis://hub:", ""}, {"redis://hub:", "@h"}, {"rediss://u:", "/@h:1"},
		{"x://", "@h"}, {"redi://", ""}, {"http://h:", ""}, {"memory", ""}, {"h:1", ""}, {"redis+sentinel://u:", "@h"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2!hunter2"
		for _, text := range []string{before + secret + after, before + after} {
			var p problems
			p.broker("broker", text)
			err := errors.Join(p...)
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("broker %q: %v", text, err)
			}
			if err == nil && !IsMemoryBroker(text) {
				if _, err := address.ParseRedis(text); err != nil {
					t.Errorf("broker %q is valid, and %v", text, err)
				}
			}
		}
		text := before + secret + after
		if shown := (&Field{Secret: true}).Shown(text); strings.Contains(shown, secret) {
			t.Errorf("%q is shown as %q", text, shown)
		}
	})
}

// FuzzHub looks for passwords in what is said about the URL of a hub.
func FuzzHub(f *testing.F) {
	for _, s := range []string{"http://h", "htp://h:1/x", "h:1", "", "x", "https://h/?a=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const secret = "hunter2!hunter2"
		scheme, rest, ok := strings.Cut(s, "://")
		if !ok {
			scheme = "http"
		}
		var p problems
		p.hubURL("hub", s)
		p.hubURL("hub", scheme+"://hub:"+secret+"@"+rest)
		for _, err := range p {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("hub %q: %v", s, err)
			}
		}
	})
}

// FuzzOrigin looks for origins that are taken and that no browser sends.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{
		"https://a.example", "http://[::1]:80", "*", "null", "https://A", "https://u:p@a", "app://d", "https://a:",
		"://",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p problems
		p.origin("allowed_origins", s)
		if len(p) > 0 {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" ||
			strings.ToLower(s) != s {
			t.Errorf("%q is taken for an origin", s)
		}
	})
}

// FuzzListen looks for addresses and hosts that are taken and cannot be meant.
func FuzzListen(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1:8081", ":0", "[::1]:1", "::1", "a b:1", "8081", "http://x:1", "[fe80::1%eth0]:1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p problems
		p.listen("listen", s)
		if len(p) == 0 {
			host, port, err := net.SplitHostPort(s)
			if err != nil || host != "" && !address.IsHost(host) || port != "0" && !address.IsPort(port) {
				t.Errorf("%q is taken for an address: host %q, port %q, %v", s, host, port, err)
			}
		}
		var q problems
		q.host("host", s)
		if len(q) == 0 && strings.ContainsAny(s, " /@[]\"\r\n\t") {
			t.Errorf("%q is taken for a host", s)
		}
	})
}
