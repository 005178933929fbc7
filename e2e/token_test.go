package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"
)

// tokenKey is the key of hubs that want tokens.
const tokenKey = "a key for the tests of more than 32 bytes"

// makeToken returns a JSON Web Token for subject that ends at a time: by RFC 7515 and RFC 7518 alone, and not by what hubs
// use.
func makeToken(tb testing.TB, subject string, end time.Time) string {
	tb.Helper()
	claims, err := json.Marshal(map[string]any{"sub": subject, "exp": end.Unix()})
	if err != nil {
		tb.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
