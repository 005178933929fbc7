package client_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/client"
)

// readme is the example of README.md, to the letter but for the hub's address.
func readme(ctx context.Context, address string, check func(error)) {
	c, err := client.Dial(ctx, address, client.WithName("Ada"))
	check(err)
	defer c.Close()
	room, err := c.Join(ctx, "lobby")
	check(err)
	_, err = room.Send(ctx, "hello from Go")
	check(err)
	for m, err := range room.Messages(ctx) {
		fmt.Println(m.From.Name, string(m.Data), err) // err: a *client.Gap where messages are missing, or why it ends
	}
}

// TestReadme keeps the example of README.md compiling, and true: it runs against a real hub, where somebody hears it.
func TestReadme(t *testing.T) {
	if want, got := exampleInReadme(t), bodyOfReadme(t); got != want {
		t.Errorf("README.md has another example than this file:\n%s\nand not\n%s", want, got)
	}

	address, stop := startHub()
	defer stop()
	bob, err := client.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	lobby, err := bob.Join(t.Context(), "lobby")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{}) // closed by the goroutine, which ends with ctx; received below
	go func() {
		defer close(ended)
		readme(ctx, address, func(err error) {
			if err != nil && ctx.Err() == nil { // otherwise it may have waited for the acknowledgement
				t.Errorf("the example ended with %v", err)
			}
			if err != nil {
				runtime.Goexit()
			}
		})
	}()
	for m, err := range lobby.Messages(t.Context()) {
		if err != nil || m.From.Name != "Ada" || string(m.Data) != "hello from Go" {
			t.Errorf("got %+v, %v", m, err)
		}
		break
	}
	cancel()
	<-ended
}

// exampleInReadme returns the block of Go in README.md.
func exampleInReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "```go\n"); n != 1 {
		t.Fatalf("README.md has %d blocks of Go, and this test knows one", n)
	}
	_, rest, _ := strings.Cut(string(text), "```go\n")
	block, _, _ := strings.Cut(rest, "```")
	return block
}

// bodyOfReadme returns the body of the function readme as it stands in README.md.
func bodyOfReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nfunc readme(ctx context.Context, address string, check func(error)) {\n")
	body, _, _ := strings.Cut(rest, "\n}\n")
	body = strings.ReplaceAll("\n"+body+"\n", "\n\t", "\n")[1:]
	return strings.Replace(body, "Dial(ctx, address,", `Dial(ctx, "http://localhost:8081",`, 1)
}
