package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/problem"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// passes takes tokens that are written SUBJECT LIFE, and count from when they are shown.
type passes struct{}

func (passes) Authenticate(token string) (hub.Identity, error) {
	subject, rest, _ := strings.Cut(token, " ")
	life, err := time.ParseDuration(rest)
	switch {
	case err != nil:
		return hub.Identity{}, errors.New("it is no token")
	case life < 0:
		return hub.Identity{}, fmt.Errorf("%w a while ago", hub.ErrTokenExpired)
	}
	return hub.Identity{Subject: subject, Expires: time.Now().Add(life)}, nil
}

func startClosedHub(t *testing.T, o ws.Options) *testHub {
	t.Helper()
	j := newLogs()
	j.tokens = passes{}
	return startHub(t, j, "hub1", o)
}

func TestTokenInHello(t *testing.T) {
	h := startClosedHub(t, ws.Options{})
	for _, tt := range []struct {
		token, code string
		closed      protocol.Code
	}{
		{"", protocol.ErrBadToken, protocol.CodeBadToken},
		{"what", protocol.ErrBadToken, protocol.CodeBadToken},
		{"ada -1s", protocol.ErrTokenExpired, protocol.CodeExpired},
	} {
		c := dial(t, h, "", []string{protocol.SubprotocolV1})
		c.send(&protocol.Frame{Type: protocol.TypeHello, Token: tt.token})
		if f := c.want(protocol.TypeError); f.Code != tt.code || f.Message == "" || f.Fix == "" {
			t.Errorf("token %q: %+v", tt.token, f)
		}
		c.wantClose(tt.closed)
	}
	c := dial(t, h, "", []string{protocol.SubprotocolV1})
	c.send(&protocol.Frame{Type: protocol.TypeHello, Token: "ada 1h"})
	f := c.want(protocol.TypeWelcome)
	end, err := time.Parse(time.RFC3339, f.Expires)
	if left := time.Until(end); err != nil || left < 59*time.Minute || left > time.Hour {
		t.Errorf("the token ends at %q", f.Expires)
	}
	open := startHub(t, newLogs(), "hub2", ws.Options{})
	c = dial(t, open, "", []string{protocol.SubprotocolV1})
	c.send(&protocol.Frame{Type: protocol.TypeHello, Token: "what"})
	if f := c.want(protocol.TypeWelcome); f.Expires != "" {
		t.Errorf("an open hub says that the token ends at %q", f.Expires)
	}
}

// TestTokenEnds has sessions whose token ends: silent ones and busy ones, of both subprotocols, closed in time.
func TestTokenEnds(t *testing.T) {
	const life = 300 * time.Millisecond
	h := startClosedHub(t, ws.Options{PingInterval: time.Hour})
	since := time.Now()
	silent := dial(t, h, "", []string{protocol.SubprotocolV1})
	silent.send(&protocol.Frame{Type: protocol.TypeHello, Token: "ada " + life.String()})
	busy := dial(t, h, "", []string{protocol.SubprotocolV1})
	busy.send(&protocol.Frame{Type: protocol.TypeHello, Token: "bob " + life.String()})
	plain, err := dialBearer(t, h, "dan "+life.String())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}) // closed by the goroutine
	go func() {                  // ends when the connection does, or with the deadline of a write
		defer close(ended)
		for {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err := busy.nc.Write(ctx, websocket.MessageText, []byte(`{"type":"ping"}`))
			cancel()
			if err != nil {
				return
			}
		}
	}()
	for _, c := range []*client{silent, busy, plain} {
		c.wantClose(protocol.CodeExpired)
	}
	<-ended
	if d := time.Since(since); d < life {
		t.Errorf("closed after %v", d)
	}
}

// TestTokenRenewed has a session bring other tokens: it lasts as long as the last of them, which must be for the same
// subject.
func TestTokenRenewed(t *testing.T) {
	h := startClosedHub(t, ws.Options{PingInterval: time.Hour})
	c := dial(t, h, "", []string{protocol.SubprotocolV1})
	say := func(token, name string) { c.send(&protocol.Frame{Type: protocol.TypeHello, Token: token, Name: name}) }
	say("ada 500ms", "Ada")
	first := c.want(protocol.TypeWelcome)
	c.want(protocol.TypeStatus)
	c.join("r")
	c.want(protocol.TypeSubscribed)
	say("", "Adele")  // changes the name, and nothing else
	say("ada 1h", "") // and this not the name
	again := c.want(protocol.TypeWelcome)
	if *again.Client != *first.Client || again.Session != first.Session || again.Expires <= first.Expires {
		t.Errorf("welcomed by %+v and then by %+v", first, again)
	}
	for over := mustParse(t, first.Expires).Add(100 * time.Millisecond); time.Now().Before(over); {
		c.send(&protocol.Frame{Type: protocol.TypePing})
		c.want(protocol.TypePong)
	}
	if there := c.join("r"); len(there.People) != 1 || there.People[0].Name != "Adele" {
		t.Errorf("people %+v", there.People)
	}
	say("ada 100ms", "Adele")
	c.want(protocol.TypeWelcome)
	c.wantClose(protocol.CodeExpired)

	for token, code := range map[string]protocol.Code{
		"bob 1h": protocol.CodeBadToken, "what": protocol.CodeBadToken, "ada -1s": protocol.CodeExpired,
	} {
		c = dial(t, h, "", []string{protocol.SubprotocolV1})
		say("ada 1h", "")
		c.want(protocol.TypeWelcome)
		c.want(protocol.TypeStatus)
		say(token, "")
		c.want(protocol.TypeError)
		c.wantClose(code)
	}
}

