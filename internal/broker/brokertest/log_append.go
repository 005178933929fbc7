package brokertest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// testLogKinds looks at every field of what is published, and of what is read.
func testLogKinds(t *testing.T, f LogFactory) {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	logs, receivers := startLogs(t, f, 2, LogSetup{})
	receivers[1].subscribe(logs[1], "lobby", 1)
	messages := []*protocol.Message{
		{Kind: protocol.Text, Data: []byte("é 字 👋 \x00\r\n")},
		{Kind: protocol.Text},
		{Kind: protocol.JSON, Data: []byte(` {"a":[1,null,"é"]}`)},
		{Kind: protocol.Binary, Data: bytes.Repeat(everyByte, 256)},
		{Kind: protocol.Binary, Data: everyByte, Hub: "hub \x00 \xff", From: protocol.Client{Name: "Zoë \xff"}},
	}
	for i, m := range messages {
		m.Room, m.From.ID, m.ID = "lobby", "client:1", protocol.MessageID("client:1", fmt.Sprint(i))
		m.Time = time.Date(2026, 11, 23, 12, 30, 15, 123e6, time.UTC)
		Append(t, logs[0], m)
	}
	receivers[1].AwaitOffset("lobby", uint64(len(messages)))
	for i, entries := range [][]hub.Entry{receivers[1].Got("lobby"), ReadAll(t, logs[0], "lobby")} {
		if len(entries) != len(messages) {
			t.Fatalf("%d entries, want %d", len(entries), len(messages))
		}
		for j, e := range entries {
			if e.At.Offset != uint64(j+1) {
				t.Errorf("way %d: entry %d is at %v", i, j, e.At)
			}
			checkSame(t, e.Message, messages[j])
		}
	}
}

// subscribe subscribes and waits for the confirmation.
func (r *LogReceiver) subscribe(l hub.Log, room string, number uint64) {
	r.tb.Helper()
	l.Subscribe(room, number)
	r.AwaitConfirmed(room, number)
}

// testLogOrder has several publishers at each of several hubs append to some rooms, many at once: everybody sees the
// same log, without a hole, each publisher's messages in its order, and each where its publisher was told.
func testLogOrder(t *testing.T, f LogFactory) {
	const hubs, publishers, rooms, each = 3, 3, 2, 300
	const all = hubs * publishers * each // in each room
	logs, receivers := startLogs(t, f, hubs, LogSetup{Retention: hub.Retention{History: all, TTL: time.Hour}})
	room := func(n int) string { return fmt.Sprintf("room%d", n) }
	for i, r := range receivers {
		for n := range rooms {
			r.subscribe(logs[i], room(n), 1)
		}
	}
	var mu sync.Mutex
	told := map[string]hub.Position{} // by room and id; guarded by mu
	var answers, senders sync.WaitGroup
	for i, l := range logs {
		for j := range publishers {
			// Ends when it appended all; the test waits for it, and for the answers.
			senders.Go(func() {
				for k := range each * rooms {
					m := NewMessage(fmt.Sprintf("sender%d-%d", i, j), room(k%rooms), k/rooms)
					answers.Add(1)
					if err := l.Append(m, func(a hub.Appended, err error) {
						defer answers.Done()
						if err != nil || a.Duplicate || a.Epoch != a.At.Epoch {
							t.Errorf("append %s: %+v, %v", m.ID, a, err)
						}
						mu.Lock()
						told[m.Room+m.ID] = a.At
						mu.Unlock()
					}); err != nil {
						t.Errorf("append %s: %v", m.ID, err)
						answers.Done()
					}
				}
			})
		}
	}
	senders.Wait()
	WaitFor(t, "the answers", &answers)
	for n := range rooms {
		log := ReadAll(t, logs[0], room(n))
		if len(log) != all {
			t.Fatalf("the log has %d entries, want %d", len(log), all)
		}
		next := map[string]int{}
		for i, e := range log {
			if e.At.Offset != uint64(i+1) || told[room(n)+e.Message.ID] != e.At {
				t.Fatalf("%s is number %d, at %v; its publisher was told %v", e.Message.ID, i, e.At, told[room(n)+e.Message.ID])
			}
			sender := e.Message.From.ID
			if want := protocol.MessageID(sender, fmt.Sprint(next[sender])); e.Message.ID != want {
				t.Fatalf("at %v stands %s, want %s", e.At, e.Message.ID, want)
			}
			next[sender]++
		}
		for _, r := range receivers {
			r.AwaitOffset(room(n), all)
			if !slices.EqualFunc(r.Got(room(n)), log, func(a, b hub.Entry) bool {
				return a.At == b.At && a.Message.ID == b.Message.ID
			}) {
				t.Errorf("what was published differs from the log")
			}
		}
	}
}

