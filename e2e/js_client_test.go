//go:build unix && !short

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// jsRoom is where tests with two clients at most have them talk.
const jsRoom = "resume"

// jsClient is the JavaScript client in a program of its own, in Node or in a page, that does as it is told and writes down
// what it did and saw. Its methods are for the test's goroutine.
type jsClient struct {
	t    *testing.T
	name string
	call func(order string, args ...any) []byte // has the driver do something, and returns what it answers, as JSON

	rec   record
	shown []jsEvent // what it told its program
	now   jsState   // as of the last take
}

// jsEvent is an event of a driver (client/js/testing/driver.js).
type jsEvent struct {
	At    int64           `json:"at"` // ms since 1970
	What  string          `json:"what"`
	Where string          `json:"where"`
	Frame *protocol.Frame `json:"frame"`

	// of what was shown
	Room     string `json:"room"`
	ID       string `json:"id"`
	Key      string `json:"key"`
	Position string `json:"position"`
	Again    bool   `json:"again"` // it is the position of what was shown before
}

// jsState is how a client is.
type jsState struct {
	Events  []jsEvent `json:"events"` // since the last take
	State   string    `json:"state"`
	Why     string    `json:"why"`
	Hub     string    `json:"hub"`
	Waiting int       `json:"waiting"`
	Rooms   map[string]struct {
		Position string   `json:"position"`
		Live     bool     `json:"live"`
		IDs      []string `json:"ids"`
	} `json:"rooms"`
}

// jsOptions are what a driver is started with: a client that goes to urls, the first of which is home.
func jsOptions(t *testing.T, name string, rooms, tokens []string, urls ...string) string {
	t.Helper()
	options := map[string]any{"urls": urls, "name": name, "rooms": rooms}
	if tokens != nil {
		options["tokens"] = tokens
	}
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startNodeClient starts a client in Node, whose home is the first of hubs.
func startNodeClient(t *testing.T, name string, rooms []string, hubs ...*hub) *jsClient {
	t.Helper()
	return startNode(t, name, jsOptions(t, name, rooms, nil, addresses(hubs)...))
}

// startNode starts a driver in Node.
func startNode(t *testing.T, name, options string) *jsClient {
	t.Helper()
	// The flag is for Node 20; later ones take it, and need it not.
	cmd := exec.Command("node", "--no-warnings", "--experimental-websocket", "../client/js/testing/nemesis.js", options)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	complaints := new(output)
	cmd.Stderr, cmd.SysProcAttr = complaints, dieWithParent()
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs Node: %v", err)
	}
	t.Cleanup(func() {
		in.Close() // it ends then
		hangs := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer hangs.Stop()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil || complaints.String() != "" {
			t.Errorf("%s: %v\n%s", name, err, complaints)
		}
	})
	answers := bufio.NewReader(out)
	return newJSClient(t, name, func(order string, args ...any) []byte {
		t.Helper()
		line, err := json.Marshal(append([]any{order}, args...))
		if err == nil {
			_, err = in.Write(append(line, '\n'))
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		answer, err := answers.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%s answers nothing: %v\n%s", name, err, complaints)
		}
		return answer
	})
}

// addresses returns those of hubs for WebSockets.
func addresses(hubs []*hub) (urls []string) {
	for _, h := range hubs {
		urls = append(urls, h.WS())
	}
	return urls
}

// startPageClient starts a client in a page of a browser, whose home is the first of hubs.
func startPageClient(t *testing.T, browser context.Context, name string, rooms []string, hubs ...*hub) (*jsClient, *browserTab) {
	t.Helper()
	return startPageClientAt(t, browser, name, rooms, addresses(hubs)...)
}

// startPageClientAt is startPageClient for hubs at any addresses.
func startPageClientAt(t *testing.T, browser context.Context, name string, rooms []string, urls ...string) (*jsClient, *browserTab) {
	t.Helper()
	files := httptest.NewServer(http.FileServer(http.Dir("../client/js")))
	t.Cleanup(files.Close)
	tab := browserOpen(t, browser, name, files.URL+"/testing/nemesis.html#"+url.PathEscape(jsOptions(t, name, rooms, nil, urls...)))
	tab.until("globalThis.driver")
	return newJSClient(t, name, func(order string, args ...any) []byte {
		t.Helper()
		list, err := json.Marshal(args)
		if err != nil || args == nil {
			list = []byte("[]")
		}
		return []byte(browserGet[string](tab, fmt.Sprintf("JSON.stringify(driver.%s(...%s) ?? null)", order, list)))
	}), tab
}