func mustParse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestClientOfAnotherSubject shows a client's credentials with the token of another subject: it is a new client, and the
// first one's session goes on.
func TestClientOfAnotherSubject(t *testing.T) {
	h := startClosedHub(t, ws.Options{})
	hello := func(token string, who *protocol.Credentials) (*client, *protocol.Credentials) {
		c := dial(t, h, "", []string{protocol.SubprotocolV1})
		c.send(&protocol.Frame{Type: protocol.TypeHello, Token: token, Client: who})
		got := c.want(protocol.TypeWelcome).Client
		c.want(protocol.TypeStatus)
		return c, got
	}
	ada, adas := hello("ada 1h", nil)
	for _, subject := range []string{"bob", "ad", "adaa"} {
		if _, got := hello(subject+" 1h", adas); got.ID == adas.ID {
			t.Errorf("%s was taken for ada's client", subject)
		}
	}
	ada.send(&protocol.Frame{Type: protocol.TypePing})
	ada.want(protocol.TypePong)
	if _, got := hello("ada 2h", adas); *got != *adas {
		t.Errorf("ada came back as %s, and was %s", got.ID, adas.ID)
	}
	ada.wantClose(protocol.CodeDisplaced)
}

func TestTokenOfPlain(t *testing.T) {
	h := startClosedHub(t, ws.Options{})
	for token, code := range map[string]string{
		"": protocol.ErrTokenRequired, "what": protocol.ErrBadToken, "ada -1s": protocol.ErrTokenExpired,
	} {
		var p problem.Problem
		_, err := dialBearer(t, h, token)
		if err == nil || json.Unmarshal([]byte(err.Error()), &p) != nil || p.Status != 401 || p.Code != code || p.Fix == "" {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if n := h.Stats().Rooms; n != 0 {
		t.Errorf("%d rooms are left of those who were refused", n)
	}
	ada, err := dialBearer(t, h, "ada 1h")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := dialBearer(t, h, "bob 1h")
	if err != nil {
		t.Fatal(err)
	}
	ada.write(websocket.MessageText, []byte("hi"))
	if got := bob.text(); got != "hi" {
		t.Errorf("got %q", got)
	}
}

// dialBearer opens a plain session with a token. The error is the body of the answer.
func dialBearer(t *testing.T, h *testHub, token string) (*client, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "bearer "+token)
	}
	nc, answer, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.http.URL, "http")+"/ws",
		&websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		var body strings.Builder
		if answer != nil && answer.Header.Get("WWW-Authenticate") == "Bearer" {
			_, _ = io.Copy(&body, answer.Body)
		}
		return nil, errors.New(body.String())
	}
	t.Cleanup(func() { _ = nc.CloseNow() })
	return &client{t: t, nc: nc}, nil
}

// TestStreamWithToken has streams that are refused, and one that ends with its token, and says so.
func TestStreamWithToken(t *testing.T) {
	const life = 300 * time.Millisecond
	h := startClosedHub(t, ws.Options{PingInterval: time.Hour})
	stream := func(token string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.http.URL+"/v1/rooms/r/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	for token, code := range map[string]string{
		"": protocol.ErrTokenRequired, "what": protocol.ErrBadToken, "ada -1s": protocol.ErrTokenExpired,
	} {
		var p problem.Problem
		answer := stream(token)
		if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || answer.StatusCode != 401 || p.Code != code {
			t.Errorf("token %q: status %d, %+v, %v", token, answer.StatusCode, p, err)
		}
	}
	since := time.Now()
	answer := stream("ada " + life.String())
	body, err := io.ReadAll(answer.Body)
	if d := time.Since(since); err != nil || answer.StatusCode != 200 || d < life || !strings.Contains(string(body), "closed with 4005") {
		t.Errorf("status %d, %q after %v, %v", answer.StatusCode, body, d, err)
	}
}
