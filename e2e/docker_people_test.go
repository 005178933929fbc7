//go:build docker && linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// dockerPerson is a client with a plain WebSocket in the lobby of one hub.
type dockerPerson struct {
	name string
	conn *websocket.Conn
	more chan struct{} // one slot: full when something came; sent by the reader, received by wait; never closed

	mu  sync.Mutex
	got []string // guarded by mu
}

// connect opens a WebSocket as the page of the hub does, and returns when the hub has heard it.
func (c *dockerCluster) connect(t *testing.T, hub, name string) *dockerPerson {
	t.Helper()
	page := c.ports[strings.Replace(hub, "hub", "client", 1)]
	conn, _, err := websocket.Dial(t.Context(), "ws://localhost:"+c.ports[hub]+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		HTTPHeader: http.Header{"Origin": {"http://localhost:" + page}},
	})
	if err != nil {
		t.Fatalf("connect %s: %v", name, err)
	}
	p := &dockerPerson{name: name, conn: conn, more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}) // closed by the reader; nothing is sent
	go func() {                  // ends with the connection, which the test's end cuts and waits for
		defer close(ended)
		p.read(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = conn.CloseNow() // the reader's end has closed it
	})
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatalf("ping as %s: %v", name, err)
	}
	return p
}

func (p *dockerPerson) read(ctx context.Context) {
	for {
		_, data, err := p.conn.Read(ctx)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.got = append(p.got, string(data))
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

// wait waits until n messages have come.
func (p *dockerPerson) wait(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		have := len(p.got)
		p.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-p.more:
		case <-ctx.Done():
			return fmt.Errorf("%s received %d of %d messages: %w", p.name, have, n, ctx.Err())
		}
	}
}

// exchange has three people on each hub talk to each other.
func (c *dockerCluster) exchange(t *testing.T, n int) {
	t.Helper()
	var people []*dockerPerson
	for _, hub := range []string{"hub1", "hub2"} {
		for i := range 3 {
			people = append(people, c.connect(t, hub, fmt.Sprintf("%s-%d", hub, i)))
		}
	}
	dockerTalk(t, people, n)
}

// dockerTalk has each of the people say n things at once with the others, then one more each, and checks that each
// received everything that the others said, in their order and once, and nothing else. What was sent twice comes before
// the last word of the hub that it was sent to, which is why there is one. It is for people who have heard nothing yet.
func dockerTalk(t *testing.T, people []*dockerPerson, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), dockerPatience)
	defer cancel()
	others := len(people) - 1
	for _, part := range [][2]int{{0, n}, {n, n + 1}} {
		dockerAll(t, people, func(p *dockerPerson) error {
			for i := part[0]; i < part[1]; i++ {
				if err := p.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "%s %d", p.name, i)); err != nil {
					return fmt.Errorf("send as %s: %w", p.name, err)
				}
			}
			return nil
		})
		dockerAll(t, people, func(p *dockerPerson) error { return p.wait(ctx, others*part[1]) })
	}
	dockerHeard(t, people, n+1)
}

// dockerHeard checks that each of the people has received the n things that each of the others said, in their order and
// once, and nothing else.
func dockerHeard(t *testing.T, people []*dockerPerson, n int) {
	t.Helper()
	others := len(people) - 1
	for _, p := range people {
		p.mu.Lock()
		got := slices.Clone(p.got)
		p.mu.Unlock()
		for _, q := range people {
			var want []string
			for i := range n {
				if q != p {
					want = append(want, fmt.Sprintf("%s %d", q.name, i))
				}
			}
			said := slices.DeleteFunc(slices.Clone(got), func(text string) bool { return !strings.HasPrefix(text, q.name+" ") })
			if !slices.Equal(said, want) {
				t.Errorf("%s received of %s %q, want %q", p.name, q.name, said, want)
			}
		}
		if want := others * n; len(got) != want {
			t.Errorf("%s received %d messages, want %d: %q", p.name, len(got), want, got)
		}
	}
}

// dockerAll does something for all people at once, and fails where one of them fails.
func dockerAll(t *testing.T, people []*dockerPerson, do func(*dockerPerson) error) {
	t.Helper()
	errs := make([]error, len(people))
	var all sync.WaitGroup
	for i, p := range people {
		all.Go(func() { errs[i] = do(p) }) // ends when do returns; waited for below
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