// testLogKeys appends under the same key again: later, in the same moment, and beside keys that only look alike.
func testLogKeys(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 1, LogSetup{})
	log, r := logs[0], receivers[0]
	r.subscribe(log, "lobby", 1)
	first := Append(t, log, NewMessage("a", "lobby", 1))
	again := Append(t, log, NewMessage("a", "lobby", 1))
	if first.Duplicate || !again.Duplicate || again.At != first.At {
		t.Errorf("first %+v, again %+v", first, again)
	}

	// Many at once, so that some share a call: each of ten keys ten times.
	answers := make(chan hub.Appended, 100)
	for i := range cap(answers) {
		if err := log.Append(NewMessage("many", "lobby", i%10), func(a hub.Appended, err error) {
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}); err != nil {
			t.Fatal(err)
		}
	}
	positions, fresh := map[hub.Position]bool{}, 0
	for range cap(answers) {
		a := <-answers
		positions[a.At] = true
		if !a.Duplicate {
			fresh++
		}
	}
	if len(positions) != 10 || fresh != 10 {
		t.Errorf("10 keys were stored at %d positions, %d of them fresh", len(positions), fresh)
	}

	// Keys are a publisher's in a room, wherever one ends and the other begins.
	for _, m := range []*protocol.Message{
		{Room: "lobby", From: protocol.Client{ID: "x"}, ID: "x/y:z", Kind: protocol.Text},
		{Room: "lobby", From: protocol.Client{ID: "x:y"}, ID: "x:y/z", Kind: protocol.Text},
		{Room: "lobby2", From: protocol.Client{ID: "x"}, ID: "x/y:z", Kind: protocol.Text},
		{Room: "lobby", From: protocol.Client{ID: "x"}, ID: "x/{lobby}:*", Kind: protocol.Text},
	} {
		if a := Append(t, log, m); a.Duplicate {
			t.Errorf("%s in %s counts as a duplicate of %v", m.ID, m.Room, a.At)
		}
	}
	r.AwaitOffset("lobby", 14)
	CheckEntries(t, slices.DeleteFunc(slices.Clone(r.Got("lobby")), func(e hub.Entry) bool {
		return e.Message.From.ID != "many"
	}), 2, "many/0", "many/1", "many/2", "many/3", "many/4", "many/5", "many/6", "many/7", "many/8", "many/9")

	m := NewMessage("a", "lobby", 2)
	m.ID = "b/2"
	if _, err := TryAppend(t, log, m); err == nil || errors.Is(err, hub.ErrUnknown) {
		t.Errorf("a message whose id is another's: %v", err)
	}
}

