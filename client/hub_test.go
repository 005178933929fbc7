package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// startHub starts a real hub in this process, and returns its address and what stops it.
func startHub() (address string, stop func()) {
	server, stop := startHubOn(httptest.NewServer)
	return server.URL, stop
}

// startHubOn starts a hub behind a server that listen makes.
func startHubOn(listen func(http.Handler) *httptest.Server) (server *httptest.Server, stop func()) {
	h := hub.New(hub.Options{Name: "hub1", Broker: memory.NewBus(memory.Options{}).Broker()})
	transport := ws.New(ws.Options{Hub: h})
	if err := h.Start(context.Background()); err != nil {
		panic(err)
	}
	server = listen(transport)
	return server, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := transport.Shutdown(ctx)
		server.Close()
		if err := errors.Join(err, h.Close()); err != nil {
			panic(err)
		}
	}
}

// TestRealHub has several clients publish at the same time: each sees what the others publish once and in the order of
// each, and nothing of its own.
func TestRealHub(t *testing.T) {
	address, stop := startHub()
	defer stop()
	const clients, messages = 5, 100
	rooms := make([]*client.Room, clients)
	for i := range rooms {
		c, err := client.Dial(t.Context(), address, client.WithName(strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if rooms[i], err = c.Join(t.Context(), "lobby"); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i, room := range rooms {
		all.Go(func() {
			for n := range messages {
				if _, err := room.Send(t.Context(), strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			if err := readAll(t.Context(), room, strconv.Itoa(i), (clients-1)*messages); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// TestJoinAfterGivingUp gives up joins at every moment and then joins: what is published after the join arrives.
func TestJoinAfterGivingUp(t *testing.T) {
	address, stop := startHub()
	defer stop()
	reader, err := client.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer, err := client.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for n := range 100 { // a hub lets one session join 300 times in a row
		ctx, cancel := context.WithCancel(t.Context())
		given := make(chan struct{}) // closed by the goroutine
		go func() {                  // ends with ctx, or when the hub has answered; waited for below
			defer close(given)
			_, _ = reader.Join(ctx, "lobby") // given up, or just in time
		}()
		if n%2 == 0 { // let it be sent
			if _, err := reader.Publish(t.Context(), "elsewhere", protocol.Text, nil); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		<-given
		room, err := reader.Join(t.Context(), "lobby")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Publish(t.Context(), "lobby", protocol.Text, []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
		for m, err := range room.Messages(t.Context()) {
			if err != nil || string(m.Data) != strconv.Itoa(n) {
				t.Fatalf("got %q, %v, want %d", m.Data, err, n)
			}
			break
		}
		room.Leave()
	}
}

func TestTLS(t *testing.T) {
	server, stop := startHubOn(httptest.NewTLSServer)
	defer stop()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that is to fail
	_, err := client.Dial(t.Context(), server.URL)
	if !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	authorities := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c, err := client.Dial(t.Context(), server.URL, client.WithTLS(&tls.Config{RootCAs: authorities}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	room, err := c.Join(t.Context(), "lobby")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := room.Publish(t.Context(), protocol.Binary, []byte{0, 255}); err != nil {
		t.Error(err)
	}
}

// readAll reads n messages, of which none is of own, and returns an error where one is not the next of its publisher.
func readAll(ctx context.Context, room *client.Room, own string, n int) error {
	next := make(map[string]int)
	for m, err := range room.Messages(ctx) {
		if err != nil {
			return err
		}
		if m.From.Name == own || string(m.Data) != strconv.Itoa(next[m.From.Name]) {
			return fmt.Errorf("got %q of %s, and expected %d", m.Data, m.From.Name, next[m.From.Name])
		}
		next[m.From.Name]++
		if n--; n == 0 {
			return nil
		}
	}
	return ctx.Err()
}
