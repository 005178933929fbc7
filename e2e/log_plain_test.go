package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// plainWatcher is a client of hub.plain in a log room. It cannot resume, and gets each message once while its connection
// lasts.
type plainWatcher struct {
	name string
	conn *conn
	work sync.WaitGroup // read
	seen []string       // owned by read as long as it runs
}

// watchPlain connects one. The test's end, or that of the connection, ends it.
func watchPlain(tb testing.TB, name string, h *hub, room string) *plainWatcher {
	w := &plainWatcher{name: name, conn: dialPlain(tb, h, room)}
	tb.Cleanup(w.work.Wait) // runs after close, which runs before that of dialPlain
	w.work.Go(w.read)
	tb.Cleanup(w.close)
	return w
}

func (w *plainWatcher) close() { w.conn.ws.CloseNow() }

// read ends with the connection.
func (w *plainWatcher) read() {
	for f := range w.conn.in {
		w.seen = append(w.seen, f.data)
	}
}

// violations compares what it saw with the room's log: from the first entry on that it saw, each once. It is for after
// work has ended.
func (w *plainWatcher) violations(log []stored) (wrong []string) {
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	times := map[string]int{}
	for _, text := range w.seen {
		times[text]++
	}
	first := slices.IndexFunc(log, func(s stored) bool { return times[s.text] > 0 })
	if first < 0 {
		fail("I4: %s saw nothing of %d messages", w.name, len(log))
		return wrong
	}
	missed := 0
	for _, s := range log[first:] {
		switch n := times[s.text]; {
		case n == 0:
			missed++
		case n > 1:
			fail("I3: %s saw %q %d times", w.name, s.text, n)
		}
		delete(times, s.text)
	}
	if missed > 0 {
		fail("I4: %s missed %d of %d messages", w.name, missed, len(log)-first)
	}
	for _, text := range slices.Sorted(maps.Keys(times)) {
		fail("I1: %s saw %q, which is not in the log", w.name, text)
	}
	return wrong
}

// TestPlainWatcher shows that the watcher finds what it is there to find.
func TestPlainWatcher(t *testing.T) {
	for _, test := range []struct{ name, seen, want string }{
		{"all", "a b c d", ""},
		{"later", "b c d", ""},
		{"missed", "a c d", "I4: w missed 1 of 4 messages"},
		{"missed at the end", "a b c", "I4: w missed 1 of 4 messages"},
		{"nothing", "", "I4: w saw nothing of 4 messages"},
		{"twice", "a b c b d", `I3: w saw "b" 2 times`},
		{"phantom", "a b c d e", `I1: w saw "e", which is not in the log`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &plainWatcher{name: "w", seen: strings.Fields(test.seen)}
			log := []stored{{text: "a"}, {text: "b"}, {text: "c"}, {text: "d"}}
			if got := strings.Join(w.violations(log), "; "); got != test.want {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
}
