package protocol_test

import (
	"strings"
	"testing"

	"github.com/soumya-codes/realtime-hub/protocol"
)

func TestCheckRoom(t *testing.T) {
	for _, tt := range []struct {
		name string
		room string
		ok   bool
	}{
		{name: "all that is allowed", room: "aZ09._:-", ok: true},
		{name: "longest", room: strings.Repeat("a", 128), ok: true},
		{name: "too long", room: strings.Repeat("a", 129)},
		{name: "empty", room: ""},
		{name: "space", room: "a b"},
		{name: "slash", room: "a/b"},
		{name: "quote", room: `a"`},
		{name: "not ASCII", room: "café"},
		{name: "NUL", room: "a\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := protocol.CheckRoom(tt.room); (err == nil) != tt.ok {
				t.Errorf("CheckRoom(%q) = %v", tt.room, err)
			}
		})
	}
}

func TestCheckKey(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  string
		ok   bool
	}{
		{name: "visible", key: "!~aZ0", ok: true},
		{name: "longest", key: strings.Repeat("k", 128), ok: true},
		{name: "too long", key: strings.Repeat("k", 129)},
		{name: "empty", key: ""},
		{name: "space", key: "a b"},
		{name: "control", key: "a\n"},
		{name: "not ASCII", key: "é"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := protocol.CheckKey(tt.key); (err == nil) != tt.ok {
				t.Errorf("CheckKey(%q) = %v", tt.key, err)
			}
		})
	}
}

func TestDecodeData(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind protocol.Kind
		raw  string
		want string
		ok   bool
	}{
		{name: "text", kind: protocol.Text, raw: `"a\nb"`, want: "a\nb", ok: true},
		{name: "number as text", kind: protocol.Text, raw: `1`},
		{name: "null as text", kind: protocol.Text, raw: `null`},
		{name: "no text", kind: protocol.Text, raw: ``},
		{name: "json", kind: protocol.JSON, raw: `[1, null]`, want: `[1, null]`, ok: true},
		{name: "no json", kind: protocol.JSON, raw: ``},
		{name: "base64", kind: protocol.Binary, raw: `"AP8="`, want: "\x00\xff", ok: true},
		{name: "not base64", kind: protocol.Binary, raw: `"A"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := protocol.DecodeData(tt.kind, []byte(tt.raw))
			if (err == nil) != tt.ok || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestReconnect(t *testing.T) {
	for code, want := range map[protocol.Code]bool{
		protocol.CodeNormal: true, protocol.CodeDraining: true, 4499: true, protocol.CodeBadRequest: false, 4999: false,
	} {
		if got := code.Reconnect(); got != want {
			t.Errorf("Code(%d).Reconnect() = %v, want %v", code, got, want)
		}
	}
}