func newJSClient(t *testing.T, name string, call func(string, ...any) []byte) *jsClient {
	return &jsClient{t: t, name: name, call: call, rec: record{name: name}}
}

// take takes in what the client wrote down.
func (c *jsClient) take() jsState {
	c.t.Helper()
	var s jsState
	if err := json.Unmarshal(c.call("take"), &s); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	kinds := map[string]what{"opened": opened, "closed": closed, "sent": sent, "got": got, "made": made}
	for _, e := range s.Events {
		w, ok := kinds[e.What]
		switch {
		case ok:
			c.rec.events = append(c.rec.events, event{time.UnixMilli(e.At), w, e.Where, e.Frame})
		case e.What == "shown":
			c.shown = append(c.shown, e)
		default:
			c.t.Errorf("%s was told of %q in %s: %s", c.name, e.What, e.Room, e.Where)
		}
	}
	c.now = s
	return s
}

// isLive returns an error as long as the client is not subscribed to all its rooms.
func (c *jsClient) isLive() error {
	c.t.Helper()
	for room, r := range c.take().Rooms {
		if !r.Live {
			return fmt.Errorf("%s is not subscribed to %s: %s %s", c.name, room, c.now.State, c.now.Why)
		}
	}
	return nil
}

// cuts returns how many connections a client lost.
func (c *jsClient) cuts() (n int) {
	for _, e := range c.rec.events {
		if e.what == closed {
			n++
		}
	}
	return n
}

// rest returns an error as long as the client is not at the log's top, with an empty outbox.
func (c *jsClient) rest(room string, top uint64) error {
	c.t.Helper()
	s := c.take()
	r := s.Rooms[room]
	at, _ := protocol.ParsePosition(r.Position)
	switch {
	case s.Waiting > 0:
		return fmt.Errorf("%s: %d messages wait", c.name, s.Waiting)
	case !r.Live || at.Offset != top:
		return fmt.Errorf("%s is at %s of %s, live: %v, and its log ends at %d", c.name, r.Position, room, r.Live, top)
	}
	return nil
}

// settled returns an error as long as the client shows a message of the log without a position.
func (c *jsClient) settled(room string, log []stored) error {
	c.t.Helper()
	for _, id := range c.take().Rooms[room].IDs {
		if slices.ContainsFunc(log, func(s stored) bool { return s.id == id }) {
			return fmt.Errorf("%s still shows %s of %s without a position", c.name, id, room)
		}
	}
	return nil
}

// checkShown compares what the program was told with the log: each entry from the first that it was told of once, those
// with a position in the order of the log, its own as acknowledgements.
func (c *jsClient) checkShown(room string, log []stored) {
	c.t.Helper()
	positions := map[string]bool{} // that it was told
	ids := map[string]bool{}       // of messages that it was shown
	first, last := uint64(len(log)+1), uint64(0)
	for _, e := range c.shown {
		if e.Room != room {
			continue
		}
		at, _ := protocol.ParsePosition(e.Position)
		if e.ID != "" && !e.Again {
			if ids[e.ID] {
				c.t.Errorf("%s was shown %s of %s twice", c.name, e.ID, room)
			}
			ids[e.ID] = true
			if !at.IsZero() && at.Offset <= last {
				c.t.Errorf("%s was shown %v of %s after %d", c.name, at, room, last)
			}
			last = max(last, at.Offset)
		}
		if !at.IsZero() {
			positions[e.Position] = true
			first = min(first, at.Offset)
		}
	}
	for _, s := range log {
		text := s.at.String()
		if s.at.Offset < first {
			continue
		}
		if !positions[text] {
			c.t.Errorf("%s was not told of %s at %s of %s", c.name, s.id, text, room)
		}
		delete(positions, text)
		if own := strings.Contains(s.text, " "+c.name+" "); own == ids[s.id] {
			c.t.Errorf("%s was shown %s of %s: %v, its own: %v", c.name, s.id, room, ids[s.id], own)
		}
	}
	if len(positions) > 0 {
		c.t.Errorf("%s was told of positions that are not in the log of %s: %v", c.name, room, slices.Collect(maps.Keys(positions)))
	}
}
