package protocol_test

import (
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestParsePosition(t *testing.T) {
	for _, text := range []string{"A1:0", "abcXYZ09:18446744073709551615", strings.Repeat("e", 64) + ":7"} {
		if p, err := protocol.ParsePosition(text); err != nil || p.String() != text {
			t.Errorf("%q: got %v, %v", text, p, err)
		}
	}
	for _, text := range []string{
		"", "none", "A1", ":1", "A1:", "A1:-1", "A1:+1", "A1:1:1", "A,1:1", "A1:18446744073709551616", " A1:1",
		strings.Repeat("e", 65) + ":7", "é:1",
	} {
		if p, err := protocol.ParsePosition(text); err == nil || !p.IsZero() {
			t.Errorf("%q: got %v, %v", text, p, err)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for _, tt := range []struct{ id, sender, want string }{
		{"A/1", "A", "1"}, {"A/b/c", "A", "b/c"}, {"A/1", "B", ""}, {"AB/1", "A", ""}, {"", "A", ""},
	} {
		if got := protocol.KeyOf(tt.id, tt.sender); got != tt.want {
			t.Errorf("key of %q by %q: got %q, want %q", tt.id, tt.sender, got, tt.want)
		}
	}
}
