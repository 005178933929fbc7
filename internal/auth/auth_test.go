package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/soumya-codes/realtime-hub/internal/auth"
	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const secret = "a secret of thirty-two bytes, ok"

func newKey(t *testing.T) *auth.Key {
	t.Helper()
	k, err := auth.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// made returns a token with these claims, signed with method and key.
func made(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestIssue(t *testing.T) {
	k := newKey(t)
	token, err := k.Issue("ada", "Ada", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	who, err := k.Authenticate(token)
	if err != nil || who.Subject != "ada" || who.Name != "Ada" {
		t.Errorf("got %+v, %v", who, err)
	}
	if left := time.Until(who.Expires); left < time.Hour+auth.Leeway-2*time.Second || left > time.Hour+auth.Leeway {
		t.Errorf("it ends in %v", left)
	}
	for _, subject := range []string{"", "a b", "é", strings.Repeat("x", 129), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"} {
		if _, err := k.Issue(subject, "", time.Hour); err == nil {
			t.Errorf("a token for %q", subject)
		}
	}
	for _, life := range []time.Duration{0, -time.Second, 101 * 365 * 24 * time.Hour} {
		if _, err := k.Issue("ada", "", life); err == nil {
			t.Errorf("a token for %v", life)
		}
	}
	if _, err := auth.NewKey(secret[1:]); err == nil {
		t.Error("a key of 31 bytes")
	}
}

func TestAuthenticate(t *testing.T) {
	soon, past := time.Now().Add(time.Minute).Unix(), time.Now().Add(-time.Minute).Unix()
	hs, key := jwt.SigningMethodHS256, []byte(secret)
	ada := jwt.MapClaims{"sub": "ada", "exp": soon}
	good := made(t, hs, key, ada)
	header, rest, _ := strings.Cut(good, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	root, _ := json.Marshal(map[string]any{"sub": "root", "exp": soon})
	for _, tt := range []struct {
		name, token string
		ok, expired bool
	}{
		{name: "good", token: good, ok: true},
		{name: "just ended", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": time.Now().Add(-5 * time.Second).Unix()}), ok: true},
		{name: "of a clock that is ahead", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": soon,
			"nbf": time.Now().Add(5 * time.Second).Unix(), "iat": time.Now().Add(5 * time.Second).Unix()}), ok: true},
		{name: "other claims", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": soon, "aud": "x", "admin": true}), ok: true},
		{name: "ended", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": past}), expired: true},
		{name: "ended, of another key", token: made(t, hs, []byte("no"), jwt.MapClaims{"sub": "ada", "exp": past})},
		{name: "empty"},
		{name: "no token", token: "hello"},
		{name: "three parts of nothing", token: ".."},
		{name: "another key", token: made(t, hs, []byte(secret+"x"), ada)},
		{name: "HS512", token: made(t, jwt.SigningMethodHS512, key, ada)},
		{name: "none", token: made(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, ada)},
		{name: "none, with the signature", token: none + "." + claims + "." + signature},
		{name: "without the signature", token: header + "." + claims + "."},
		{name: "other claims under the signature", token: header + "." + base64.RawURLEncoding.EncodeToString(root) + "." + signature},
		{name: "no exp", token: made(t, hs, key, jwt.MapClaims{"sub": "ada"})},
		{name: "exp is text", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": "tomorrow"})},
		{name: "exp beyond all years", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": 1e12})},
		{name: "exp beyond all numbers", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": 1e300})},
		{name: "not yet", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": soon, "nbf": soon})},
		{name: "no sub", token: made(t, hs, key, jwt.MapClaims{"exp": soon})},
		{name: "sub is a number", token: made(t, hs, key, jwt.MapClaims{"sub": 7, "exp": soon})},
		{name: "sub with a space", token: made(t, hs, key, jwt.MapClaims{"sub": "a da", "exp": soon})},
		{name: "sub with a zero byte", token: made(t, hs, key, jwt.MapClaims{"sub": "ada\x00", "exp": soon})},
		{name: "sub is long", token: made(t, hs, key, jwt.MapClaims{"sub": strings.Repeat("x", 129), "exp": soon})},
		{name: "sub is like a client", token: made(t, hs, key, jwt.MapClaims{"sub": strings.Repeat("A7", 13), "exp": soon})},
		{name: "long", token: made(t, hs, key, jwt.MapClaims{"sub": "ada", "exp": soon, "x": strings.Repeat("x", 8<<10)})},
	} {
		who, err := newKey(t).Authenticate(tt.token)
		if ok := err == nil; ok != tt.ok || ok != (who.Subject == "ada") {
			t.Errorf("%s: %+v, %v", tt.name, who, err)
		}
		if got := errors.Is(err, hub.ErrTokenExpired); got != tt.expired && tt.name != "exp beyond all numbers" {
			t.Errorf("%s: expired %v: %v", tt.name, got, err)
		}
	}
}

// FuzzAuthenticate looks for tokens that get through without the key.
func FuzzAuthenticate(f *testing.F) {
	k, err := auth.NewKey(secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk5OTk5OTk5OTl9.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if who, err := k.Authenticate(token); err == nil {
			t.Errorf("%q is %+v", token, who)
		}
	})
}
