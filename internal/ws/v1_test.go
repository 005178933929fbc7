package ws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/soumya-codes/realtime-hub/internal/ws"
	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestHello(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	c := dial(t, h, "", []string{protocol.SubprotocolV1})
	c.send(&protocol.Frame{Type: protocol.TypeHello, Name: " Ada\n\x00" + strings.Repeat("é", 100)})
	f := c.want(protocol.TypeWelcome)
	if f.Client.ID == "" || f.Client.Secret == "" || f.Session == "" || f.Hub != "hub1" || f.Time == "" {
		t.Errorf("welcome %s", f.Encode())
	}
	if f := c.want(protocol.TypeStatus); f.Isolated == nil || *f.Isolated {
		t.Errorf("status %s", f.Encode())
	}
	there := c.join("lobby")
	if want := "Ada" + strings.Repeat("é", 62); len(there.People) != 1 || there.People[0].Name != want || *there.Count != 1 {
		t.Errorf("there %s, want the name %q", there.Encode(), want)
	}
	c.send(&protocol.Frame{Type: protocol.TypePing})
	if f := c.want(protocol.TypePong); f.Time == "" {
		t.Errorf("pong %s", f.Encode())
	}
}

// TestRefusals has what a client can do wrong and go on, with the code of the error frame.
func TestRefusals(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	c := dialV1(t, h, "")
	for _, tt := range []struct {
		name  string
		frame string
		code  string
	}{
		{"join without a room", `{"type":"join"}`, "bad_room"},
		{"join of a bad room", `{"type":"join","room":"a b"}`, "bad_room"},
		{"publish in a bad room", `{"type":"publish","room":"é","key":"1","data":"x"}`, "bad_room"},
		{"a bad key", `{"type":"publish","room":"r","key":"a b","data":"x"}`, "bad_key"},
		{"a long key", `{"type":"publish","room":"r","key":"` + strings.Repeat("k", 129) + `","data":"x"}`, "bad_key"},
		{"an unknown kind", `{"type":"publish","room":"r","key":"1","kind":"xml","data":"x"}`, "bad_data"},
		{"no data", `{"type":"publish","room":"r","key":"1"}`, "bad_data"},
		{"text that is a number", `{"type":"publish","room":"r","key":"1","data":1}`, "bad_data"},
		{"not base64", `{"type":"publish","room":"r","key":"1","kind":"binary","data":"!"}`, "bad_data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.write(websocket.MessageText, []byte(tt.frame))
			f := c.want(protocol.TypeError)
			if f.Code != tt.code || f.Message == "" || f.Fix == "" {
				t.Errorf("got %s, want code %s", f.Encode(), tt.code)
			}
			sent, _ := protocol.DecodeFrame([]byte(tt.frame))
			if !strings.HasPrefix(sent.Key, f.Key) || sent.Key != "" && f.Key == "" {
				t.Errorf("the error has key %q", f.Key)
			}
		})
	}
	c.write(websocket.MessageText, []byte(`{"type":"from the future","x":[1]}`))
	c.write(websocket.MessageText, []byte(`{"type":"leave","room":"never joined"}`))
	c.write(websocket.MessageText, []byte(`{"type":"publish","room":"r","data":"no key","x":1}`))
	if f := c.want(protocol.TypeAck); f.Key == "" {
		t.Errorf("ack %s", f.Encode())
	}
}

// TestFatal has what ends the session, with the error frame before it and the close code.
func TestFatal(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for _, tt := range []struct {
		name  string
		kind  websocket.MessageType
		first string
		error string
		code  protocol.Code
	}{
		{"another first frame", websocket.MessageText, `{"type":"join","room":"r"}`, "hello_first", 4501},
		{"not JSON", websocket.MessageText, `hello`, "bad_frame", 4501},
		{"an array", websocket.MessageText, `[]`, "bad_frame", 4501},
		{"no type", websocket.MessageText, `{}`, "bad_frame", 4501},
		{"binary", websocket.MessageBinary, `{"type":"hello"}`, "", 1003},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, h, "", []string{protocol.SubprotocolV1})
			c.write(tt.kind, []byte(tt.first))
			if tt.error != "" {
				if f := c.want(protocol.TypeError); f.Code != tt.error || f.Fix == "" {
					t.Errorf("got %s, want code %s", f.Encode(), tt.error)
				}
			}
			c.wantClose(tt.code)
		})
	}
}

