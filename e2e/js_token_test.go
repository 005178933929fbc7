//go:build unix && !short

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// jsLeeway is how long a token is good beyond its end (docs/protocol.md).
const jsLeeway = 10 * time.Second

// TestJavaScriptTokens has a client fetch another token where its first is over, and again before that one ends: its
// session goes on beyond it.
func TestJavaScriptTokens(t *testing.T) {
	h := startHub(t, "--token-key", tokenKey)
	ends := time.Now().Add(4 * time.Second)
	tokens := []string{
		makeToken(t, "ada", time.Now().Add(-time.Minute)),
		makeToken(t, "ada", ends.Add(-jsLeeway)),
		makeToken(t, "ada", time.Now().Add(time.Hour)),
	}
	c := startNode(t, "ada", jsOptions(t, "ada", []string{jsRoom}, tokens, h.WS()))
	eventually(t, "it is subscribed", c.isLive)
	shown := func() []string {
		var shown []string
		for _, e := range c.rec.events {
			if e.what == sent && e.frame.Type == protocol.TypeHello {
				shown = append(shown, e.frame.Token)
			}
		}
		return shown
	}
	eventually(t, "the third token is shown", func() error {
		c.take()
		if got := shown(); !slices.Equal(got, tokens) {
			return fmt.Errorf("%d tokens", len(got))
		}
		return nil
	})
	if time.Now().After(ends) {
		t.Error("the third token is shown only when the second is over")
	}
	<-time.After(time.Until(ends.Add(time.Second)))
	c.call("publish", jsRoom)
	eventually(t, "its message is stored", func() error { return c.rest(jsRoom, 1) })
	if cuts := c.cuts(); cuts != 1 {
		t.Errorf("it lost %d connections, want one, as the first token was over", cuts)
	}
}

// TestJavaScriptTokenRefused has a client whose tokens are all over, and one whose token is none.
func TestJavaScriptTokenRefused(t *testing.T) {
	t.Parallel()
	h := startHub(t, "--token-key", tokenKey)
	over := []string{makeToken(t, "ada", time.Now().Add(-time.Hour)), makeToken(t, "ada", time.Now().Add(-time.Minute))}
	for _, test := range []struct {
		name   string
		tokens []string
		code   string
		tries  int
	}{
		{"over", over, "4005", 2},
		{"none", []string{"nonsense"}, "4500", 1},
	} {
		c := startNode(t, test.name, jsOptions(t, test.name, []string{jsRoom}, test.tokens, h.WS()))
		eventually(t, "it is refused", func() error {
			if s := c.take(); s.State != "refused" || s.Why == "" {
				return fmt.Errorf("it is %s: %s", s.State, s.Why)
			}
			return nil
		})
		var ends []string
		for _, e := range c.rec.events {
			if e.what == closed {
				ends = append(ends, e.where)
			}
		}
		if len(ends) != test.tries || !strings.Contains(ends[0], test.code) {
			t.Errorf("%s: closed %q, want %d times with %s", test.name, ends, test.tries, test.code)
		}
	}
}
