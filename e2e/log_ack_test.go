//go:build unix && !short

package e2e

import (
	"fmt"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestPublishRightAfterJoin comes back to several rooms in each of which it missed messages, and publishes in all of them
// in the same breath, as a client does whose outbox is not empty. What tells it of its own message must not come before
// what it missed: its cursor would leap over that, and the next resume would begin behind it.
func TestPublishRightAfterJoin(t *testing.T) {
	const rooms, missed = 8, 20
	h := startLogHubs(t, startLogRedis(t), 1)[0]
	s := &lightSession{}
	cursors := map[string]protocol.Position{}
	for i := range rooms {
		room := fmt.Sprint("room", i)
		s.room, s.cursor = room, protocol.Position{}
		if _, err := s.attach(h.Addr()); err != nil {
			t.Fatal(err)
		}
		s.Close()
		cursors[room] = s.cursor
	}
	postTo(t, h, rooms, missed)

	if err := s.connect(h.Addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	out := clientFrame((&protocol.Frame{Type: protocol.TypeHello, Client: s.creds}).Encode())
	for room, cursor := range cursors {
		out = append(out, clientFrame((&protocol.Frame{Type: protocol.TypeJoin, Room: room, Position: cursor.String()}).Encode())...)
	}
	for room := range cursors {
		f := &protocol.Frame{Type: protocol.TypePublish, Room: room, Key: "k", Data: []byte(`"hi"`)}
		out = append(out, clientFrame(f.Encode())...)
	}
	if _, err := s.Write(out); err != nil {
		t.Fatal(err)
	}
	for left := rooms; left > 0; {
		text, err := s.read()
		if err != nil {
			t.Fatal(err)
		}
		f, err := protocol.DecodeFrame(text)
		if err != nil {
			t.Fatal(err)
		}
		at, err := protocol.ParsePosition(f.Position)
		if err != nil || f.Type == protocol.TypeSubscribed || at.Offset <= cursors[f.Room].Offset {
			continue // no next entry of a stream
		}
		if at.Offset != cursors[f.Room].Offset+1 {
			t.Fatalf("the cursor is %v, and the next is %s", cursors[f.Room], text)
		}
		if cursors[f.Room] = at; at.Offset == missed+1 {
			left--
		}
	}
}
