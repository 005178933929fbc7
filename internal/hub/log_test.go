package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestLogRoom has a message go to two sessions on its own hub and to one on another, and back as nothing but an
// acknowledgement.
func TestLogRoom(t *testing.T) {
	inLogWorld(t, hub.Options{}, 2, func(t *testing.T, w []*logWorld) {
		a := w[0].session(t, "a")
		receive(t, a, `{"type":"join","room":"r"}`)
		w[0].want("send a welcome", "send a status isolated=false", "join r a behind: there count=1 people=1",
			"announce r joined count=1 except a", "attach r a: subscribed at=0")
		w[0].enter("b")
		w[1].enter("c")
		say(t, a, "1")
		w[0].want(`deliver r "1" holders [a]`)
		w[1].want(`deliver r "1" holders []`)

		// Who is not in the room is answered directly, once for each try.
		d := w[1].session(t, "d")
		w[1].told()
		say(t, d, "2")
		say(t, d, "2")
		w[1].wantInAnyOrder(`deliver r "2" holders []`, "send d ack key=2 cluster at=2", "send d ack key=2 cluster at=2 duplicate")
		w[0].want(`deliver r "2" holders []`)
		// And a member that repeats what the stream has told it already.
		say(t, a, "1")
		w[0].want("send a ack key=1 cluster at=1 duplicate")
	})
}

// TestLogResume has a client come back where it was, at another hub, and get what it missed and the history.
func TestLogResume(t *testing.T) {
	inLogWorld(t, hub.Options{}, 2, func(t *testing.T, w []*logWorld) {
		a := w[0].enter("a")
		for i := range 5 {
			say(t, a, fmt.Sprint("m", i))
		}
		w[0].told()
		page, err := w[0].History(t.Context(), "r", hub.Position{}, 2)
		if err != nil || len(page.Entries) != 2 || page.Entries[0].At.Offset != 4 || page.Next.Offset != 5 {
			t.Fatalf("the newest two: %+v, %v", page, err)
		}
		at := func(offset uint64) string {
			return hub.Position{Epoch: page.Next.Epoch, Offset: offset}.String()
		}
		b := w[1].session(t, "b")
		w[1].told()
		receive(t, b, fmt.Sprintf(`{"type":"join","room":"r","position":%q,"history":2}`, at(2)))
		w[1].want("join r b behind: there count=1 people=1", "announce r joined*", "replay b 3: nothing",
			"attach r b: subscribed at=5", "replay b 2: history count=2")
		c := w[1].session(t, "c")
		w[1].told()
		receive(t, c, `{"type":"join","room":"r","position":"elsewhere:7"}`)
		w[1].want("join r c*", "announce r joined*", "send c reset at=5", "attach r c: subscribed at=5")
		if got := w[1].Stats().Resumes; got["resumed"] != 1 || got["reset"] != 1 || got["orphans"] != 0 {
			t.Errorf("counted %v", got)
		}
		for _, bad := range []string{`"position":"7"`, `"history":-1`, `"history":1001`} {
			receive(t, c, `{"type":"join","room":"other",`+bad+`}`)
			w[1].want("send c error bad_position")
		}
		receive(t, c, `{"type":"publish","room":"r","key":"k","data":"x","birth":"7"}`)
		w[1].want("send c error bad_position key=k")
	})
}

// TestLogAway has a hub cut off from the log in use: what is published is shown and kept, stored when the log is back,
// and nobody gets it twice.
func TestLogAway(t *testing.T) {
	inLogWorld(t, hub.Options{}, 2, func(t *testing.T, w []*logWorld) {
		a, _, _ := w[0].enter("a"), w[0].enter("b"), w[1].enter("c")
		w[0].told()
		w[0].log.cut(true)
		w[0].want("broadcast status isolated=true")
		say(t, a, "1")
		w[0].want(`show r "1" to [b]`, "send a ack key=1 hub")
		w[1].want()
		if p, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, []byte("2")); err != nil || p.Scope != "hub" {
			t.Errorf("over HTTP: %+v, %v", p, err)
		}
		w[0].want(`show r "2" to [*`)
		// What comes with a key may be stored, so it is shown to nobody who may have it.
		if p, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "k", protocol.Text, []byte("3")); err != nil || p.Scope != "hub" {
			t.Errorf("over HTTP, with a key: %+v, %v", p, err)
		}
		w[0].want()
		if _, err := w[0].History(t.Context(), "r", hub.Position{}, 1); code(err) != "isolated" {
			t.Errorf("history: %v", err)
		}
		w[0].log.cut(false)
		time.Sleep(time.Second) // virtual
		w[0].want("broadcast status isolated=false", `deliver r "1" holders [a b]`, `deliver r "2" holders [*]`,
			`deliver r "3" holders []`)
		w[1].want(`deliver r "1" holders []`, `deliver r "2" holders []`, `deliver r "3" holders []`)
	})
}

