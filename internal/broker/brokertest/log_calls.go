package brokertest

import (
	"bytes"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// NewMessage returns number n of sender's messages, a text in room; the number is its key.
func NewMessage(sender, room string, n int) *protocol.Message {
	return &NewPublication("", sender, room, n).Message
}

// outcome is what done was told.
type outcome[T any] struct {
	value T
	err   error
}

// await returns what ask's done is told, and ErrAway and the like where ask refuses. It fails the test where that takes
// too long.
func await[T any](tb testing.TB, what string, ask func(done func(T, error)) error) (T, error) {
	tb.Helper()
	answered := make(chan outcome[T], 1) // from the log's goroutine, which sends once; never closed
	if err := ask(func(v T, err error) { answered <- outcome[T]{v, err} }); err != nil {
		var none T
		return none, err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case o := <-answered:
		return o.value, o.err
	case <-late.C:
		tb.Fatalf("%s was not answered", what)
		panic("unreachable")
	}
}

// WaitFor returns when wg is done. It fails the test where that takes too long.
func WaitFor(tb testing.TB, what string, wg *sync.WaitGroup) {
	tb.Helper()
	done := make(chan struct{}) // closed by the goroutine; nothing is sent
	// Ends when wg is done; where it is not, the test has failed.
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		tb.Fatalf("waited in vain for %s", what)
	}
}

// TryAppend appends m and waits for the answer.
func TryAppend(tb testing.TB, l hub.Log, m *protocol.Message) (hub.Appended, error) {
	tb.Helper()
	return await(tb, "append of "+m.ID, func(done func(hub.Appended, error)) error { return l.Append(m, done) })
}

// Append appends m, which is to work.
func Append(tb testing.TB, l hub.Log, m *protocol.Message) hub.Appended {
	tb.Helper()
	a, err := TryAppend(tb, l, m)
	if err != nil {
		tb.Fatalf("append %s: %v", m.ID, err)
	}
	return a
}

// AppendUntilStored appends m again, under its key, until it is stored.
func AppendUntilStored(tb testing.TB, l hub.Log, m *protocol.Message) hub.Appended {
	tb.Helper()
	for late := time.Now().Add(patience); ; {
		a, err := TryAppend(tb, l, m)
		switch {
		case err == nil:
			return a
		case !errors.Is(err, hub.ErrUnknown) && !errors.Is(err, hub.ErrAway):
			tb.Fatalf("append %s: %v", m.ID, err)
		case time.Now().After(late):
			tb.Fatalf("append %s: still %v", m.ID, err)
		}
	}
}

// TryRead reads and waits for the answer.
func TryRead(tb testing.TB, l hub.Log, room string, after hub.Position, limit int, keep bool) (hub.LogPage, error) {
	tb.Helper()
	return await(tb, "read of "+room, func(done func(hub.LogPage, error)) error {
		return l.Read(room, after, limit, keep, done)
	})
}

// Read reads, which is to work.
func Read(tb testing.TB, l hub.Log, room string, after hub.Position, limit int, keep bool) hub.LogPage {
	tb.Helper()
	p, err := TryRead(tb, l, room, after, limit, keep)
	if err != nil {
		tb.Fatalf("read %q after %v: %v", room, after, err)
	}
	CheckPage(tb, p, limit)
	return p
}

// ReadAll reads room from its oldest entry to its top.
func ReadAll(tb testing.TB, l hub.Log, room string) []hub.Entry {
	tb.Helper()
	top := Read(tb, l, room, hub.Position{}, 1, false)
	var all []hub.Entry
	for at := (hub.Position{Epoch: top.Epoch}); at.Offset < top.Top; {
		p := Read(tb, l, room, at, 100, false)
		if p.Status == hub.LogReset && len(all) == 0 && p.Before > at.Offset {
			at.Offset = p.Before
			continue
		}
		if p.Status != hub.LogRead || len(p.Entries) == 0 {
			tb.Fatalf("read %q after %v: %+v", room, at, p)
		}
		all = append(all, p.Entries...)
		at.Offset = p.Entries[len(p.Entries)-1].At.Offset
	}
	return all
}

// CheckPage fails tb where p is not what a page may be.
func CheckPage(tb testing.TB, p hub.LogPage, limit int) {
	tb.Helper()
	if len(p.Entries) > limit || p.Status != hub.LogRead && (len(p.Entries) > 0 || p.Orphans != 0) {
		tb.Errorf("page with %d entries, limit %d: %+v", len(p.Entries), limit, p)
	}
	if n := len(p.Forks); p.Epoch != "" && (n == 0 || n > 32 || p.Forks[n-1].Epoch != p.Epoch) {
		tb.Errorf("page with epoch %s and forks %v", p.Epoch, p.Forks)
	}
	for i, e := range p.Entries {
		if e.At.Offset != p.Entries[0].At.Offset+uint64(i) || e.At.Offset > p.Top || e.At.Epoch == "" {
			tb.Errorf("page with entries from %v, and as number %d %v; top %d", p.Entries[0].At, i, e.At, p.Top)
		}
	}
}

// checkSame fails tb where two messages differ.
func checkSame(tb testing.TB, got, want *protocol.Message) {
	tb.Helper()
	g, w := *got, *want
	if !g.Time.Equal(w.Time) || string(g.Data) != string(w.Data) {
		tb.Errorf("of %s came time %v with %d bytes, want %v with %d", w.ID, g.Time, len(g.Data), w.Time, len(w.Data))
	}
	g.Time, g.Data = w.Time, w.Data
	if !reflect.DeepEqual(g, w) {
		tb.Errorf("got %+v\nwant %+v", g, w)
	}
}

// CheckEntries fails tb where got is not the entries from offset first on, with these ids.
func CheckEntries(tb testing.TB, got []hub.Entry, first uint64, ids ...string) {
	tb.Helper()
	if len(got) != len(ids) {
		tb.Errorf("%d entries, want %d", len(got), len(ids))
	}
	for i := range min(len(got), len(ids)) {
		if got[i].At.Offset != first+uint64(i) || got[i].Message.ID != ids[i] {
			tb.Errorf("entry %d is %s at %v, want %s at %d", i, got[i].Message.ID, got[i].At, ids[i], first+uint64(i))
			return
		}
	}
}

// testLogSecret looks at what hubs share to sign with.
func testLogSecret(t *testing.T, f LogFactory) {
	logs, _ := startLogs(t, f, 2, LogSetup{})
	if a, b := logs[0].Secret(), logs[1].Secret(); len(a) < 16 || !bytes.Equal(a, b) {
		t.Errorf("the secrets are %d and %d bytes, and the same: %v", len(a), len(b), bytes.Equal(a, b))
	}
}
