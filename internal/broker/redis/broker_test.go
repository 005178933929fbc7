package redis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

func TestNewErrors(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, c := range []struct {
		name string
		opts Options
		want string
	}{
		{name: "no URL", want: `bad Redis URL "": empty`},
		{name: "bad URL", opts: Options{URL: "localhost:6379"}, want: "did you mean redis://localhost:6379 ?"},
		{name: "no such file", opts: Options{URL: "rediss://h", CAFile: missing}, want: missing},
		{name: "no certificate", opts: Options{URL: "rediss://h", CAFile: noPEM}, want: noPEM + " holds no certificate"},
		{name: "a file for nothing", opts: Options{URL: "redis://h", CAFile: noPEM}, want: "write rediss:// for TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s", err, c.want)
			}
		})
	}
}

// TestPublishIsolated publishes where there is no link: it costs no memory, and is counted.
func TestPublishIsolated(t *testing.T) {
	b, err := New(Options{URL: "redis://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := publication("sender", "lobby", 0)
	const runs = 100
	if n := testing.AllocsPerRun(runs, func() { b.Publish(p) }); n != 0 {
		t.Errorf("%v allocations a publication", n)
	}
	if got := b.Stats().Dropped[hub.DropIsolated]; got != runs+1 { // AllocsPerRun warms up once
		t.Errorf("%d counted, want %d", got, runs+1)
	}
}
