package protocol_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

// TestDecodeFrame shows what is looked at in a frame, and what is not.
func TestDecodeFrame(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want string // as it is told again
		err  string // a part of the error, "" for none
		not  bool   // not a frame at all
	}{
		{name: "spaces", text: " { \"type\" : \"join\" ,\n\t\"room\":\"r\" } ", want: `{"type":"join","room":"r"}`},
		{name: "no members but the type", text: `{"type":"ping"}`, want: `{"type":"ping"}`},
		{name: "type last", text: `{"room":"r","type":"join"}`, want: `{"type":"join","room":"r"}`},
		{name: "unknown type, known member of another type", text: `{"type":"future","room":["a"]}`, want: `{"type":"future"}`},
		{name: "member of another type", text: `{"type":"ping","time":5}`, want: `{"type":"ping"}`},
		{name: "unknown members", text: `{"type":"join","x":{"room":"b","y":["}"]},"room":"r","z":1}`, want: `{"type":"join","room":"r"}`},
		{name: "names in capitals", text: `{"type":"join","ROOM":"b","room":"a","Room":"c"}`, want: `{"type":"join","room":"a"}`},
		{name: "the last of two", text: `{"type":"join","room":"a","room":"b"}`, want: `{"type":"join","room":"b"}`},
		{name: "escapes", text: `{"type":"hello","name":"a\"\\\u00e9"}`, want: `{"type":"hello","name":"a\"\\é"}`},
		{name: "values of all kinds", text: `{"a":-1.5e3,"b":null,"c":[{},[]],"d":"\\","type":"leave","room":"r","e":true}`, want: `{"type":"leave","room":"r"}`},
		{name: "data as it is", text: `{"type":"publish","room":"r","data": [1, "]" ] }`, want: `{"type":"publish","room":"r","data":[1,"]"]}`},
		{name: "a member of the wrong type", text: `{"type":"join","room":5}`, want: `{"type":"join"}`, err: `"room" of a frame of type "join" is not a string`},
		{name: "an object of the wrong type", text: `{"type":"there","room":"r","people":"all"}`, want: `{"type":"there","room":"r"}`, err: `"people"`},
		{name: "null", text: `null`, err: "JSON object", not: true},
		{name: "an array", text: `[]`, err: "JSON object", not: true},
		{name: "nothing", text: ` `, err: "JSON object", not: true},
		{name: "two objects", text: `{"type":"ping"}{}`, err: "JSON object", not: true},
		{name: "half an object", text: `{"type":"ping"`, err: "JSON object", not: true},
		{name: "no type", text: `{}`, err: "no type", not: true},
		{name: "a type that is a number", text: `{"type":1}`, err: "not a string", not: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := protocol.DecodeFrame([]byte(tt.text))
			switch {
			case tt.err == "" && err != nil, tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Fatalf("error %v, want %q", err, tt.err)
			case errors.Is(err, protocol.ErrNotFrame) != tt.not:
				t.Fatalf("error %v: not a frame at all? want %v", err, tt.not)
			case tt.not:
				return
			}
			if got := string(f.Encode()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzMembers has the standard library as the judge of what stands in an object.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{"type":"publish","data":[{"a":"]}"}],"room":"r"}`, `{"type":"x","a":1,"b":-2e5 ,"c":null}`,
		`{"type":"join","room":"\"}","":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var judge map[string]json.RawMessage
		var kind string
		judged := json.Unmarshal(text, &judge) == nil && judge != nil && json.Unmarshal(judge["type"], &kind) == nil && kind != ""
		frame, err := protocol.DecodeFrame(text)
		if errors.Is(err, protocol.ErrNotFrame) {
			if judged && !strings.Contains(string(text), `\`) && string(judge["type"]) != "null" {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if !judged {
			t.Fatal("not an object with a type, and taken")
		}
		if kind != frame.Type && !strings.Contains(string(text), `\`) {
			t.Errorf("type %q, want %q", frame.Type, kind)
		}
		var room string
		if frame.Type == protocol.TypeJoin && err == nil && !strings.Contains(string(text), `\`) &&
			(judge["room"] == nil || json.Unmarshal(judge["room"], &room) == nil) && frame.Room != room {
			t.Errorf("room %q, want %q", frame.Room, room)
		}
	})
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte(strings.Repeat(`[{"a":`, n/2) + `"]["` + strings.Repeat("}]", n/2))
	}
	if err := protocol.JSON.Check(nested(500)); err != nil {
		t.Error(err)
	}
	if err := protocol.JSON.Check(nested(502)); err == nil {
		t.Error("data that is nested 502 deep was taken")
	}
}
