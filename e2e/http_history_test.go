package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// chapter is one answer of GET /v1/rooms/{room}/messages.
type chapter struct {
	Messages []pastMessage `json:"messages"`
	Next     *string       `json:"next"`
	Reset    bool          `json:"reset"`
	Orphans  int           `json:"orphans"`
}

// pastMessage is one message in it.
type pastMessage struct {
	ID       string          `json:"id"`
	Position string          `json:"position"`
	Time     string          `json:"time"`
	From     protocol.Client `json:"from"`
	Hub      string          `json:"hub"`
	Kind     string          `json:"kind"`
	Data     json.RawMessage `json:"data"`
}

// history asks for a chapter, and fails the test where it is not one. The query may be "".
func (h *hub) history(room, query string) (c chapter) {
	h.tb.Helper()
	status, body, err := get(h.URL() + "/v1/rooms/" + room + "/messages?" + query)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil {
		h.tb.Fatalf("history of %q with %q: %v", room, query, err)
	}
	return c
}

// refusedHistory returns status and problem of a chapter that is refused.
func (h *hub) refusedHistory(room, query string) (int, problemDoc) {
	h.tb.Helper()
	r, err := http.NewRequestWithContext(h.tb.Context(), "GET", h.URL()+"/v1/rooms/"+room+"/messages?"+query, nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	return ask(h.tb, r)
}

// texts returns the messages, which must be texts.
func (c chapter) texts(tb testing.TB) []string {
	tb.Helper()
	all := []string{}
	for _, m := range c.Messages {
		var text string
		if err := json.Unmarshal(m.Data, &text); err != nil || m.Kind != "text" {
			tb.Fatalf("message %+v: %v", m, err)
		}
		all = append(all, text)
	}
	return all
}

// last returns where the next chapter begins.
func (c chapter) last(tb testing.TB) string {
	tb.Helper()
	if c.Next == nil {
		tb.Fatalf("there is no next chapter after %+v", c)
	}
	return *c.Next
}

func afterQuery(position string, more ...string) string {
	return strings.Join(append([]string{"after=" + url.QueryEscape(position)}, more...), "&")
}

// expectChapter fails the test where c has other messages, oldest first, or says that any are missing.
func expectChapter(t *testing.T, what string, c chapter, texts ...string) {
	t.Helper()
	if got := c.texts(t); !slices.Equal(got, texts) || c.Reset || c.Orphans != 0 {
		t.Errorf("%s: %q, reset %v, orphans %d; want %q", what, got, c.Reset, c.Orphans, texts)
	}
}

// numbered returns n texts, the first of which is number first.
func numbered(first, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint("message ", first+i))
	}
	return all
}

// TestHTTPHistory pages through a room.
func TestHTTPHistory(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	if c := h.history("news", ""); len(c.Messages) != 0 || c.Next != nil || c.Reset || c.Orphans != 0 {
		t.Errorf("of a room without a log: %+v", c)
	}
	var stored []posted
	for _, text := range numbered(1, 120) {
		stored = append(stored, accepted(t, post(t, h, "news", "", text), protocol.ScopeCluster))
	}

	newest := h.history("news", "")
	expectChapter(t, "the newest", newest, numbered(71, 50)...)
	expectChapter(t, "the newest three", h.history("news", "limit=3"), numbered(118, 3)...)
	all := h.history("news", "limit=1000")
	expectChapter(t, "all", all, numbered(1, 120)...)
	for i, m := range all.Messages {
		if m.ID != stored[i].ID || m.Position != stored[i].Position || m.From.ID == "" || m.Hub != h.Ready().Hub {
			t.Errorf("%+v was published as %+v", m, stored[i])
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", m.Time); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("time %q: %v", m.Time, err)
		}
	}
	if newest.last(t) != all.last(t) || all.last(t) != stored[119].Position {
		t.Errorf("next is %q and %q, the last message is at %q", newest.last(t), all.last(t), stored[119].Position)
	}

	at, seen := stored[9].Position, 10
	for n := range 3 {
		c := h.history("news", afterQuery(at, "limit=30"))
		expectChapter(t, fmt.Sprint("chapter ", n), c, numbered(seen+1, 30)...)
		at, seen = c.last(t), seen+30
	}
	c := h.history("news", afterQuery(at, "limit=30"))
	expectChapter(t, "the last chapter", c, numbered(101, 20)...)
	end := h.history("news", afterQuery(c.last(t)))
	expectChapter(t, "behind the end", end)
	if end.last(t) != c.last(t) {
		t.Errorf("next is %q behind %q, where nothing was published", end.last(t), c.last(t))
	}
	accepted(t, post(t, h, "news", "", "message 121"), protocol.ScopeCluster)
	expectChapter(t, "what came since", h.history("news", afterQuery(end.last(t))), "message 121")
}

