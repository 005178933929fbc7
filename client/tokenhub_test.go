package client_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// tickets takes tokens of ada that are written as the time at which they end.
type tickets struct{}

func (tickets) Authenticate(token string) (hub.Identity, error) {
	end, err := time.Parse(time.RFC3339Nano, token)
	switch {
	case err != nil:
		return hub.Identity{}, errors.New("it is no token")
	case time.Now().After(end):
		return hub.Identity{}, hub.ErrTokenExpired
	}
	return hub.Identity{Subject: "ada", Name: "Ada", Expires: end}, nil
}

// TestTokensOfRealHub has a client whose tokens last for two seconds go on talking over a real hub, with
// nothing lost, first over one connection, and then with tokens that are fetched too late.
func TestTokensOfRealHub(t *testing.T) {
	h := hub.New(hub.Options{
		Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker(), Logs: memory.NewLogs(memory.LogOptions{}).Log(),
		Tokens: tickets{},
	})
	transport := ws.New(ws.Options{Hub: h})
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(transport)
	defer func() {
		err := transport.Shutdown(context.Background())
		server.Close()
		if err := errors.Join(err, h.Close()); err != nil {
			t.Error(err)
		}
	}()

	var fetched atomic.Int64
	late := make(chan struct{}) // closed by the test
	token := func(ctx context.Context) (string, error) {
		if n := fetched.Add(1); n > 1 {
			select {
			case <-late: // too late from now on
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return "", ctx.Err()
				}
			default:
			}
		}
		return time.Now().Add(2 * time.Second).Format(time.RFC3339Nano), nil
	}
	opts := []client.Option{client.WithToken(token), client.WithBackoff(time.Millisecond, 10*time.Millisecond)}
	ada, err := client.Dial(t.Context(), server.URL, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer ada.Close()
	bob, err := client.Dial(t.Context(), server.URL, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	room, err := bob.Join(t.Context(), "lobby")
	if err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull2(room.Messages(t.Context()))
	defer stop()
	n := 0
	talkUntil := func(tokens int64) {
		for ; fetched.Load() < tokens; n++ {
			if _, err := ada.Publish(t.Context(), "lobby", protocol.Text, fmt.Append(nil, n)); err != nil {
				t.Fatal(err)
			}
			if m, err, ok := next(); !ok || err != nil || string(m.Data) != fmt.Sprint(n) || m.From.Name != "Ada" {
				t.Fatalf("got %q of %q, %v, want %d", m.Data, m.From.Name, err, n)
			}
		}
	}
	talkUntil(6)
	if n := transport.Stats().Closed; len(n) > 0 {
		t.Errorf("connections were closed: %v", n)
	}
	close(late)
	talkUntil(10)
	if n := transport.Stats().Closed[4005]; n == 0 {
		t.Error("no connection was closed as its token had ended")
	}

	if _, err := client.Dial(t.Context(), server.URL); !errors.Is(err, client.ErrToken) || !errors.Is(err, client.ErrRefused) {
		t.Errorf("without a token: %v", err)
	}
	past := func(context.Context) (string, error) {
		return time.Now().Add(-time.Second).Format(time.RFC3339Nano), nil
	}
	if _, err := client.Dial(t.Context(), server.URL, client.WithToken(past)); !errors.Is(err, client.ErrToken) || !errors.Is(err, client.ErrRefused) {
		t.Errorf("with a token that has ended: %v", err)
	}
}