// TestLogAnswerLost has the log stop answering while messages are under way: who can retry is told that nothing is known,
// and the hub retries for who cannot, and shows what nobody has seen.
func TestLogAnswerLost(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		a, _ := w[0].enter("a"), w[0].enter("b")
		plain := w[0].NewSession(w[0].shard, "p", true)
		plain.EnterPlain(t.Context(), "r")
		w[0].told()
		w[0].log.set(&w[0].log.deaf, true)
		w[0].log.set(&w[0].log.away, true) // and does not say so yet
		say(t, a, "1")
		if err := plain.Receive([]byte("2"), false); err != nil {
			t.Fatal(err)
		}
		w[0].want("send a error unknown key=1")
		w[0].log.cut(true)
		w[0].want("broadcast status isolated=true", `show r "2" to [a b]`)
		w[0].log.set(&w[0].log.deaf, false)
		w[0].log.cut(false)
		time.Sleep(time.Second)
		w[0].want("broadcast status isolated=false", `deliver r "2" holders [p *`)
	})
}

// TestLogRefuses has a log that is full: who publishes is told, and a plain session, which cannot be told, is closed.
func TestLogRefuses(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		a := w[0].enter("a")
		plain := w[0].NewSession(w[0].shard, "p", true)
		plain.EnterPlain(t.Context(), "r")
		w[0].told()
		w[0].log.set(&w[0].log.full, true)
		say(t, a, "1")
		w[0].want("send a error refused key=1")
		if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, nil); code(err) != "refused" {
			t.Errorf("over HTTP: %v", err)
		}
		if err := plain.Receive([]byte("2"), false); err != nil {
			t.Fatal(err)
		}
		w[0].want("close p 4013")
	})
}

// TestOutboxFull has more published at a hub that is cut off than it keeps.
func TestOutboxFull(t *testing.T) {
	inLogWorld(t, hub.Options{Outbox: 2000}, 1, func(t *testing.T, w []*logWorld) {
		a := w[0].enter("a")
		w[0].log.cut(true)
		w[0].told()
		data := strings.Repeat("x", 1500)
		receive(t, a, fmt.Sprintf(`{"type":"publish","room":"r","key":"1","data":%q}`, data))
		w[0].want("send a ack key=1 hub")
		receive(t, a, fmt.Sprintf(`{"type":"publish","room":"r","key":"2","data":%q}`, data))
		w[0].want("send a error outbox_full key=2")
		if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, []byte(data)); code(err) != "outbox_full" {
			t.Errorf("over HTTP: %v", err)
		}
	})
}

// TestPublishHTTPInLogRoom publishes where nobody is.
func TestPublishHTTPInLogRoom(t *testing.T) {
	inLogWorld(t, hub.Options{PublishTimeout: time.Second}, 2, func(t *testing.T, w []*logWorld) {
		first, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "k", protocol.Text, []byte("x"))
		if err != nil || first.ID != "http:r/k" || first.Scope != "cluster" || first.At.Offset != 1 || first.Duplicate {
			t.Errorf("got %+v, %v", first, err)
		}
		again, err := w[1].PublishHTTP(t.Context(), hub.Identity{}, "r", "k", protocol.Text, []byte("x"))
		if err != nil || again.At != first.At || !again.Duplicate {
			t.Errorf("again, elsewhere: %+v, %v", again, err)
		}
		synctest.Wait()
		if n := w[0].RoomsKept() + w[1].RoomsKept(); n != 0 {
			t.Errorf("%d rooms are kept", n)
		}
		w[0].log.set(&w[0].log.away, true) // and says nothing
		if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "k2", protocol.Text, nil); code(err) != "unknown" {
			t.Errorf("without an answer: %v", err)
		}
	})
}

