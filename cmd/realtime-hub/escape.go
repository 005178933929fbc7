package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape returns text so that it can be printed on one line of a terminal: control characters, which could do things to
// the terminal (ECMA-48), those that turn the direction of writing round, and bytes that are not UTF-8 are written as
// in Go strings. A backslash stays as it is, since text is for people; --json is for programs.
func escape(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unsafeRune) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf && unsafeRune(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unsafeRune(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unsafeRune reports whether r may not be printed as it is.
func unsafeRune(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case r == '\u2028', r == '\u2029': // line and paragraph separator
		return true
	case r == '\u061c', r == '\u200e', r == '\u200f', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
		return true // direction of writing: Unicode Bidirectional Algorithm, table 4 and "explicit"
	}
	return false
}

// jsonLine returns v as JSON on one line, with a newline. Control characters beyond ASCII, which JSON leaves alone, are
// escaped as well, so that a terminal can show the line.
func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	if !bytes.ContainsFunc(b.Bytes(), beyondASCII) {
		return b.Bytes(), nil
	}
	var safe bytes.Buffer
	for _, r := range b.String() { // valid UTF-8, as the encoder sees to
		if beyondASCII(r) {
			fmt.Fprintf(&safe, `\u%04x`, r) // it stands in a string: elsewhere JSON has ASCII alone
		} else {
			safe.WriteRune(r)
		}
	}
	return safe.Bytes(), nil
}

// beyondASCII reports whether r is unsafe and not a control character that JSON escapes, or the newline at the end.
func beyondASCII(r rune) bool { return r >= 0x7f && unsafeRune(r) }
