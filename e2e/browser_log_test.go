//go:build !short

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// What a page makes of a log room, with a hub that says each frame of docs/protocol.md when a test wants it said.

func TestBrowserLog(t *testing.T) {
	t.Parallel()
	browser := browserStart(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"history":     browserTestHistory,
		"reload":      browserTestLogReload,
		"resume":      browserTestResume,
		"provisional": browserTestProvisional,
		"full":        browserTestFull,
		"reset":       browserTestReset,
		"orphans":     browserTestOrphans,
		"own":         browserTestOwn,
		"retries":     browserTestRetries,
		"refusals":    browserTestRefusals,
		"given up":    browserTestGivenUp,
		"forgotten":   browserTestForgotten,
		"displaced":   browserTestDisplaced,
		"not joined":  browserTestNotJoined,
		"live room":   browserTestLiveRoom,
		"appearance":  browserTestLogAppearance,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

// enter answers the page's join of the lobby, which is a log room, with what is missed, and returns the join. Where the
// page asked for history there is none.
func (s *browserSession) enter(position string, missed ...string) *protocol.Frame {
	s.t.Helper()
	join := s.enterPast(position, missed...)
	if join.History > 0 {
		s.send(`{"type":"history","room":"lobby","count":0}`)
	}
	return join
}

// enterPast is enter for a test that sends the history itself.
func (s *browserSession) enterPast(position string, missed ...string) *protocol.Frame {
	s.t.Helper()
	join := s.await(protocol.TypeJoin)
	s.send(`{"type":"there","room":"lobby","people":[],"count":1,"log":true}`)
	for _, frame := range missed {
		s.send(frame)
	}
	s.send(fmt.Sprintf(`{"type":"subscribed","room":"lobby","position":%q}`, position))
	return join
}

// browserEntry is a message of somebody else, whose id is made of its text. More are members that only some have.
func browserEntry(text string, more ...string) string {
	return browserEntryOf("x1", "x1/"+text, text, more...)
}

func browserEntryOf(from, id, text string, more ...string) string {
	return fmt.Sprintf(`{"type":"message","room":"lobby","id":%q,"from":{"id":%q,"name":"Grace"},"hub":"hub2","time":%q,`+
		`"kind":"text","data":%q%s}`, id, from, protocol.FormatTime(time.Now()), text, browserMembers(more))
}

func browserMembers(more []string) string { return strings.Join(append([]string{""}, more...), ",") }

func browserAt(offset int) string { return fmt.Sprintf(`"position":"E:%d"`, offset) }

const (
	browserPast = `"past":true`
	browserKept = `"scope":"hub"`
)

// ack answers a publication; more are the members that say how far it came.
func (s *browserSession) ack(f *protocol.Frame, scope string, more ...string) {
	s.send(fmt.Sprintf(`{"type":"ack","room":"lobby","key":%q,"id":"me1/%s","scope":%q%s}`, f.Key, f.Key, scope,
		browserMembers(more)))
}

// fail answers a publication with an error.
func (s *browserSession) fail(f *protocol.Frame, code string) {
	s.send(fmt.Sprintf(`{"type":"error","room":"lobby","key":%q,"code":%q,"message":"it is %s","fix":"fix it"}`,
		f.Key, code, code))
}

// browserRows is what is in the list, from the top: ">" and the text of what was received, the state of what was sent
// and its text, and lines in dashes.
const browserRows = `JSON.stringify([...document.querySelectorAll('#messages > li')].map(li => {
	const text = li.querySelector('.text')?.textContent;
	const {direction, state} = li.dataset;
	return direction === 'sent' ? state + ' ' + text : direction ? '>' + (state ? state + ' ' : '') + text : '-' + li.textContent + '-';
}))`

// rows waits until the list is as wanted.
func (tab *browserTab) rows(want ...string) {
	tab.t.Helper()
	b, err := json.Marshal(want)
	if err != nil {
		tab.t.Fatal(err)
	}
	text := strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\u0026`, "&").Replace(string(b))
	for deadline := time.Now().Add(browserPatience); ; time.Sleep(10 * time.Millisecond) {
		got := browserGet[string](tab, browserRows)
		if got == text {
			return
		}
		if time.Now().After(deadline) {
			tab.t.Fatalf("tab %s: the list is\n%s\nwant\n%s", tab.name, got, text)
		}
	}
}

func browserBirth(f *protocol.Frame) string {
	if f.Birth == nil {
		return "none"
	}
	return *f.Birth
}

func browserTestHistory(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	tab.send("early")
	if join := session.enterPast("E:3"); join.History != 50 || join.Position != "" || join.Provisional != nil {
		t.Errorf("a first join is %+v, want 50 messages of history and no position", join)
	}
	f := session.await(protocol.TypePublish)
	session.send(browserEntry("four", browserAt(4)))
	session.send(browserEntry("one", browserAt(1), browserPast))
	session.send(browserEntryOf("me1", "me1/earlier", "two", browserAt(2), browserPast))
	session.send(browserEntry("three", browserAt(3), browserPast))
	session.send(`{"type":"history","room":"lobby","count":3}`)
	tab.rows("sending early", ">four", "-earlier messages-", ">three", "stored two", ">one")
	session.ack(f, "cluster", browserAt(5))
	session.send(browserEntry("six", browserAt(6)))
	// Whatever comes how often.
	session.send(browserEntry("four", browserAt(4)))
	session.send(browserEntry("three", browserAt(3), browserPast))
	session.send(browserEntryOf("me1", "me1/"+f.Key, "early", browserAt(5), browserPast))
	session.send(`{"type":"history","room":"lobby","count":2}`)
	session.send(browserEntry("seven", browserAt(7)))
	tab.rows(">seven", ">six", "stored early", ">four", "-earlier messages-", ">three", "stored two", ">one")
	if n := browserGet[int](tab, `document.querySelectorAll('#messages > li .num').length`); n != 4 {
		t.Errorf("%d rows tell how long they took, want those that came live and one's own", n)
	}
	tab.quiet()
}

func browserTestLogReload(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	session.send(browserEntry("two", browserAt(2)))
	tab.rows(">two")
	tab.send("stored, and the page does not know")
	first := session.await(protocol.TypePublish)
	tab.send("never came")
	second := session.await(protocol.TypePublish)
	tab.send("is bad")
	session.fail(session.await(protocol.TypePublish), "bad_data")
	tab.until(browserRow("sent", "is bad") + "[0]?.dataset.state === 'failed'")
	tab.do(chromedp.Reload())
	session = hub.next()
	if c := session.hello.Client; c == nil || c.ID != "me1" || c.Secret != "secret1" {
		t.Errorf("after a reload the page is %+v, want the client that it was", c)
	}
	if join := session.enterPast("E:3"); join.Position != "" || join.History != 50 {
		t.Errorf("after a reload the page joins with %+v, want history, as its rows are gone", join)
	}
	for _, want := range []*protocol.Frame{first, second} {
		f := session.await(protocol.TypePublish)
		if f.Key != want.Key || string(f.Data) != string(want.Data) || browserBirth(f) != "E:2" {
			t.Errorf("published %s under %s, born at %s, want %s under %s at E:2", f.Data, f.Key, browserBirth(f),
				want.Data, want.Key)
		}
	}
	session.send(browserEntry("two", browserAt(2), browserPast))
	session.send(browserEntryOf("me1", "me1/"+first.Key, "stored, and the page does not know", browserAt(3), browserPast))
	session.send(`{"type":"history","room":"lobby","count":2}`)
	tab.rows("failed is bad", "sending never came", "-earlier messages-", "stored stored, and the page does not know", ">two")
	session.ack(first, "cluster", browserAt(3), `"duplicate":true`)
	session.ack(second, "cluster", browserAt(4))
	tab.rows("stored never came", "failed is bad", "-earlier messages-", "stored stored, and the page does not know", ">two")
	if kept := browserGet[string](tab, "sessionStorage.getItem('hub.tab')"); kept != "null" {
		t.Errorf("sessionStorage holds %s while the page lives: a duplicated tab would take it", kept)
	}
	tab.quiet()
}

func browserTestResume(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:0")
	session.send(browserEntry("one", browserAt(1)))
	tab.rows(">one")
	tab.send("in flight")
	first := session.await(protocol.TypePublish)
	if first.Birth != nil {
		t.Errorf("a message that was never sent before has the birth %q", *first.Birth)
	}
	session.send(`{"type":"ack","room":"lobby","id":"","scope":"cluster","position":"E:2"}`) // nobody can read it
	session.conn.CloseNow()
	tab.state("reconnecting")
	tab.rows("queued in flight", ">one")
	tab.send("written offline")
	session = hub.next()
	tab.rows("sending written offline", "sending in flight", ">one")
	join := session.enter("E:4", browserEntry("three", browserAt(3)), browserEntry("four", browserAt(4)))
	if join.Position != "E:2" || join.History != 0 {
		t.Errorf("the page resumes with %+v, want position E:2", join)
	}
	again, offline := session.await(protocol.TypePublish), session.await(protocol.TypePublish)
	if again.Key != first.Key || browserBirth(again) != "E:1" {
		t.Errorf("sent again under %q, born at %s, want %q at E:1", again.Key, browserBirth(again), first.Key)
	}
	tab.rows("sending written offline", "sending in flight", ">four", ">three", ">one")
	session.ack(again, "cluster", browserAt(5))
	session.send(browserEntry("six", browserAt(6)))
	session.ack(offline, "cluster", browserAt(7))
	session.send(browserEntry("four", browserAt(4)))
	session.send(browserEntry("eight", browserAt(8)))
	tab.rows(">eight", "stored written offline", ">six", "stored in flight", ">four", ">three", ">one")
	session.conn.CloseNow()
	if join := hub.next().enter("E:8"); join.Position != "E:8" {
		t.Errorf("the page resumes at %q, want E:8", join.Position)
	}
	tab.quiet()
}

func browserTestProvisional(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	session.send(browserEntry("two", browserAt(2)))
	session.send(`{"type":"status","isolated":true}`)
	session.send(browserEntry("a", browserKept))
	session.send(browserEntry("b", browserKept))
	session.send(browserEntry("a", browserKept))
	tab.rows(">hub b", ">hub a", ">two")
	tab.until(browserRow("received", "a") + "[0].innerText.includes('this hub only')")
	tab.until(`document.getElementById('banner').innerText.includes('stored then')`)
	// Back again: first what was missed, then what was kept. One is settled by its position, one comes whole.
	session.send(`{"type":"status","isolated":false}`)
	session.send(browserEntry("three", browserAt(3)))
	session.send(`{"type":"ack","room":"lobby","id":"x1/a","scope":"cluster","position":"E:4"}`)
	session.send(browserEntry("five", browserAt(5)))
	session.send(browserEntry("b", browserAt(6)))
	session.send(browserEntry("a", browserAt(4), browserPast))
	session.send(browserEntry("seven", browserAt(7)))
	tab.rows(">seven", ">b", ">five", ">a", ">three", ">two")
	if text := browserGet[string](tab, browserRow("received", "a")+"[0].innerText"); strings.Contains(text, "this hub only") {
		t.Errorf("a message that is stored says %q", text)
	}
	// The hub dies with what it keeps. What comes elsewhere is not put below that, nor shown again, and is settled there.
	session.send(browserEntry("c", browserKept))
	tab.rows(">hub c", ">seven", ">b", ">five", ">a", ">three", ">two")
	session.conn.CloseNow()
	session = hub.next()
	if join := session.enter("E:8", browserEntry("eight", browserAt(8))); join.Position != "E:7" {
		t.Errorf("the page resumes at %q, want E:7", join.Position)
	}
	session.send(browserEntry("c", browserKept))
	tab.rows(">eight", ">hub c", ">seven", ">b", ">five", ">a", ">three", ">two")
	session.send(browserEntry("c", browserAt(9)))
	tab.rows(">c", ">eight", ">seven", ">b", ">five", ">a", ">three", ">two")
	tab.quiet()
}

func browserTestFull(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	for i := range 1001 {
		session.send(browserEntry(fmt.Sprint("m", i), browserKept))
	}
	session.await(protocol.TypeLeave)
	if join := session.enter("E:1"); join.Provisional == nil || *join.Provisional || join.Position != "E:1" {
		t.Errorf("a page that can keep no more ids joins with %+v", join)
	}
	tab.until(`document.querySelector('#messages > li .text').textContent === 'm999'`)
	// Its row is long gone, and it was shown.
	session.send(browserEntry("m7", browserAt(2)))
	session.send(browserEntry("last", browserAt(3)))
	tab.until(browserRow("received", "last") + ".length === 1")
	if n := browserGet[int](tab, browserRow("received", "m7")+".length"); n != 0 {
		t.Error("a message that was shown without a position is shown again")
	}
	select {
	case f := <-session.frames:
		t.Errorf("the page joins again and again: %+v", f)
	default:
	}
	tab.quiet()
}

func browserTestReset(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	session.enter("E:7")
	session.send(browserEntry("eight", browserAt(8)))
	tab.send("waits")
	f := session.await(protocol.TypePublish)
	session.send(`{"type":"reset","room":"lobby","position":"F:2"}`)
	session.await(protocol.TypeLeave)
	if join := session.enterPast("F:2"); join.History != 50 || join.Position != "" {
		t.Errorf("after a reset the page joins with %+v, want the history that there is", join)
	}
	session.send(browserEntry("new one", `"position":"F:1"`, browserPast))
	session.send(browserEntry("new two", `"position":"F:2"`, browserPast))
	session.send(`{"type":"history","room":"lobby","count":2}`)
	session.ack(f, "cluster", `"position":"F:3"`)
	session.send(browserEntry("new four", `"position":"F:4"`))
	const gap = "-messages were missed here: the history does not reach back-"
	tab.rows(">new four", "stored waits", "-earlier messages-", ">new two", ">new one", gap, ">eight")
	session.send(browserEntry("eight", `"position":"F:5"`)) // may come again, and is shown once
	tab.rows(">eight", ">new four", "stored waits", "-earlier messages-", ">new two", ">new one", gap)
	tab.quiet()
}

func browserTestOrphans(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	session.send(browserEntry("two", browserAt(2)))
	tab.send("mine")
	mine := session.await(protocol.TypePublish)
	session.ack(mine, "cluster", browserAt(3))
	session.send(browserEntry("four", browserAt(4)))
	tab.rows(">four", "stored mine", ">two")
	session.send(`{"type":"orphans","room":"lobby","position":"E:2","count":2}`)
	const gap = "-Redis lost the last 2 messages here-"
	tab.rows(gap, ">lost four", "lost mine", ">two")
	tab.until(browserRow("received", "four") + "[0].textContent.includes('lost by Redis:it may be sent again')")
	tab.until(browserRow("sent", "mine") + "[0].textContent.includes('lost by Redis:it is not stored')")
	tab.shot("log-orphans")
	session.send(browserEntry("three again", `"position":"F:3"`))
	session.send(browserEntry("four", `"position":"F:4"`))
	tab.rows(">four", ">three again", gap, "lost mine", ">two")
	tab.run(browserRow("sent", "mine") + "[0].querySelector('button').click()")
	f := session.await(protocol.TypePublish)
	if f.Key == mine.Key || f.Birth != nil {
		t.Errorf("a message that is lost is sent again under its old key")
	}
	session.ack(f, "cluster", `"position":"F:5"`)
	tab.rows("stored mine", ">four", ">three again", gap, ">two")
	session.conn.CloseNow()
	if join := hub.next().await(protocol.TypeJoin); join.Position != "F:5" {
		t.Errorf("the page resumes at %q, want F:5", join.Position)
	}
	tab.quiet()
}

// browserTestLiveRoom has a log room and a live one over a cut.
func browserTestLiveRoom(t *testing.T, browser context.Context) {
	hub, tab, session := browserConnected(t, browser)
	session.enter("E:1")
	session.send(browserEntry("two", browserAt(2)))
	tab.do(chromedp.SendKeys("#new-room", "live.ops\r"))
	session.await(protocol.TypeJoin)
	session.send(`{"type":"there","room":"live.ops","people":[],"count":1,"log":false}`)
	session.message("live.ops", "1", "hub1", "text", `"before"`)
	tab.rows(">before")
	tab.send("in flight")
	session.await(protocol.TypePublish)
	session.conn.CloseNow()
	tab.rows("failed in flight", ">before")
	session = hub.next()
	session.enter("E:2")
	if join := session.await(protocol.TypeJoin); join.Room != "live.ops" || join.Position != "" {
		t.Errorf("the page joins with %+v", join)
	}
	session.send(`{"type":"there","room":"live.ops","people":[],"count":1,"log":false}`)
	session.message("live.ops", "2", "hub1", "text", `"after"`)
	tab.until(browserRow("received", "after") + ".length === 1")
	gap := browserGet[string](tab, `document.querySelectorAll('#messages > li')[1].textContent`)
	if !strings.HasPrefix(gap, "disconnected for") {
		t.Errorf("below what came after the cut stands %q", gap)
	}
	session.send(`{"type":"there","room":"live.ops","count":300,"log":false}`) // now and then
	session.send(`{"type":"status","isolated":true}`)
	tab.until(`document.getElementById('banner').innerText.includes('not made up for')`)
	tab.run(`document.querySelector('#rooms .room').click()`)
	tab.rows(">two")
	tab.until(`document.getElementById('banner').innerText.includes('stored then')`)
	tab.run(`document.querySelectorAll('#rooms .room')[1].click()`)
	if n := browserGet[int](tab, `document.querySelectorAll('#messages > .gap').length`); n != 1 {
		t.Errorf("%d gap lines, want 1", n)
	}
	tab.quiet()
}

// browserTestLogAppearance measures what only log rooms have, in light and dark and on a small screen, and takes pictures.
func browserTestLogAppearance(t *testing.T, browser context.Context) {
	_, tab, session := browserConnected(t, browser)
	tab.do(chromedp.SendKeys("#name", "Ada\r"))
	session.enterPast("E:3")
	session.send(browserEntry("first!", browserAt(1), browserPast))
	session.send(browserEntryOf("me1", "me1/before", "good morning", browserAt(2), browserPast))
	session.send(browserEntry("Morning. See https://example.com/docs for the plan.", browserAt(3), browserPast))
	session.send(`{"type":"history","room":"lobby","count":3}`)
	session.send(browserEntry("This one is lost", browserAt(4)))
	tab.send("Mine is lost too")
	session.ack(session.await(protocol.TypePublish), "cluster", browserAt(5))
	session.send(`{"type":"orphans","room":"lobby","position":"E:3","count":2}`)
	session.send(browserEntry("After a reset", `"position":"F:4"`))
	session.send(`{"type":"reset","room":"lobby","position":"G:9"}`)
	session.enterPast("G:9")
	session.send(browserEntry("What is left of the history", `"position":"G:9"`, browserPast))
	session.send(`{"type":"history","room":"lobby","count":1}`)
	tab.send("hello from this tab")
	session.ack(session.await(protocol.TypePublish), "cluster", `"position":"G:10"`)
	tab.send("too much")
	session.fail(session.await(protocol.TypePublish), "bad_data")
	tab.until(browserRow("sent", "too much") + "[0]?.dataset.state === 'failed'")
	session.send(`{"type":"there","room":"lobby","people":[{"id":"me1","name":"Ada"},{"id":"b","name":"Linus"}],"count":2,"log":true}`)
	session.send(`{"type":"status","isolated":true}`)
	session.send(browserEntry("I am on this hub", browserKept))
	tab.send("anyone on hub2?")
	session.ack(session.await(protocol.TypePublish), "hub")
	tab.send("not answered yet")
	tab.rows("sending not answered yet", "hub anyone on hub2?", ">hub I am on this hub", "failed too much",
		"stored hello from this tab", "-earlier messages-", ">What is left of the history",
		"-messages were missed here: the history does not reach back-", ">After a reset",
		"-Redis lost the last 2 messages here-", "lost Mine is lost too", ">lost This one is lost",
		"-earlier messages-", ">Morning. See https://example.com/docs for the plan.", "stored good morning", ">first!")
	tab.run(`document.activeElement.blur()`)
	tab.looks("log", 1500)
	tab.quiet()
}
