package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/soumya-codes/realtime-hub/client"
	"github.com/soumya-codes/realtime-hub/protocol"
)

// Two clients meet in a room. The address of a HubServer is written like http://127.0.0.1:8081.
func Example() {
	address, stop := startHub()
	defer stop()
	ctx := context.Background()

	ada, err := client.Dial(ctx, address, client.WithName("Ada"))
	if err != nil {
		log.Fatal(err)
	}
	defer ada.Close()
	bob, err := client.Dial(ctx, address, client.WithName("Bob"))
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close()

	lobby, err := bob.Join(ctx, "lobby")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := ada.Publish(ctx, "lobby", protocol.Text, []byte("Hello, everybody")); err != nil {
		log.Fatal(err)
	}
	for m, err := range lobby.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s says in the %s: %s\n", m.From.Name, m.Room, m.Data)
		break
	}
	// Output: Ada says in the lobby: Hello, everybody
}

// A program that reads too slowly is told what it missed, and goes on.
func ExampleRoom_Messages() {
	address, stop := startHub()
	defer stop()
	ctx := context.Background()

	slow, err := client.Dial(ctx, address, client.WithBuffer(1)) // a single message always has room
	if err != nil {
		log.Fatal(err)
	}
	defer slow.Close()
	news, err := slow.Join(ctx, "news")
	if err != nil {
		log.Fatal(err)
	}

	fast, err := client.Dial(ctx, address)
	if err != nil {
		log.Fatal(err)
	}
	defer fast.Close()
	// The slow one publishes something as well, whose acknowledgement comes after the messages.
	for _, from := range []*client.Client{fast, fast, fast, slow} {
		if _, err := from.Publish(ctx, "news", protocol.JSON, []byte(`{"temperature": 21}`)); err != nil {
			log.Fatal(err)
		}
	}

	for m, err := range news.Messages(ctx) {
		if gap, ok := errors.AsType[*client.Gap](err); ok {
			fmt.Println("missed:", gap.Dropped) // gap.Away says for how long the connection was lost
			continue
		}
		if err != nil {
			log.Fatal(err) // the hub does not want us any more
		}
		fmt.Printf("%s: %s\n", m.Kind, m.Data)
		break
	}
	// Output:
	// missed: 2
	// json: {"temperature": 21}
}

// What went wrong tells whether to publish again.
func ExampleClient_Publish() {
	address, stop := startHub()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Publish(ctx, "not a room", protocol.Text, []byte("hi"))
	refused, ok := errors.AsType[*client.Refused](err)
	switch {
	case err == nil:
		fmt.Println("the hub took it")
	case ok:
		fmt.Println("refused:", refused.Message+";", refused.Fix)
	case errors.Is(err, client.ErrUnknown):
		fmt.Println("it may have arrived, or not")
	case errors.Is(err, client.ErrBusy):
		fmt.Println("not now:", err)
	default:
		fmt.Println("not sent:", err)
	}
	// Output: refused: the name of the room has " " at byte 3; a room's name is 1 to 128 of A-Z a-z 0-9 . _ : -
}

// A client of two hubs is at the second while the first is down, and the same client there.
func ExampleWithHubs() {
	second, stop := startHub()
	defer stop()
	ctx := context.Background()
	const first = "http://127.0.0.1:1" // where nobody listens
	c, err := client.Dial(ctx, first, client.WithHubs(second), client.WithName("Ada"))
	if err != nil {
		log.Fatal(err) // client.ErrUnreachable: neither of them is there
	}
	defer c.Close()
	room, err := c.Join(ctx, "lobby")
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range room.People().List {
		fmt.Println(p.Name, "is there")
	}
	// Output: Ada is there
}

// A token that lasts an hour is read from a file which somebody else renews.
func ExampleWithToken() {
	address, stop := startHub()
	defer stop()
	c, err := client.Dial(context.Background(), address, client.WithToken(func(context.Context) (string, error) {
		token, err := os.ReadFile("token")
		return strings.TrimSpace(string(token)), err
	}))
	switch {
	case err == nil:
		defer c.Close()
		fmt.Println("let in")
	case errors.Is(err, client.ErrToken):
		fmt.Println("no token:", err)
	case errors.Is(err, client.ErrUnreachable):
		fmt.Println("try again later:", err)
	}
}
