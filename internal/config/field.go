package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/soumya-codes/realtime-hub/internal/address"
)

// envPrefix begins the name of every environment variable that is ours.
const envPrefix = "REALTIME_HUB_"

// envFileSuffix ends the name of a variable that names a file with the value.
const envFileSuffix = "_FILE"

// hidden stands where a value is not shown.
const hidden = "***"

// Field is one key of a configuration.
type Field struct {
	Key     string // as in the file, with a dot for each level: log.level
	Default string // as it is written in a flag
	Usage   string
	Secret  bool // it may hold a password: it is a broker's URL
	Hidden  bool // it is a secret, all of it

	value   reflect.Value // in the struct that is filled
	initial reflect.Value // what Default stands for
}

// Flag returns the name of the key's flag, without dashes in front.
func (f *Field) Flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(f.Key) }

// Env returns the name of the key's environment variable.
func (f *Field) Env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(f.Key, ".", "_")) }

// FileOnly reports whether the key can be given in the file alone: it has no flag and no variable.
func (f *Field) FileOnly() bool { return f.value.Type() == roomsType }

// Shown returns the value that text stands for as people may see it.
func (f *Field) Shown(text string) string {
	switch {
	case f.Hidden && text != "":
		return hidden
	case f.Secret:
		return address.Redact(text)
	}
	return text
}

// Text returns the value now, as it would be written in a flag. It may be secret.
func (f *Field) Text() string { return format(f.value) }

// Fields returns the keys of c in the order in which they stand in the struct, and sets none of them.
func Fields(c Config) []*Field { return fieldsOf(reflect.ValueOf(c).Elem(), "") }

// Default returns a configuration of type T, one of this package's structs, with its default values.
func Default[T any]() T {
	var c T
	for _, f := range fieldsOf(reflect.ValueOf(&c).Elem(), "") {
		f.value.Set(f.initial)
	}
	return c
}

// fieldsOf walks the struct v, whose keys begin with prefix. It panics on a tag that is no sense, which is a mistake in
// this package.
func fieldsOf(v reflect.Value, prefix string) []*Field {
	var fields []*Field
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		key := sf.Tag.Get("key")
		switch {
		case key == ",inline":
			fields = append(fields, fieldsOf(v.Field(i), prefix)...)
		case sf.Type.Kind() == reflect.Struct:
			fields = append(fields, fieldsOf(v.Field(i), prefix+key+".")...)
		default:
			f := &Field{
				Key:     prefix + key,
				Default: sf.Tag.Get("default"),
				Usage:   sf.Tag.Get("usage"),
				Secret:  sf.Tag.Get("secret") == "true",
				Hidden:  sf.Tag.Get("secret") == "whole",
				value:   v.Field(i),
			}
			f.initial = f.parseDefault()
			fields = append(fields, f)
		}
	}
	return fields
}

// parseDefault returns the value of the default, which is the zero value where the tag has none.
func (f *Field) parseDefault() reflect.Value {
	if f.Default == "" {
		f.Default = format(reflect.Zero(f.value.Type()))
		return reflect.Zero(f.value.Type())
	}
	v, err := parse(f.value.Type(), f.Default)
	if err != nil {
		panic(fmt.Sprintf("default of the key %s: %v", f.Key, err))
	}
	return v
}