// TestPeople shows who is told what when sessions come, change their name and go.
func TestPeople(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	ada, bob := dialV1(t, h, "Ada"), dialV1(t, h, "Bob")
	ada.join("r")
	if there := bob.join("r"); *there.Count != 2 || len(there.People) != 2 {
		t.Errorf("there %s", there.Encode())
	}
	if f := ada.want(protocol.TypeJoined); f.Person.ID != bob.id || f.Person.Name != "Bob" || *f.Count != 2 || f.Room != "r" {
		t.Errorf("joined %s", f.Encode())
	}
	if there := bob.join("r"); *there.Count != 2 { // again: nobody else hears of it
		t.Errorf("there %s", there.Encode())
	}
	bob.send(&protocol.Frame{Type: protocol.TypeHello, Name: "Robert"})
	if f := ada.want(protocol.TypeUpdated); f.Person.ID != bob.id || f.Person.Name != "Robert" {
		t.Errorf("updated %s", f.Encode())
	}
	plain := dialPlain(t, h, "r")
	if f := ada.want(protocol.TypeJoined); f.Person.Name != "" || *f.Count != 3 {
		t.Errorf("joined %s", f.Encode())
	}
	_ = plain.nc.Close(websocket.StatusNormalClosure, "")
	if f := ada.want(protocol.TypeLeft); *f.Count != 2 {
		t.Errorf("left %s", f.Encode())
	}
	bob.want(protocol.TypeJoined)
	bob.want(protocol.TypeLeft)
	bob.send(&protocol.Frame{Type: protocol.TypeLeave, Room: "r"})
	if f := ada.want(protocol.TypeLeft); f.Person.ID != bob.id || *f.Count != 1 {
		t.Errorf("left %s", f.Encode())
	}
	bob.join("r")
	ada.want(protocol.TypeJoined)
	_ = bob.nc.CloseNow() // without a word: it may be back in a moment
	if f := ada.want(protocol.TypeLeft); f.Person.ID != bob.id {
		t.Errorf("left %s", f.Encode())
	}
}

// TestPeoplePages shows that who is in a room can be asked for page by page, by who is in it and who is not.
func TestPeoplePages(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	var ids []string
	for range 5 {
		c := dialV1(t, h, "guest")
		c.join("r")
		ids = append(ids, c.id)
	}
	slices.Sort(ids)
	c := dialV1(t, h, "")
	two, got, after := 2, []string(nil), ""
	for range 3 {
		c.send(&protocol.Frame{Type: protocol.TypePeople, Room: "r", After: after, Limit: &two})
		page := c.want(protocol.TypePeople)
		if page.Room != "r" || *page.Count != 5 || len(page.People) > two {
			t.Errorf("got %s", page.Encode())
		}
		for _, p := range page.People {
			if p.Name != "guest" || p.Hub != "hub1" {
				t.Errorf("got %+v", p)
			}
			got = append(got, p.ID)
		}
		after = page.Next
	}
	if !slices.Equal(got, ids) || after != "" {
		t.Errorf("got %v, want %v, and then %q", got, ids, after)
	}
	c.send(&protocol.Frame{Type: protocol.TypePeople, Room: "empty"})
	if page := c.want(protocol.TypePeople); *page.Count != 0 || page.People == nil || page.Next != "" {
		t.Errorf("of an empty room: %s", page.Encode())
	}
	for _, limit := range []int{-1, 0, 257} {
		c.send(&protocol.Frame{Type: protocol.TypePeople, Room: "r", Limit: &limit})
		if f := c.want(protocol.TypeError); f.Code != protocol.ErrBadQuery || f.Room != "r" || f.Fix == "" {
			t.Errorf("limit %d: %s", limit, f.Encode())
		}
	}
	c.send(&protocol.Frame{Type: protocol.TypePeople, Room: "no room"})
	if f := c.want(protocol.TypeError); f.Code != protocol.ErrBadRoom {
		t.Errorf("got %s", f.Encode())
	}
}