// TestHTTPHistoryKinds has messages of all kinds come back as they were.
func TestHTTPHistoryKinds(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	c := dialV1(t, h, "Ada")
	c.publish("news", "<b>")
	c.expectAck("news")
	accepted(t, post(t, h, "news", "application/json", `{"a": [1, "<"]}`), protocol.ScopeCluster)
	accepted(t, post(t, h, "news", "image/png", "\x00\xff"), protocol.ScopeCluster)
	got := h.history("news", "").Messages
	if len(got) != 3 {
		t.Fatalf("got %+v", got)
	}
	for i, want := range []pastMessage{
		{Kind: "text", Data: json.RawMessage(`"<b>"`), From: protocol.Client{Name: "Ada"}},
		{Kind: "json", Data: json.RawMessage(`{"a": [1, "<"]}`)},
		{Kind: "binary", Data: json.RawMessage(`"AP8="`)},
	} {
		m := got[i]
		if m.Kind != want.Kind || !sameJSON(t, m.Data, want.Data) || m.From.Name != want.From.Name {
			t.Errorf("got %+v with the data %s, want %+v with %s", m, m.Data, want, want.Data)
		}
	}
}

// sameJSON reports whether two texts are the same value.
func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	var values [2]any
	if err := errors.Join(json.Unmarshal(a, &values[0]), json.Unmarshal(b, &values[1])); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(values[0], values[1])
}

// TestHTTPHistoryReset asks for what is not kept any more, and for what another log had.
func TestHTTPHistoryReset(t *testing.T) {
	t.Parallel()
	h := startHub(t, "--config", writeConfig(t, `rooms: [{match: "short", history: 5}]`))
	var stored []posted
	for _, text := range numbered(1, 20) {
		stored = append(stored, accepted(t, post(t, h, "short", "", text), protocol.ScopeCluster))
	}
	expectChapter(t, "more than there is", h.history("short", "limit=10"), numbered(16, 5)...)
	expectChapter(t, "all that is kept", h.history("short", afterQuery(stored[14].Position)), numbered(16, 5)...)
	for what, position := range map[string]string{
		"trimmed":     stored[9].Position,
		"another log": "ANOTHERLOG:3",
		"beyond":      strings.Replace(stored[19].Position, ":20", ":21", 1),
	} {
		c := h.history("short", afterQuery(position, "limit=3"))
		if got := c.texts(t); !slices.Equal(got, numbered(16, 3)) || !c.Reset || c.Orphans != 0 {
			t.Errorf("%s: %q, reset %v, orphans %d", what, got, c.Reset, c.Orphans)
		}
		expectChapter(t, what+", the next chapter", h.history("short", afterQuery(c.last(t))), numbered(19, 2)...)
	}
	if c := h.history("nobody", afterQuery(stored[9].Position)); len(c.Messages) != 0 || c.Next != nil || !c.Reset {
		t.Errorf("of a room without a log: %+v", c)
	}
}

// TestHTTPHistoryRefusals asks for what no room has.
func TestHTTPHistoryRefusals(t *testing.T) {
	t.Parallel()
	h := startHub(t)
	accepted(t, post(t, h, "news", "", "hi"), protocol.ScopeCluster)
	for query, code := range map[string]string{
		"limit=0":                             "bad_query",
		"limit=1001":                          "bad_query",
		"limit=-1":                            "bad_query",
		"limit=many":                          "bad_query",
		"limit=99999999999999999999":          "bad_query",
		"limit=%":                             "bad_query",
		"after=nowhere":                       "bad_position",
		"after=e:":                            "bad_position",
		"after=:1":                            "bad_position",
		"after=e:-1":                          "bad_position",
		"after=e:1x":                          "bad_position",
		"after=e:99999999999999999999":        "bad_position",
		afterQuery(strings.Repeat("e", 9000)): "bad_position",
	} {
		if status, p := h.refusedHistory("news", query); status != http.StatusBadRequest || p.Code != code {
			t.Errorf("%.40q: status %d, %+v", query, status, p)
		}
	}
}
