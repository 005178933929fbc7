//go:build !short

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/web"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// A real hub does not refuse without cause, nor send nonsense. What the page makes of that is tested with a hub that
// does as each test says; what a real hub does is tested with one.

// browserHub is a hub that says what a test has it say.
type browserHub struct {
	t        *testing.T
	server   *httptest.Server
	sessions chan *browserSession // sent by the handler, received by the test; holds all that a test opens; not closed
	opened   atomic.Int64
	forgets  atomic.Bool // take everybody for a new client
	name     string
}

// browserSession is one connection to it, after its hello was answered.
type browserSession struct {
	t      *testing.T
	conn   *websocket.Conn
	hello  *protocol.Frame
	frames chan *protocol.Frame // sent by the handler, received by the test; closed by the handler as it ends
	silent *atomic.Bool         // leave pings unanswered
}

func browserNewHub(t *testing.T, name string) *browserHub {
	t.Helper()
	h := &browserHub{t: t, name: name, sessions: make(chan *browserSession, 64)}
	h.server = httptest.NewServer(h)
	t.Cleanup(h.server.Close)
	return h
}

// ServeHTTP answers hello and, unless told otherwise, pings; it hands the other frames to the test.
func (h *browserHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol.SubprotocolV1}, InsecureSkipVerify: true, // the Origin is not this test's matter
	})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	n := h.opened.Add(1)
	s := &browserSession{t: h.t, conn: conn, frames: make(chan *protocol.Frame, 1024), silent: new(atomic.Bool)}
	defer close(s.frames)
	for first := true; ; first = false {
		_, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		f, err := protocol.DecodeFrame(text)
		switch {
		case err != nil:
			h.t.Errorf("the page sent a malformed frame: %v", err)
			return
		case first:
			if f.Type != protocol.TypeHello {
				h.t.Errorf("the page's first frame is %q", f.Type)
			}
			client := &protocol.Credentials{ID: fmt.Sprint("me", n), Secret: fmt.Sprint("secret", n)}
			if f.Client != nil && !h.forgets.Load() {
				client = f.Client
			}
			s.hello = f
			s.send(fmt.Sprintf(`{"type":"welcome","client":{"id":%q,"secret":%q},"session":"%d","hub":%q,"time":%q}`,
				client.ID, client.Secret, n, h.name, protocol.FormatTime(time.Now())))
			s.send(`{"type":"status","isolated":false}`)
			h.sessions <- s
		case f.Type == protocol.TypePing:
			if !s.silent.Load() {
				s.send(fmt.Sprintf(`{"type":"pong","time":%q}`, protocol.FormatTime(time.Now())))
			}
		default:
			s.frames <- f
		}
	}
}

// next returns the next session that the page opens.
func (h *browserHub) next() *browserSession {
	h.t.Helper()
	select {
	case s := <-h.sessions:
		return s
	case <-time.After(browserPatience):
		h.t.Fatal("the page did not connect")
		return nil
	}
}

// send sends text as it is.
func (s *browserSession) send(text string) {
	if err := s.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		s.t.Logf("send to the page: %v", err) // a test that cut the connection expects it
	}
}

// message sends a message of somebody else; data is JSON.
func (s *browserSession) message(room, id, hub, kind, data string) {
	s.send(fmt.Sprintf(`{"type":"message","room":%q,"id":%q,"from":{"id":"x1","name":"Grace"},"hub":%q,"time":%q,`+
		`"kind":%q,"data":%s}`, room, id, hub, protocol.FormatTime(time.Now()), kind, data))
}

// await returns the next frame of that type, leaving out those before it.
func (s *browserSession) await(frameType string) *protocol.Frame {
	s.t.Helper()
	for {
		select {
		case f, ok := <-s.frames:
			if !ok {
				s.t.Fatalf("the page went away before it sent %q", frameType)
			}
			if f.Type == frameType {
				return f
			}
		case <-time.After(browserPatience):
			s.t.Fatalf("the page did not send %q", frameType)
		}
	}
}

// browserPage serves the chat page for hubs on a loopback address, and returns where.
func browserPage(t *testing.T, hubs ...string) string {
	t.Helper()
	handler, err := web.New(web.Options{Hubs: hubs, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBrowserScripted(t *testing.T) {
	t.Parallel()
	browser := browserStart(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"refused":     browserTestRefused,
		"nonsense":    browserTestNonsense,
		"unanswered":  browserTestUnanswered,
		"error":       browserTestError,
		"kinds":       browserTestKinds,
		"bye":         browserTestBye,
		"silent hub":  browserTestSilentHub,
		"second hub":  browserTestSecondHub,
		"unreachable": browserTestUnreachable,
		"isolated":    browserTestIsolated,
		"rooms":       browserTestRooms,
		"list":        browserTestList,
		"reload":      browserTestReload,
		"keys":        browserTestKeys,
		"days":        browserTestDays,
		"gap":         browserTestGap,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

// browserConnected opens a page on a new hub and connects it. The lobby is a live room, as far as it is told.
func browserConnected(t *testing.T, browser context.Context) (*browserHub, *browserTab, *browserSession) {
	t.Helper()
	hub := browserNewHub(t, "hub1")
	tab := browserOpen(t, browser, "page", browserPage(t, hub.server.URL))
	tab.connect()
	session := hub.next()
	session.send(`{"type":"there","room":"lobby","people":[],"count":1,"log":false}`)
	return hub, tab, session
}