func TestTooManyRooms(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	c := dialV1(t, h, "")
	for i := range 100 {
		c.join(fmt.Sprintf("r%d", i))
	}
	c.send(&protocol.Frame{Type: protocol.TypeJoin, Room: "one-more"})
	if f := c.want(protocol.TypeError); f.Code != "too_many_rooms" || f.Room != "one-more" {
		t.Errorf("got %s", f.Encode())
	}
	c.send(&protocol.Frame{Type: protocol.TypeLeave, Room: "r50"})
	c.join("one-more")
	if got := h.Stats().Rooms; got != 100 {
		t.Errorf("%d rooms, want 100", got)
	}
}

func TestSubprotocol(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	for _, tt := range []struct {
		name   string
		offers []string
		want   string
	}{
		{"none", nil, ""},
		{"plain", []string{"hub.plain"}, "hub.plain"},
		{"v1", []string{"hub.v1"}, "hub.v1"},
		{"unknown", []string{"mqtt"}, ""},
		{"the first known", []string{"mqtt", "hub.v1", "hub.plain"}, "hub.v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := dial(t, h, "", tt.offers).nc.Subprotocol(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestThereComesFirst joins a room in which much is published: no message of the room comes before the answer.
func TestThereComesFirst(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	stop, stopped := make(chan struct{}), make(chan struct{}) // closed by the test, and by the publisher as it ends
	publisher := dialV1(t, h, "")
	go func() { // publishes one after the other, so that no queue grows long
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				publisher.publish("r", "x")
				publisher.want(protocol.TypeAck)
			}
		}
	}()
	c := dialV1(t, h, "")
	for i := range 200 {
		c.join("r") // fails on another frame
		for c.frame().Type != protocol.TypeMessage {
		}
		c.send(&protocol.Frame{Type: protocol.TypeLeave, Room: "r"})
		c.send(&protocol.Frame{Type: protocol.TypePing})
		for f := c.frame(); f.Type != protocol.TypePong; f = c.frame() {
			if f.Type != protocol.TypeMessage {
				t.Fatalf("join %d: got %s", i, f.Encode())
			}
		}
	}
	close(stop)
	<-stopped
}

// TestWrongMember shows that a member of the wrong type is refused and the session goes on.
func TestWrongMember(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{})
	c := dialV1(t, h, "")
	c.write(websocket.MessageText, []byte(`{"type":"join","room":5}`))
	if f := c.want(protocol.TypeError); f.Code != "bad_frame" || !strings.Contains(f.Message, "room") {
		t.Errorf("got %s", f.Encode())
	}
	c.write(websocket.MessageText, []byte(`{"type":"future","room":["a"]}`))
	c.join("r")
}

// TestOneCannotDisturbAll has one client change its name as fast as it can: the others stay, and lose nothing.
func TestOneCannotDisturbAll(t *testing.T) {
	h := startHub(t, newBus(), "hub1", ws.Options{SendQueue: 64 << 10})
	readers := make([]*client, 20)
	for i := range readers {
		readers[i] = dialV1(t, h, "reader")
		readers[i].join("r")
	}
	flood := dialV1(t, h, "flood")
	flood.join("r")
	refused := 0
	for i := range 2000 {
		flood.send(&protocol.Frame{Type: protocol.TypeHello, Name: fmt.Sprint(i)})
		if i%100 < 99 {
			continue
		}
		flood.send(&protocol.Frame{Type: protocol.TypePing}) // its own queue holds the refusals, and is not to run over
		for f := flood.frame(); f.Type != protocol.TypePong; f = flood.frame() {
			if f.Code == "too_many_requests" {
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("no change of name was refused")
	}
	flood.publish("r", "after it")
	for _, c := range readers {
		if got := c.text(); got != "after it" {
			t.Errorf("got %q", got)
		}
	}
}
