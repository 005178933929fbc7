package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile is the most bytes that a configuration file may have.
const maxFile = 64 << 10

// loadFile sets what the file at path gives.
func (l *Loader) loadFile(path string) []error {
	text, err := readFile(path, maxFile)
	if err != nil {
		return []error{&Error{
			What:   fmt.Sprintf("cannot read the configuration: %v", err),
			Fix:    "make one with: realtime-hub config init",
			Source: Source{FromFile, path},
		}}
	}
	return l.loadYAML(path, text)
}

// loadYAML sets what text gives, which is YAML and was read from the file called name.
//
// The parser of go-yaml makes a tree, which is walked here: the rule that makes file keys, variables and flags of one
// tag is ours, and errors are to say the line and column and a guess.
func (l *Loader) loadYAML(name string, text []byte) []error {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the byte order mark that some editors write
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return []error{syntaxError(name, text, err)}
	}
	w := &fileWalk{loader: l, name: name}
	seen := false
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			continue
		case ast.MapNode:
			if seen {
				w.fail(doc.Start, "a second document begins", "leave out the line ---")
				continue
			}
			seen = true
			w.walk(body, "")
		default:
			w.fail(body.GetToken(), "no key", "write a key, a colon and a value, for instance listen: 127.0.0.1:8081")
		}
	}
	return w.errs
}

// syntaxError returns the error for text, which is not YAML, from that of the parser.
func syntaxError(name string, text []byte, err error) error {
	e := &Error{What: err.Error(), Source: Source{FromFile, name}}
	if y, ok := errors.AsType[yaml.Error](err); ok {
		e.What = "not YAML: " + y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Source = at(name, t)
			if afterStar(text, t.Position) {
				e.Fix = `put a value that begins with * in quotes: "*"`
			}
		}
	}
	return e
}

// afterStar reports whether there is a star at p or right before it, which begins an alias where it has no quotes.
func afterStar(text []byte, p *token.Position) bool {
	lines := bytes.Split(text, []byte("\n"))
	if p.Line < 1 || p.Line > len(lines) {
		return false
	}
	line := lines[p.Line-1]
	from, to := min(max(p.Column-2, 0), len(line)), min(max(p.Column, 0), len(line))
	return bytes.IndexByte(line[from:to], '*') >= 0
}

// at returns the place of t in the file called name.
func at(name string, t *token.Token) Source {
	return Source{FromFile, fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)}
}

// fileWalk is one walk through the tree of a file.
type fileWalk struct {
	loader *Loader
	name   string // of the file
	prefix string // of the keys of a group in a list, rooms[0]. or so; empty for those of the file
	errs   []error
}

// fail notes that something is wrong at t.
func (w *fileWalk) fail(t *token.Token, what, fix string) {
	w.errs = append(w.errs, &Error{What: what, Fix: fix, Source: at(w.name, t)})
}

// walk sets what m gives, the keys of which begin with prefix.
func (w *fileWalk) walk(m ast.MapNode, prefix string) {
	for entries := m.MapRange(); entries.Next(); {
		key := entries.Key().GetToken()
		name := prefix + key.Value
		value := entries.Value()
		if f := w.loader.field(name); f != nil && !strings.Contains(key.Value, ".") {
			w.set(f, value)
			continue
		}
		if !w.isSection(name + ".") {
			w.unknown(key, prefix)
			continue
		}
		switch value := value.(type) {
		case *ast.NullNode: // all that stood under it is commented out
		case ast.MapNode:
			w.walk(value, name+".")
		default:
			w.fail(value.GetToken(), fmt.Sprintf("%s is a group of keys, not one", key.Value),
				"write the keys below it, indented")
		}
	}
}

// isSection reports whether keys begin with prefix.
func (w *fileWalk) isSection(prefix string) bool {
	for _, f := range w.loader.fields {
		if strings.HasPrefix(f.Key, prefix) {
			return true
		}
	}
	return false
}

// unknown notes that there is no key t among those that begin with prefix, and who was meant.
func (w *fileWalk) unknown(t *token.Token, prefix string) {
	what := fmt.Sprintf("unknown key %q", t.Value)
	if w.prefix != "" {
		var keys []string
		for _, f := range w.loader.fields {
			keys = append(keys, strings.TrimPrefix(f.Key, w.prefix))
		}
		w.fail(t, what, didYouMean(t.Value, keys))
		return
	}
	name := prefix + t.Value
	if w.loader.field(name) != nil {
		last := strings.LastIndexByte(name, '.')
		w.fail(t, what, fmt.Sprintf("write %s: and, indented on the next line, %s:", name[:last], name[last+1:]))
		return
	}
	var keys []string
	for _, f := range w.loader.fields {
		keys = append(keys, f.Key)
		if i := strings.LastIndexByte(f.Key, '.'); t.Value == f.Key[i+1:] {
			w.fail(t, what, fmt.Sprintf("did you mean %s ?", f.Key))
			return
		}
	}
	if w.loader.field("rooms") != nil && isRoomKey(name) {
		w.fail(t, what, "it is a key of the groups in rooms, for instance rooms: [ "+roomExample+" ]")
		return
	}
	if owners := ownersOf(name); len(owners) > 0 {
		w.fail(t, what, "that is a key of "+strings.Join(owners, " and ")+" alone")
		return
	}
	w.fail(t, what, didYouMean(name, keys))
}