// TestHistory reads the history of a log page by page, over its beginning.
func TestHistory(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		none, err := w[0].History(t.Context(), "r", hub.Position{}, 5)
		if err != nil || !none.Next.IsZero() || none.Entries != nil || none.Reset {
			t.Errorf("of no room: %+v, %v", none, err)
		}
		for i := range 15 { // of which 10 are kept
			if _, err := w[0].PublishHTTP(t.Context(), hub.Identity{}, "r", "", protocol.Text, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		newest, err := w[0].History(t.Context(), "r", hub.Position{}, 12)
		if err != nil || len(newest.Entries) != 10 || newest.Reset {
			t.Errorf("the newest 12: %+v, %v", newest, err)
		}
		start := hub.Position{Epoch: newest.Next.Epoch, Offset: 3}
		page, err := w[0].History(t.Context(), "r", start, 4)
		if err != nil || !page.Reset || len(page.Entries) != 4 || page.Entries[0].At.Offset != 6 || page.Next.Offset != 9 {
			t.Errorf("behind what was trimmed: %+v, %v", page, err)
		}
		end, err := w[0].History(t.Context(), "r", newest.Next, 4)
		if err != nil || end.Reset || len(end.Entries) != 0 || end.Next != newest.Next {
			t.Errorf("at the end: %+v, %v", end, err)
		}
		gone, err := w[0].History(t.Context(), "none", start, 4)
		if err != nil || !gone.Reset || !gone.Next.IsZero() {
			t.Errorf("of a room that is gone: %+v, %v", gone, err)
		}
		if _, err := w[0].History(t.Context(), "live.r", hub.Position{}, 1); code(err) != "no_history" {
			t.Errorf("of a live room: %v", err)
		}
		if _, err := w[0].History(t.Context(), "a b", hub.Position{}, 1); code(err) != "bad_room" {
			t.Errorf("of no room's name: %v", err)
		}
	})
}

// TestLogMissed loses what is published: the next message, the log's own word, and the position check bring it.
func TestLogMissed(t *testing.T) {
	inLogWorld(t, hub.Options{CheckInterval: 10 * time.Second}, 2, func(t *testing.T, w []*logWorld) {
		a, _ := w[0].enter("a"), w[1].enter("b")
		lose := func(key string) {
			w[1].log.set(&w[1].log.deaf, true)
			say(t, a, key)
			w[1].want()
			w[1].log.set(&w[1].log.deaf, false)
		}
		lose("1")
		say(t, a, "2")
		w[1].want(`deliver r "1" holders []`, `deliver r "2" holders []`)
		lose("3")
		w[1].log.receiver.Missed("r")
		w[1].want(`deliver r "3" holders []`)
		lose("4")
		time.Sleep(17 * time.Second) // virtual: the check comes within 1.5 times its interval, at the tick after, and not with this
		w[1].want(`deliver r "4" holders []`)
	})
}

// TestClientComesBack shows id and secret at another hub, while the session of before is still there.
func TestClientComesBack(t *testing.T) {
	inLogWorld(t, hub.Options{}, 2, func(t *testing.T, w []*logWorld) {
		hello := func(id, secret string) string {
			return fmt.Sprintf(`{"type":"hello","name":"y","client":{"id":%q,"secret":%q}}`, id, secret)
		}
		open := func(w *logWorld, handle, hello string) *hub.Session {
			s := w.NewSession(w.shard, handle, false)
			receive(t, s, hello)
			return s
		}
		a, _ := w[0].enter("a"), w[0].enter("b")
		secret := w[0].SecretOf(a.ID())
		if elsewhere := open(w[1], "e", hello(a.ID(), secret)); elsewhere.ID() != a.ID() {
			t.Error("another hub does not know the client")
		}
		for _, wrong := range []string{"", secret[1:], secret + "x", w[0].SecretOf("else")} {
			if s := open(w[1], "w", hello(a.ID(), wrong)); s.ID() == a.ID() {
				t.Errorf("the secret %q is taken", wrong)
			}
		}
		again := open(w[0], "a2", hello(a.ID(), secret))
		w[0].want("close a 4514", "send a2 welcome", "send a2 status isolated=false")
		receive(t, again, `{"type":"join","room":"r"}`)
		w[0].want("leave r a", "join r a2 behind: there count=2 people=2", "announce r updated count=2 except a2",
			"detach r a", "attach r a2: subscribed at=0")
		a.Closed(false) // what it was in is the other's now
		w[0].want()
		say(t, again, "1")
		w[0].want(`deliver r "1" holders [a2]`)
		again.Closed(false)
		w[0].want("leave r a2", "announce r left count=1 except nobody")
	})
}

