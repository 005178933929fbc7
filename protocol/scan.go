package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"
)

// ErrNotFrame is wrapped by DecodeFrame where text is not one JSON object with a type.
var ErrNotFrame = errors.New("not a frame")

// maxDepth is how deep the arrays and objects of a JSON message may be nested. It keeps a message with its frame around
// it well within what JSON libraries put up with.
const maxDepth = 500

// members returns the names and values of a JSON object, in order. text is valid JSON and an object. A name is as it
// stands between its quotes: one with an escape in it matches no name of ours, and need not.
//
// The standard library's decoder matches names whatever their case, and decodes what is not asked for. This looks at
// text once and copies nothing.
func members(text []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		i := skipSpace(text, 0) + 1 // past {
		for {
			i = skipSpace(text, i)
			if text[i] == '}' {
				return
			}
			end := skipString(text, i)
			name := text[i+1 : end-1]
			i = skipSpace(text, end) + 1 // past :
			i = skipSpace(text, i)
			end = skipValue(text, i)
			if !yield(string(name), json.RawMessage(text[i:end])) {
				return
			}
			i = skipSpace(text, end)
			if text[i] == ',' {
				i++
			}
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func skipSpace(text []byte, i int) int {
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return i
}

// skipString returns the index after the string that begins at i.
func skipString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns the index after the value that begins at i.
func skipValue(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i = skipString(text, i) - 1
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			depth--
		case c == ',' || c == '}' || c == ']' || isSpace(c):
			if depth == 0 {
				return i // of a number or a word, which what follows ends
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// depthOf returns how deep valid JSON is nested.
func depthOf(text []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = skipString(text, i) - 1
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// decodeString sets s to the JSON string raw.
func decodeString(s *string, raw json.RawMessage) error {
	if len(raw) < 2 || raw[0] != '"' {
		return errors.New("is not a string")
	}
	inner, bare := unescaped(raw)
	if !bare {
		return json.Unmarshal(raw, s)
	}
	*s = string(inner)
	return nil
}

// unescaped returns what stands between the quotes of the JSON string raw, and whether that is what it means: it has no
// escapes, and nothing that may not be UTF-8.
func unescaped(raw json.RawMessage) (inner []byte, bare bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	inner = raw[1 : len(raw)-1]
	for _, c := range inner {
		if c == '\\' || c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return inner, true
}

// decodeInto sets v, which is not a string, to raw, and leaves it as it is where raw is of another type. What is wrong is
// said in words of ours: the library's name Go types.
func decodeInto[T any](v *T, raw json.RawMessage) error {
	var value T
	if json.Unmarshal(raw, &value) != nil {
		return fmt.Errorf("is not what it should be: %.40s", raw)
	}
	*v = value
	return nil
}
