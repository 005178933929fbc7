package ws

import (
	"fmt"
	"testing"

	"github.com/gobwas/ws"
)

// TestEveryCloseCode has all codes that a close frame can have, and which of them it may have: RFC 6455 §7.4.1 and
// §7.4.2, and the registry that §11.7 begins, where 1012 to 1014 were added later.
func TestEveryCloseCode(t *testing.T) {
	for code := range 1 << 16 {
		codeBytes := []byte{byte(code >> 8), byte(code)}
		want := "1002"
		switch {
		case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
			want = fmt.Sprintf("8:%q ", codeBytes)
		}
		stream := masked(fin|byte(ws.OpClose), string(codeBytes))
		if got := decodeAll(stream, len(stream)); got != want {
			t.Errorf("%d: got %s, want %s", code, got, want)
		}
	}
}