// TestKeysOfHub publishes without keys in two sessions of one client: the keys that the hub makes are not the same.
func TestKeysOfHub(t *testing.T) {
	inLogWorld(t, hub.Options{}, 1, func(t *testing.T, w []*logWorld) {
		watcher := w[0].enter("w")
		a := w[0].session(t, "a")
		for range 2 {
			receive(t, a, `{"type":"publish","room":"r","data":"x"}`)
			w[0].wantInAnyOrder(`deliver r "x" holders []`, "send a ack*", "send a status*", "send a welcome")
			hello, err := json.Marshal(protocol.Frame{Type: "hello", Client: &protocol.Credentials{
				ID: a.ID(), Secret: w[0].SecretOf(a.ID()),
			}})
			if err != nil {
				t.Fatal(err)
			}
			a.Closed(false)
			a = w[0].NewSession(w[0].shard, "a", false)
			receive(t, a, string(hello))
		}
		_ = watcher
	})
}

// TestPlainWaits shows that a plain session is in its log room when it is open, and that one whose hub is cut off does
// not wait.
func TestPlainWaits(t *testing.T) {
	inLogWorld(t, hub.Options{AttachTimeout: time.Minute}, 1, func(t *testing.T, w []*logWorld) {
		p := w[0].NewSession(w[0].shard, "p", true)
		p.EnterPlain(t.Context(), "r")
		w[0].want("join r p behind: nothing", "announce*", "attach r p: subscribed at=0")
		w[0].log.cut(true)
		began := time.Now()
		w[0].NewSession(w[0].shard, "q", true).EnterPlain(t.Context(), "r2")
		w[0].log.cut(false)
		w[0].log.set(&w[0].log.away, true) // and says nothing
		w[0].NewSession(w[0].shard, "r", true).EnterPlain(t.Context(), "r3")
		if took := time.Since(began); took != time.Minute {
			t.Errorf("waited %v", took)
		}
	})
}

// TestPublishersWait has a hub with more under way than half of what it may keep: who publishes in log rooms waits, and not
// for ever. Receive takes everything at once, and who cannot publish in a log room has nothing to wait for.
func TestPublishersWait(t *testing.T) {
	inLogWorld(t, hub.Options{Outbox: 2000}, 1, func(t *testing.T, w []*logWorld) {
		a := w[0].enter("a")
		w[0].log.hold(true)
		receive(t, a, fmt.Sprintf(`{"type":"publish","room":"r","key":"1","data":%q}`, strings.Repeat("x", 1000)))
		done := make(chan struct{}) // closed by the goroutine that publishes
		go func() {
			defer close(done)
			a.Await()
			say(t, a, "2")
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("a message was taken while too much waited")
		default:
		}
		live := w[0].NewSession(w[0].shard, "live", true)
		live.EnterPlain(t.Context(), "live.r")
		began := time.Now()
		live.Await()
		say(t, a, "1b")
		if took := time.Since(began); took != 0 || live.FarBehind() || !a.FarBehind() {
			t.Errorf("waited %v; live behind: %v, log behind: %v", took, live.FarBehind(), a.FarBehind())
		}
		w[0].told()
		w[0].log.hold(false)
		<-done
		began = time.Now()
		w[0].want(`deliver r "2" holders [a]`)
		w[0].log.hold(true)
		receive(t, a, fmt.Sprintf(`{"type":"publish","room":"r","key":"3","data":%q}`, strings.Repeat("x", 1000)))
		a.Await()
		a.Await() // the second is over
		say(t, a, "4")
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %v for a log that does not answer", took)
		}
		if a.FarBehind() {
			t.Error("an event loop would never go on")
		}
		w[0].log.hold(false)
	})
}

func code(err error) string {
	var r *hub.Refusal
	if !errors.As(err, &r) {
		return fmt.Sprint(err)
	}
	return r.Code
}
