package protocol_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestAppendEvent(t *testing.T) {
	at := protocol.Position{Epoch: "EPOCH", Offset: 7}
	const tail = `"time":"2026-11-23T11:52:31.123Z","from":{"id":"CLIENT","name":"Ada"},"hub":"hub1",` +
		`"kind":"text","data":"say \"hi\""}` + "\n\n"
	for _, tt := range []struct {
		name string
		d    protocol.Delivery
		want string
	}{
		{"log", protocol.Delivery{At: at}, "id: EPOCH:7\n" + `data: {"id":"CLIENT/1","position":"EPOCH:7",` + tail},
		{"live", protocol.Delivery{}, `data: {"id":"CLIENT/1",` + tail},
		{"kept", protocol.Delivery{Kept: true}, `data: {"id":"CLIENT/1","scope":"hub",` + tail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Message = &message
			if got := string(protocol.AppendEvent(nil, tt.d)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := string(protocol.AppendEventID(nil, at)); got != "id: EPOCH:7\n\n" {
		t.Errorf("an id alone: %q", got)
	}
}

func TestAppendEventDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 1024)
	m, at := message, protocol.Position{Epoch: "EPOCH", Offset: 7}
	if n := testing.AllocsPerRun(100, func() { dst = protocol.AppendEvent(dst[:0], protocol.Delivery{Message: &m, At: at}) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

// FuzzEvent puts any message into an event: it stays one line of data, which is JSON and says the same.
func FuzzEvent(f *testing.F) {
	f.Add("Ada", "id/1", []byte("hello\nid: x\r\n\ndata: y"), byte(1))
	f.Add("\x00\u2028\n", "\xff\r", []byte("{\r\n \"a\":\n1}"), byte(2))
	f.Add("", "", []byte{0, 0xff, '\n'}, byte(3))
	f.Fuzz(func(t *testing.T, name, id string, data []byte, kind byte) {
		m := message
		m.From.Name, m.ID, m.Data, m.Kind = name, id, data, protocol.Kind(kind)
		if m.Kind.Check(data) != nil {
			return
		}
		event := string(protocol.AppendEvent(nil, protocol.Delivery{Message: &m}))
		line, ok := strings.CutSuffix(event, "\n\n")
		text, ok2 := strings.CutPrefix(line, "data: ")
		if !ok || !ok2 || strings.ContainsAny(text, "\r\n") {
			t.Fatalf("not one line of data: %q", event)
		}
		var got struct {
			Kind string
			Data json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		decoded, err := protocol.DecodeData(m.Kind, got.Data)
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind == protocol.JSON {
			decoded, data = compact(t, decoded), compact(t, data)
		}
		if got.Kind != m.Kind.String() || !bytes.Equal(decoded, data) {
			t.Errorf("got %s %q, want %s %q", got.Kind, decoded, m.Kind, data)
		}
	})
}

func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
