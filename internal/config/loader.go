package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Loader fills one configuration. It is made for one command's run, and used by one goroutine.
//
// The order is: NewLoader, AddFlags, the parsing of the arguments, Load, and then whatever is asked about the values.
type Loader struct {
	config Config   // what is filled; starts as the defaults
	fields []*Field // its keys, in the order of the struct

	flags   map[*Field][]string // what the command line gave, in its order; written by the flags of AddFlags
	sources map[string]Source   // where the value of each key came from; nothing for a default
}

// NewLoader returns a Loader that fills c, and sets c to its defaults.
func NewLoader(c Config) *Loader {
	return newLoader(c, Fields(c))
}

// newLoader returns a Loader that fills fields, and sets them to their defaults.
func newLoader(c Config, fields []*Field) *Loader {
	for _, f := range fields {
		f.value.Set(f.initial)
	}
	return &Loader{config: c, fields: fields, flags: map[*Field][]string{}, sources: map[string]Source{}}
}

// Load fills the configuration from the file called path, where path is not empty, then from environ (as of
// os.Environ), then from the flags, and validates it. It returns warnings for people, and every error that it found,
// each an [*Error], joined.
func (l *Loader) Load(path string, environ []string) (warnings []string, err error) {
	var errs []error
	if path != "" {
		errs = append(errs, l.loadFile(path)...)
	}
	warnings, envErrs := l.loadEnv(environ)
	errs = append(errs, envErrs...)
	errs = append(errs, l.loadFlags()...)
	if len(errs) > 0 {
		return warnings, errors.Join(errs...)
	}
	if err := l.config.Validate(); err != nil {
		Each(err, l.locate)
		return warnings, err
	}
	return warnings, nil
}

// Value is a key with its value and where that came from.
type Value struct {
	Key    string
	Text   string // as it would be written in a flag or, of a key of the file alone, there; redacted where it is a secret
	Source Source
}

// Values returns all values in the order of the struct. Each group of a list is one.
func (l *Loader) Values() []Value {
	var values []Value
	for _, f := range l.fields {
		if rooms, ok := f.value.Interface().([]Room); ok && len(rooms) > 0 {
			for i, r := range rooms {
				key := fmt.Sprintf("%s[%d]", f.Key, i)
				values = append(values, Value{Key: key, Text: r.String(), Source: l.sources[key]})
			}
			continue
		}
		values = append(values, Value{Key: f.Key, Text: f.Shown(f.Text()), Source: l.sources[f.Key]})
	}
	return values
}

// FileOnly returns the keys that can be given in the file alone.
func (l *Loader) FileOnly() []string {
	var keys []string
	for _, f := range l.fields {
		if f.FileOnly() {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// set gives f the value that text stands for.
func (l *Loader) set(f *Field, text string, from Source) error {
	v, err := parse(f.value.Type(), text)
	if err != nil {
		err.Keys, err.Value, err.Source = []string{f.Key}, f.Shown(text), from
		return err
	}
	l.setValue(f, v, from)
	return nil
}

func (l *Loader) setValue(f *Field, v reflect.Value, from Source) {
	f.value.Set(v)
	l.sources[f.Key] = from
}

// locate completes e, which Validate returned, with where the value came from. Of several keys at fault, the one that
// was given in the strongest way is named: it is what the person did last.
func (l *Loader) locate(e *Error) {
	strongest := slices.MaxFunc(e.Keys, func(a, b string) int {
		return cmp.Compare(l.sources[a].Origin, l.sources[b].Origin)
	})
	e.Source = l.sources[strongest]
	if strongest != e.Keys[0] {
		f := l.field(strongest)
		e.Value = f.Shown(f.Text())
		i := slices.Index(e.Keys, strongest)
		e.Keys[0], e.Keys[i] = e.Keys[i], e.Keys[0]
	}
}

// field returns the field of key, or nil.
func (l *Loader) field(key string) *Field {
	for _, f := range l.fields {
		if f.Key == key {
			return f
		}
	}
	return nil
}
