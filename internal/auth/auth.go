// Package auth makes and checks the tokens of a hub that wants some: JSON Web Tokens (RFC 7519) with HS256 and a secret
// that whoever makes tokens shares with the hubs.
//
// Its main type is [Key], which implements hub.Authenticator; [Bearer] takes the token from a request. What the bearer
// may do is not its matter: it says who that is, as a hub.Identity. It starts no goroutine and keeps no state.
package auth

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

const (
	// MinKey is how many bytes a key has at least: as many as a hash of HS256 (RFC 7518 §3.2).
	MinKey = 32

	// Leeway is how long a token is still good after its exp, and already before its nbf, since the clocks of hubs and of
	// those who make tokens differ.
	Leeway = 10 * time.Second

	// maxSubject is how many bytes a subject has at most.
	maxSubject = 128

	// maxToken is how many bytes of a token are looked at at most, far more than one with the claims that count has.
	maxToken = 8 << 10

	// maxLife is the longest that a token may last: what is written as a time has a year of four digits.
	maxLife = 100 * 365 * 24 * time.Hour
)

// Key is the secret that makes and checks tokens. It is immutable; all methods may be called by several goroutines at
// once.
type Key struct {
	secret []byte
	parser *jwt.Parser
}

// claims is what tokens say.
type claims struct {
	jwt.RegisteredClaims
	Name string `json:"name,omitempty"`
}

// NewKey returns the key of which secret is the text. It has at least [MinKey] bytes.
func NewKey(secret string) (*Key, error) {
	if len(secret) < MinKey {
		return nil, fmt.Errorf("the key for tokens has %d bytes, fewer than %d", len(secret), MinKey)
	}
	return &Key{
		secret: []byte(secret),
		// The algorithm is ours to say, not the token's: neither "none" nor a public key taken for a secret gets through.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(),
			jwt.WithLeeway(Leeway)),
	}, nil
}

// Authenticate implements hub.Authenticator. A token counts until [Leeway] after its exp, which is what the identity's
// Expires says.
func (k *Key) Authenticate(token string) (hub.Identity, error) {
	if len(token) > maxToken {
		return hub.Identity{}, fmt.Errorf("the token has %d bytes, more than %d", len(token), maxToken)
	}
	var c claims
	_, err := k.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return k.secret, nil })
	if err != nil {
		return hub.Identity{}, inWords(err)
	}
	if err := checkSubject(c.Subject); err != nil {
		return hub.Identity{}, err
	}
	if time.Until(c.ExpiresAt.Time) > maxLife {
		return hub.Identity{}, errors.New("the token's exp is more than a hundred years away")
	}
	return hub.Identity{Subject: c.Subject, Name: c.Name, Expires: c.ExpiresAt.Add(Leeway)}, nil
}

// inWords returns what is wrong with a token in words for its bearer, without what the library says beyond that.
func inWords(err error) error {
	for _, w := range []struct {
		err  error
		what string
	}{
		{jwt.ErrTokenMalformed, "it is no JSON Web Token"},
		{jwt.ErrTokenSignatureInvalid, "it was not made with HS256 and the key of this hub"},
		{jwt.ErrTokenUnverifiable, "it was not made with HS256 and the key of this hub"},
		{jwt.ErrTokenExpired, ""},
		{jwt.ErrTokenRequiredClaimMissing, "it has no exp"},
		{jwt.ErrTokenNotValidYet, "its nbf says that it is not good yet"},
	} {
		switch {
		case !errors.Is(err, w.err):
		case w.err == jwt.ErrTokenExpired:
			return hub.ErrTokenExpired
		default:
			return errors.New("the token is not good: " + w.what)
		}
	}
	return errors.New("the token is not good")
}

// Issue returns a token for subject, which ends life from now. The name may be empty.
func (k *Key) Issue(subject, name string, life time.Duration) (string, error) {
	if err := checkSubject(subject); err != nil {
		return "", err
	}
	if life <= 0 || life > maxLife {
		return "", fmt.Errorf("a token cannot last %v", life)
	}
	now := time.Now()
	c := claims{Name: name, RegisteredClaims: jwt.RegisteredClaims{
		Subject: subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(k.secret)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return token, nil
}

// checkSubject returns what is wrong with a subject. It is the id of who publishes over HTTP, so it must not look like
// what hubs give to their clients: such a message would be taken for that client's own.
func checkSubject(subject string) error {
	if subject == "" || len(subject) > maxSubject {
		return fmt.Errorf("the token's subject, sub, has %d bytes, and not 1 to %d", len(subject), maxSubject)
	}
	for i := range len(subject) {
		if subject[i] <= ' ' || subject[i] > '~' {
			return fmt.Errorf("the token's subject, sub, has %q at byte %d: it consists of visible ASCII", subject[i:i+1], i)
		}
	}
	if hub.LikeClientID(subject) {
		return errors.New("the token's subject, sub, looks like the id that a hub gives to a client")
	}
	return nil
}