// testLogKeysOfTwo has two hubs append the same messages at the same time, as when a client went over from one to the
// other.
func testLogKeysOfTwo(t *testing.T, f LogFactory) {
	const n = 200
	logs, receivers := startLogs(t, f, 2, LogSetup{})
	receivers[0].subscribe(logs[0], "lobby", 1)
	var mu sync.Mutex
	fresh, positions := map[string]int{}, map[string]map[hub.Position]bool{} // guarded by mu
	var answers sync.WaitGroup
	for i := range n {
		for _, l := range logs {
			m := NewMessage("a", "lobby", i)
			answers.Add(1)
			if err := l.Append(m, func(a hub.Appended, err error) {
				defer answers.Done()
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if !a.Duplicate {
					fresh[m.ID]++
				}
				if positions[m.ID] == nil {
					positions[m.ID] = map[hub.Position]bool{}
				}
				positions[m.ID][a.At] = true
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	WaitFor(t, "the answers", &answers)
	for i := range n {
		id := protocol.MessageID("a", fmt.Sprint(i))
		if fresh[id] != 1 || len(positions[id]) != 1 {
			t.Errorf("%s was stored %d times, at %v", id, fresh[id], positions[id])
		}
	}
	if got := len(ReadAll(t, logs[1], "lobby")); got != n {
		t.Errorf("the log has %d entries, want %d", got, n)
	}
	receivers[0].AwaitOffset("lobby", n)
	if got := len(receivers[0].Got("lobby")); got != n {
		t.Errorf("%d entries were published, want %d", got, n)
	}
}

// testLogKeysExpire appends under a key until it is forgotten.
func testLogKeysExpire(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 1, LogSetup{KeyTTL: 100 * time.Millisecond})
	first := Append(t, logs[0], NewMessage("a", "lobby", 1))
	receivers[0].Await("the key to be forgotten", func() bool {
		a := Append(t, logs[0], NewMessage("a", "lobby", 1))
		if a.Duplicate && a.At != first.At {
			t.Fatalf("the first is at %v, a duplicate is told %v", first.At, a.At)
		}
		return !a.Duplicate
	})
}

// testLogBusy appends more than may wait: what is refused is not stored, all else is.
func testLogBusy(t *testing.T, f LogFactory) {
	const queueBytes = 64 << 10
	logs, receivers := startLogs(t, f, 1, LogSetup{QueueBytes: queueBytes})
	log := logs[0]
	message := func(key, size int) *protocol.Message {
		m := NewMessage("a", "lobby", key)
		m.Data = bytes.Repeat([]byte("x"), size)
		return m
	}
	// The first answer is held up, so that all others wait.
	refused := make(chan struct{}) // closed by the test; received by the first done
	var answers sync.WaitGroup
	taken := 0
	for {
		answers.Add(1)
		err := log.Append(message(taken, 4<<10), func(_ hub.Appended, err error) {
			defer answers.Done()
			<-refused
			if err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			answers.Done()
			if !errors.Is(err, hub.ErrBusy) {
				t.Errorf("append: %v, want ErrBusy", err)
			}
			break
		}
		if taken++; taken > queueBytes/(4<<10) {
			t.Errorf("%d messages of 4 KiB wait at once", taken)
			break
		}
	}
	close(refused)
	WaitFor(t, "the answers", &answers)
	receivers[0].Await("room for one that is larger than the bound", func() bool {
		a, err := TryAppend(t, log, message(1e6, 1<<20))
		if err != nil && !errors.Is(err, hub.ErrBusy) {
			t.Fatal(err)
		}
		return err == nil && a.At.Offset == uint64(taken+1)
	})
}

// testLogSlowReceiver holds up a receiver: appending goes on, what it misses is counted, and can be read.
func testLogSlowReceiver(t *testing.T, f LogFactory) {
	logs, receivers := startLogs(t, f, 2, LogSetup{
		QueueBytes: 32 << 10, Retention: hub.Retention{History: 1e6, TTL: time.Hour},
	})
	slow, r := logs[1], receivers[1]
	r.subscribe(slow, "lobby", 1)
	r.Stop()
	n := 0
	dropped := func() int { return int(slow.Stats().Dropped[hub.DropBrokerQueue]) }
	receivers[0].Await("something to be dropped", func() bool {
		for range 100 {
			Append(t, logs[0], NewMessage("a", "lobby", n+1))
			n++
		}
		return dropped() > 0
	})
	r.Go()
	r.Await("what was not dropped", func() bool { return len(r.Got("lobby"))+dropped() == n })
	r.Await("to be told that something is missing", func() bool { return r.Misses("lobby") >= 1 })
	for i, e := range r.Got("lobby")[1:] {
		if e.At.Offset <= r.Got("lobby")[i].At.Offset {
			t.Fatalf("%v came after %v", e.At, r.Got("lobby")[i].At)
		}
	}
	if got := len(ReadAll(t, slow, "lobby")); got != n {
		t.Errorf("the log has %d entries, want %d", got, n)
	}
}
