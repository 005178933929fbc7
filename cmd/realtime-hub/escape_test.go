package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"plain":           "plain",
		"größer ✓ 日本 👩‍🚀": "größer ✓ 日本 👩‍🚀",
		`C:\new`:          `C:\new`,
		"a\nb\rc\td":      `a\nb\rc\td`,
		"\x1b[2J\x07\x7f": `\x1b[2J\x07\x7f`,
		"\u009b2J":        `\u009b2J`,
		"\u202egpj.exe":   `\u202egpj.exe`,
		"one\u2028two":    `one\u2028two`,
		"\xff\xfe":        `\xff\xfe`,
		"\ufffd":          "\ufffd",
		"":                "",
	} {
		if got := escape(text); got != want {
			t.Errorf("escape(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, text := range []string{"plain", "\x1b]0;title\x07", "\u202e", "\xff\u009b", "\ufffd\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := escape(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unsafeRune) {
			t.Errorf("escape(%q) = %q, which is not safe", text, got)
		}
		if escape(got) != got {
			t.Errorf("escape(%q) = %q, which is escaped again", text, got)
		}
	})
}

func FuzzJSONLine(f *testing.F) {
	for _, text := range []string{"plain", "a\u009b2J\u202e", "<&>", "\x7f", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line, err := jsonLine(map[string]string{"data": text})
		if err != nil {
			t.Fatal(err)
		}
		body, ok := strings.CutSuffix(string(line), "\n")
		if !ok || strings.ContainsFunc(body, unsafeRune) {
			t.Errorf("%q is written %q, which is not one safe line", text, line)
		}
		var got map[string]string
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q is written %q: %v", text, line, err)
		}
		want := strings.ToValidUTF8(text, "\ufffd")
		if utf8.ValidString(text) && !reflect.DeepEqual(got["data"], want) {
			t.Errorf("%q comes back as %q", text, got["data"])
		}
	})
}
