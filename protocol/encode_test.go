package protocol_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/soumya-codes/realtime-hub/protocol"
)

var message = protocol.Message{
	Room: "lobby", ID: "CLIENT/1", From: protocol.Client{ID: "CLIENT", Name: "Ada"}, Hub: "hub1",
	Time: time.Date(2026, 11, 23, 11, 52, 31, 123_456_789, time.UTC), Kind: protocol.Text, Data: []byte(`say "hi"`),
}

func TestAppendMessage(t *testing.T) {
	const head = `{"type":"message","room":"lobby","id":"CLIENT/1","from":{"id":"CLIENT","name":"Ada"},"hub":"hub1",` +
		`"time":"2026-11-23T11:52:31.123Z",`
	for _, tt := range []struct {
		name string
		kind protocol.Kind
		data string
		want string
	}{
		{name: "text", kind: protocol.Text, data: `say "hi"`, want: `"kind":"text","data":"say \"hi\""}`},
		{name: "markup", kind: protocol.Text, data: "<b>&\u2028", want: `"kind":"text","data":"<b>&` + "\u2028" + `"}`},
		{name: "controls", kind: protocol.Text, data: "a\n\t\r\x00\x1f\\", want: `"kind":"text","data":"a\n\t\r\u0000\u001f\\"}`},
		{name: "json", kind: protocol.JSON, data: `{"a": [1]}`, want: `"kind":"json","data":{"a": [1]}}`},
		{name: "binary", kind: protocol.Binary, data: "\x00\xff", want: `"kind":"binary","data":"AP8="}`},
		{name: "empty", kind: protocol.Text, data: "", want: `"kind":"text","data":""}`},
		{name: "not UTF-8", kind: protocol.Text, data: "a\xffb", want: `"kind":"text","data":"a\ufffdb"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := message
			m.Kind, m.Data = tt.kind, []byte(tt.data)
			if got := string(protocol.AppendMessage(nil, protocol.Delivery{Message: &m})); got != head+tt.want {
				t.Errorf("got  %s\nwant %s", got, head+tt.want)
			}
		})
	}
}

func TestAppendMessageDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 1024)
	m, at := message, protocol.Position{Epoch: "EPOCH", Offset: 7}
	if n := testing.AllocsPerRun(100, func() { dst = protocol.AppendMessage(dst[:0], protocol.Delivery{Message: &m, At: at}) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// FuzzMessage takes any message to JSON and back, with the standard library as the judge of what is JSON.
func FuzzMessage(f *testing.F) {
	f.Add("Ada", "id/1", []byte("hello"), byte(1))
	f.Add("\x00\u2028", "\xff", []byte{0, 0xff, '"'}, byte(3))
	f.Add("", "", []byte(`{"a":"é"}`), byte(2))
	f.Fuzz(func(t *testing.T, name, id string, data []byte, kind byte) {
		m := message
		m.From.Name, m.ID, m.Data, m.Kind = name, id, data, protocol.Kind(kind)
		if m.Kind.Check(data) != nil {
			return
		}
		encoded := protocol.AppendMessage(nil, protocol.Delivery{Message: &m})
		if !json.Valid(encoded) || !utf8.Valid(encoded) {
			t.Fatalf("not JSON in UTF-8: %q", encoded)
		}
		frame, err := protocol.DecodeFrame(encoded)
		if err != nil {
			t.Fatal(err)
		}
		got, err := frame.DecodeMessage()
		if err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(name) && got.From.Name != name || utf8.ValidString(id) && got.ID != id {
			t.Errorf("got name %q, id %q, want %q, %q", got.From.Name, got.ID, name, id)
		}
		want := data
		if m.Kind == protocol.JSON {
			want = bytes.TrimSpace(data)
		}
		if !bytes.Equal(got.Data, want) || got.Kind != m.Kind {
			t.Errorf("got %s %q, want %s %q", got.Kind, got.Data, m.Kind, want)
		}
	})
}

// FuzzDecodeFrame looks for frames that break the decoder, and checks that what it takes can be told again.
func FuzzDecodeFrame(f *testing.F) {
	for _, s := range []string{
		`{"type":"hello","name":"Ada"}`, `{"type":"publish","room":"lobby","key":"1","kind":"json","data":{"a":1}}`,
		`{"type":"there","room":"r","people":[{"id":"1"}],"count":1}`, `{"type":"x","unknown":[1,2]}`, `[]`, `{`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		frame, err := protocol.DecodeFrame(text)
		if err != nil {
			return
		}
		again, err := protocol.DecodeFrame(frame.Encode())
		if err != nil {
			t.Fatalf("encoded %+v and cannot read it: %v", frame, err)
		}
		if again.Type != frame.Type || again.Room != frame.Room || again.Key != frame.Key || again.Name != frame.Name {
			t.Errorf("got %+v, want %+v", again, frame)
		}
		_, _ = frame.DecodeMessage() // must not panic
	})
}

func TestAck(t *testing.T) {
	at := protocol.Position{Epoch: "EPOCH", Offset: 7}
	for _, tt := range []struct {
		ack  protocol.Ack
		want string
	}{
		{protocol.Ack{Room: "live.a", Key: `a"b`, ID: `C/a"b`, Scope: protocol.ScopeLive},
			`{"type":"ack","room":"live.a","key":"a\"b","id":"C/a\"b","scope":"live"}`},
		{protocol.Ack{Room: "a", Key: "1", ID: "C/1", Scope: protocol.ScopeCluster, At: at, Duplicate: true},
			`{"type":"ack","room":"a","key":"1","id":"C/1","scope":"cluster","position":"EPOCH:7","duplicate":true}`},
		{protocol.Ack{Room: "a", ID: "B/1", Scope: protocol.ScopeCluster, At: at},
			`{"type":"ack","room":"a","id":"B/1","scope":"cluster","position":"EPOCH:7"}`},
	} {
		if got := string(protocol.AppendAck(nil, tt.ack)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestPublishFrame(t *testing.T) {
	tests := []struct {
		kind protocol.Kind
		data string
	}{
		{protocol.Text, ""},
		{protocol.Text, "a \"quoted\" <b>\n\u2028\x00 line"},
		{protocol.JSON, `{"a": "<b>", "n": 1e400}`},
		{protocol.Binary, "\x00\xff\x80"},
	}
	for _, test := range tests {
		checkPublishFrame(t, test.kind, []byte(test.data))
	}
}

// checkPublishFrame checks that a hub reads what was published.
func checkPublishFrame(t *testing.T, kind protocol.Kind, data []byte) {
	t.Helper()
	text := protocol.AppendPublish(nil, "a.room", "A-1", nil, kind, data)
	f, err := protocol.DecodeFrame(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if f.Type != protocol.TypePublish || f.Room != "a.room" || f.Key != "A-1" || f.Kind != kind.String() {
		t.Errorf("frame %s", text)
	}
	got, err := protocol.DecodeData(kind, f.Data)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if kind == protocol.JSON { // space around the value is not part of it
		data = bytes.Trim(data, " \t\r\n")
	}
	if !bytes.Equal(got, data) {
		t.Errorf("published %q, the hub reads %q", data, got)
	}
}

func FuzzPublishFrame(f *testing.F) {
	f.Add(uint8(1), []byte("text"))
	f.Add(uint8(2), []byte(` {"a":[1,null]} `))
	f.Add(uint8(3), []byte{0, 255})
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		k := protocol.Kind(kind%3 + 1)
		if k.Check(data) != nil {
			return // not to be published
		}
		checkPublishFrame(t, k, data)
	})
}

func TestAppendMessageOfLog(t *testing.T) {
	const tail = `"from":{"id":"CLIENT","name":"Ada"},"hub":"hub1","time":"2026-11-23T11:52:31.123Z","kind":"text","data":"say \"hi\""}`
	at := protocol.Position{Epoch: "EPOCH", Offset: 18446744073709551615}
	for _, tt := range []struct {
		name string
		d    protocol.Delivery
		want string
	}{
		{"stream", protocol.Delivery{At: at}, `"position":"EPOCH:18446744073709551615",`},
		{"history", protocol.Delivery{At: at, Past: true}, `"position":"EPOCH:18446744073709551615","past":true,`},
		{"kept", protocol.Delivery{Kept: true}, `"scope":"hub",`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Message = &message
			got, want := string(protocol.AppendMessage(nil, tt.d)), `{"type":"message","room":"lobby","id":"CLIENT/1",`+tt.want+tail
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			f, err := protocol.DecodeFrame([]byte(got))
			if err != nil || f.Past != tt.d.Past || (f.Scope == protocol.ScopeHub) != tt.d.Kept {
				t.Errorf("read %+v, %v", f, err)
			}
		})
	}
}
