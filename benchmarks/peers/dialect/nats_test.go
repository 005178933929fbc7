package dialect

import (
	"fmt"
	"strings"
	"testing"
)

// TestOperations reads what a server says whole, and cut short at each byte, where only what is all there is read.
func TestOperations(t *testing.T) {
	const stream = "INFO {\"server_id\":\"x\"}\r\nPONG\r\nMSG live.bench-0 1 5\r\nhello\r\n+OK\r\nPING\r\n" +
		"MSG live.bench-0 1 reply 3\r\n\r\n!\r\nMSG live.bench-0 1 0\r\n\r\n"
	read := func(b string) (got []string, rest string) {
		for {
			o, n, err := readOperation([]byte(b))
			if err != nil {
				t.Fatalf("%v in %q", err, b)
			}
			if n == 0 {
				return got, b
			}
			got, b = append(got, fmt.Sprintf("%s%q", o.kind, o.body)), b[n:]
		}
	}
	whole, rest := read(stream)
	want := `"" PONG"" MSG"hello" "" PING"" MSG"\r\n!" MSG""`
	if strings.Join(whole, " ") != want || rest != "" {
		t.Fatalf("read %s, and %q is left", whole, rest)
	}
	for cut := range len(stream) {
		first, rest := read(stream[:cut])
		second, _ := read(rest + stream[cut:])
		if got := strings.Join(append(first, second...), " "); got != want {
			t.Errorf("cut at %d: %s", cut, got)
		}
	}
	for _, bad := range []string{"MSG a 1 x\r\n", "MSG\r\n", "HELLO\r\n", "-ERR 'Stale Connection'\r\n", "MSG a 1 99999999999999\r\n"} {
		if _, _, err := readOperation([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
