package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// setRooms gives f the rules that list has. Each is read as a file of its own is, by a Loader for one group.
func (w *fileWalk) setRooms(f *Field, list *ast.SequenceNode, from Source) {
	rooms := make([]Room, len(list.Values))
	for i, n := range list.Values {
		w.setRoom(&rooms[i], fmt.Sprintf("%s[%d]", f.Key, i), n)
	}
	w.loader.setValue(f, reflect.ValueOf(rooms), from)
}

// setRoom gives r what n says, which is the group called name.
func (w *fileWalk) setRoom(r *Room, name string, n ast.Node) {
	m, ok := n.(ast.MapNode)
	if !ok {
		value := n.GetToken().Value
		if n.Type() == ast.NullType {
			value = ""
		}
		w.errs = append(w.errs, &Error{
			Keys: []string{name}, Value: value, Source: at(w.name, n.GetToken()),
			What: kindName(n.Type()) + " instead of a group of keys", Fix: "for instance " + roomExample,
		})
		return
	}
	group := newLoader(nil, fieldsOf(reflect.ValueOf(r).Elem(), name+"."))
	inner := &fileWalk{loader: group, name: w.name, prefix: name + "."}
	inner.walk(m, inner.prefix)
	w.errs = append(w.errs, inner.errs...)

	if r.Kind == KindLive {
		w.errs = append(w.errs, liveRoom(group, name)...)
	}
	group.sources[name] = at(w.name, firstToken(n))
	for _, f := range group.fields { // of a default that is at fault, the group is the place
		if _, given := group.sources[f.Key]; !given {
			group.sources[f.Key] = group.sources[name]
		}
	}
	maps.Copy(w.loader.sources, group.sources)
}

// liveRoom takes from a rule for live rooms the defaults that are for log rooms alone, and returns errors where these
// keys were given.
func liveRoom(group *Loader, name string) []error {
	var given problems
	for _, key := range []string{name + ".history", name + ".ttl"} {
		f := group.field(key)
		if _, ok := group.sources[key]; ok {
			given.keepsNothing(key, f.Text())
			continue
		}
		f.value.SetZero()
	}
	for _, err := range given {
		Each(err, group.locate)
	}
	return given
}

// firstToken returns the brace that opens the group n, or its first key where it has no braces.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// isRoomKey reports whether the groups of the list have key.
func isRoomKey(key string) bool {
	fields := fieldsOf(reflect.ValueOf(new(Room)).Elem(), "")
	return slices.ContainsFunc(fields, func(f *Field) bool { return f.Key == key })
}

// roomExample shows one group of the list.
const roomExample = `{ match: "live.*", kind: live }`
