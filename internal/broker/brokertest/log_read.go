package brokertest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
)

// fill appends n messages of sender a to room, and returns its epoch.
func fill(t *testing.T, l hub.Log, room string, n int) (epoch string) {
	t.Helper()
	answers := make(chan hub.Appended, n)
	for i := range n {
		if err := l.Append(NewMessage("a", room, i+1), func(a hub.Appended, err error) {
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		a := <-answers
		epoch = a.Epoch
	}
	return epoch
}

// ids returns the ids of fill's messages first to last.
func ids(first, last int) (ids []string) {
	for i := first; i <= last; i++ {
		ids = append(ids, fmt.Sprintf("a/%d", i))
	}
	return ids
}

// testLogRead reads from every position, with limits around the end.
func testLogRead(t *testing.T, f LogFactory) {
	const n = 70
	logs, _ := startLogs(t, f, 2, LogSetup{})
	epoch := fill(t, logs[0], "lobby", n)
	for from := range n + 1 {
		for _, limit := range []int{1, 7, 32, 33, n - from, n - from + 1} {
			limit = max(1, limit)
			p := Read(t, logs[1], "lobby", hub.Position{Epoch: epoch, Offset: uint64(from)}, limit, from%2 == 0)
			if p.Status != hub.LogRead || p.Epoch != epoch || p.Top != n || p.Orphans != 0 {
				t.Fatalf("from %d: %+v", from, p)
			}
			CheckEntries(t, p.Entries, uint64(from+1), ids(from+1, min(n, from+limit))...)
		}
	}
	for name, after := range map[string]hub.Position{
		"beyond the top": {Epoch: epoch, Offset: n + 1},
		"far beyond":     {Epoch: epoch, Offset: 1<<64 - 1},
		"another epoch":  {Epoch: "other", Offset: 1},
		"a strange one":  {Epoch: "e:1,2", Offset: 1},
	} {
		p := Read(t, logs[0], "lobby", after, 10, false)
		if p.Status != hub.LogReset || p.Before != 0 || p.Epoch != epoch || p.Top != n {
			t.Errorf("%s: %+v", name, p)
		}
	}
	p := Read(t, logs[0], "lobby", hub.Position{}, 10, false)
	if p.Status != hub.LogTop || p.Epoch != epoch || p.Top != n || p.Forks.String() != epoch+":1" {
		t.Errorf("from no position: %+v", p)
	}
}

// testLogPages reads messages that are large: a page holds some of them, at least one, and reading goes on behind it.
func testLogPages(t *testing.T, f LogFactory) {
	const n, size = 40, 100 << 10
	logs, _ := startLogs(t, f, 1, LogSetup{})
	for i := range n {
		m := NewMessage("a", "lobby", i+1)
		m.Data = bytes.Repeat([]byte("x"), size)
		Append(t, logs[0], m)
	}
	at := hub.Position{Epoch: Read(t, logs[0], "lobby", hub.Position{}, 1, false).Epoch}
	for at.Offset < n {
		p := Read(t, logs[0], "lobby", at, n, false)
		if len(p.Entries) == 0 || len(p.Entries) > 12 {
			t.Fatalf("after %v a page has %d entries of 100 KiB", at, len(p.Entries))
		}
		if p.Entries[0].At.Offset != at.Offset+1 {
			t.Fatalf("after %v came %v", at, p.Entries[0].At)
		}
		at = p.Entries[len(p.Entries)-1].At
	}
}

// testLogTrimmed fills rooms beyond their history: what is older is reset, and reading goes on from where it says.
func testLogTrimmed(t *testing.T, f LogFactory) {
	for _, history := range []int{1, 10, 1500} {
		n := 2*history + 500
		logs, _ := startLogs(t, f, 1, LogSetup{Retention: hub.Retention{History: history, TTL: time.Hour}})
		epoch := fill(t, logs[0], "lobby", n)
		p := Read(t, logs[0], "lobby", hub.Position{Epoch: epoch}, 10, true)
		if p.Status != hub.LogReset || p.Epoch != epoch || p.Top != uint64(n) {
			t.Fatalf("history %d: %+v", history, p)
		}
		kept := n - int(p.Before)
		if kept < history || history < 1000 && kept > history {
			t.Errorf("%d entries are kept, want %d", kept, history)
		}
		before := Read(t, logs[0], "lobby", hub.Position{Epoch: epoch, Offset: p.Before - 1}, 10, false)
		if before.Status != hub.LogReset || before.Before != p.Before {
			t.Errorf("history %d: one too early: %+v", history, before)
		}
		CheckEntries(t, ReadAll(t, logs[0], "lobby"), p.Before+1, ids(int(p.Before)+1, n)...)
	}
}

// testLogCreation reads rooms that are not there: with keep they come to be, otherwise not.
func testLogCreation(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 2, LogSetup{})
	for range 2 {
		p := Read(t, logs[0], "lobby", hub.Position{}, 10, false)
		if p.Status != hub.LogEmpty || p.Epoch != "" || p.Top != 0 {
			t.Errorf("a room that is not there: %+v", p)
		}
	}
	p := Read(t, logs[0], "lobby", hub.Position{Epoch: "gone", Offset: 5}, 10, false)
	if p.Status != hub.LogReset || p.Epoch != "" || p.Before != 0 {
		t.Errorf("from a position in a room that is not there: %+v", p)
	}
	made := Read(t, logs[0], "lobby", hub.Position{}, 10, true)
	if made.Status != hub.LogTop || made.Epoch == "" || made.Top != 0 || made.Forks.String() != made.Epoch+":1" {
		t.Fatalf("a room that comes to be: %+v", made)
	}
	// What is stored after the hub has read where the log ends follows on from there.
	receivers[0].subscribe(logs[0], "lobby", 1)
	if a := Append(t, logs[1], NewMessage("a", "lobby", 1)); a.At != (hub.Position{Epoch: made.Epoch, Offset: 1}) {
		t.Errorf("the first message is at %v, in a room of epoch %s", a.At, made.Epoch)
	}
	receivers[0].AwaitOffset("lobby", 1)
	p = Read(t, logs[1], "lobby", hub.Position{Epoch: made.Epoch}, 10, true)
	CheckEntries(t, p.Entries, 1, "a/1")
}

// testLogExpiry waits for a room to go: what comes then is of another epoch, even where offsets are the same.
func testLogExpiry(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 1, LogSetup{
		Retention: hub.Retention{History: 10, TTL: 100 * time.Millisecond}, KeyTTL: 100 * time.Millisecond,
	})
	epoch := fill(t, logs[0], "lobby", 3)
	receivers[0].Await("the room to expire", func() bool {
		return Read(t, logs[0], "lobby", hub.Position{}, 10, false).Status == hub.LogEmpty
	})
	a := Append(t, logs[0], NewMessage("a", "lobby", 1))
	if a.Duplicate || a.At.Offset != 1 || a.At.Epoch == epoch {
		t.Errorf("in the new room of an old name: %+v, the old epoch was %s", a, epoch)
	}
	p := Read(t, logs[0], "lobby", hub.Position{Epoch: epoch, Offset: 1}, 10, false)
	if p.Status != hub.LogReset {
		t.Errorf("from a position of before: %+v", p)
	}
}

// testLogKept has a room's entries expire under a hub that goes on reading with keep: its epoch and top stay.
func testLogKept(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 1, LogSetup{
		Retention: hub.Retention{History: 10, TTL: 100 * time.Millisecond}, KeyTTL: 200 * time.Millisecond,
	})
	epoch := fill(t, logs[0], "lobby", 3)
	end := time.Now().Add(time.Second)
	receivers[0].Await("the entries to expire", func() bool {
		top := Read(t, logs[0], "lobby", hub.Position{}, 10, true)
		if top.Status != hub.LogTop || top.Epoch != epoch || top.Top != 3 {
			t.Fatalf("the room expired under its readers: %+v", top)
		}
		p := Read(t, logs[0], "lobby", hub.Position{Epoch: epoch}, 10, true)
		return p.Status == hub.LogReset && p.Before == 3 && time.Now().After(end)
	})
	if a := Append(t, logs[0], NewMessage("b", "lobby", 1)); a.At != (hub.Position{Epoch: epoch, Offset: 4}) {
		t.Errorf("the next entry is at %v, want %s:4", a.At, epoch)
	}
}