// ownersOf returns the commands with a file that have key.
func ownersOf(key string) []string {
	var owners []string
	for _, c := range Commands() {
		if c.File && NewLoader(c.New()).field(key) != nil {
			owners = append(owners, c.Name)
		}
	}
	return owners
}

// set gives f the value of n. A key with nothing behind it leaves the value as it was.
func (w *fileWalk) set(f *Field, n ast.Node) {
	if _, ok := n.(*ast.NullNode); ok {
		return
	}
	from := at(w.name, n.GetToken())
	if list, ok := n.(*ast.SequenceNode); ok && f.value.Kind() == reflect.Slice {
		if f.FileOnly() {
			w.setRooms(f, list, from)
		} else {
			w.setList(f, list, from)
		}
		return
	}
	text, kind := scalar(n)
	if !fits(f.value.Type(), kind) {
		w.errs = append(w.errs, &Error{
			Keys: []string{f.Key}, Value: f.Shown(n.GetToken().Value), Source: from,
			What: fmt.Sprintf("%s instead of %s", kindName(kind), wanted(f.value.Type())), Fix: exampleOf(f),
		})
		return
	}
	if err := w.loader.set(f, text, from); err != nil {
		w.errs = append(w.errs, err)
	}
}

// setList gives f the texts of list.
func (w *fileWalk) setList(f *Field, list *ast.SequenceNode, from Source) {
	values := make([]string, 0, len(list.Values))
	for _, n := range list.Values {
		text, kind := scalar(n)
		if kind != ast.StringType {
			w.fail(n.GetToken(), fmt.Sprintf("bad %s: %s instead of a text", f.Key, kindName(kind)), exampleOf(f))
			return
		}
		values = append(values, text)
	}
	w.loader.setValue(f, reflect.ValueOf(values), from)
}

// scalar returns the text of n, as parse reads it, and what kind of value it is.
func scalar(n ast.Node) (string, ast.NodeType) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, ast.StringType
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n"), ast.StringType
	case *ast.BoolNode:
		return fmt.Sprint(n.Value), ast.BoolType
	case *ast.IntegerNode:
		return fmt.Sprint(n.Value), ast.IntegerType
	}
	return "", n.Type()
}

// fits reports whether a YAML value of kind can be the value of a key of type t. Numbers do for sizes, and for
// durations too, whose own error then names the unit that is missing.
func fits(t reflect.Type, kind ast.NodeType) bool {
	switch {
	case t == durationType, t == bytesType:
		return kind == ast.StringType || kind == ast.IntegerType
	case t.Kind() == reflect.Bool:
		return kind == ast.BoolType
	case t.Kind() == reflect.Int:
		return kind == ast.IntegerType
	case t == roomsType:
		return false // its list was taken before
	}
	return kind == ast.StringType
}

// wanted returns what people call a value of type t.
func wanted(t reflect.Type) string {
	switch name := typeName(t); name {
	case "bool":
		return "true or false"
	case "strings":
		return "a list of texts"
	case "groups":
		return "a list of groups of keys"
	case "number":
		return "a whole number"
	default:
		return "a " + name
	}
}

// kindName returns what people call a YAML value of kind.
func kindName(kind ast.NodeType) string {
	switch kind {
	case ast.StringType:
		return "a text"
	case ast.BoolType:
		return "true or false"
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "a number"
	case ast.MappingType, ast.MappingValueType:
		return "a group of keys"
	case ast.SequenceType:
		return "a list"
	case ast.NullType:
		return "nothing"
	case ast.AliasType, ast.AnchorType, ast.MergeKeyType, ast.TagType:
		return "an anchor, alias or tag"
	}
	return "something else"
}

// exampleOf returns the fix that shows how the value of f is written.
func exampleOf(f *Field) string {
	example := map[string]string{
		"bool": "true", "number": "2", "duration": "10s", "size": "64KiB",
		"strings": `[ "one", "two" ]`, "groups": "[ " + roomExample + " ]", "text": `"text, in quotes"`,
	}[typeName(f.value.Type())]
	last := f.Key[strings.LastIndexByte(f.Key, '.')+1:]
	return fmt.Sprintf("for instance %s: %s", last, example)
}
