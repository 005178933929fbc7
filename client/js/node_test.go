//go:build !short

package js

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/soumya-codes/realtime-hub/internal/broker/memory"
	"github.com/soumya-codes/realtime-hub/internal/hub"
	"github.com/soumya-codes/realtime-hub/internal/ws"
)

// TestNode runs the tests that are written in JavaScript, with real hubs where they ask for some.
func TestNode(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	hubs := strings.Join(startHubs(t, 2), " ")
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".test.js")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", append(nodeFlags(t), "--test", "--test-reporter=spec", file.Name())...)
			cmd.Env = append(os.Environ(), "HUBS="+hubs)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", cmd, err, out)
			}
			if !strings.Contains(string(out), "ℹ fail 0\n") || strings.Contains(string(out), "ℹ pass 0\n") {
				t.Errorf("%s: no tests passed:\n%s", cmd, out)
			}
		})
	}
}

// nodeFlags returns what Node needs to be told to have WebSockets: nothing from version 22 on.
func nodeFlags(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("node", "-p", "typeof WebSocket").CombinedOutput()
	if err != nil {
		t.Fatalf("this test needs Node 20.10 or later: %v\n%s", err, out)
	}
	if strings.TrimSpace(string(out)) == "function" {
		return nil
	}
	return []string{"--experimental-websocket"}
}

// startHubs starts hubs that share the logs of their rooms, and returns where they listen.
func startHubs(t *testing.T, n int) (urls []string) {
	t.Helper()
	logs, bus := memory.NewLogs(memory.LogOptions{}), memory.NewBus(memory.Options{})
	for i := range n {
		h := hub.New(hub.Options{Name: fmt.Sprint("hub", i+1), Broker: bus.Broker(), Logs: logs.Log()})
		transport := ws.New(ws.Options{Hub: h})
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(transport)
		urls = append(urls, "ws://"+server.Listener.Addr().String()+"/ws")
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			err := transport.Shutdown(ctx)
			server.Close()
			if err := errors.Join(err, h.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	return urls
}
