package config

import (
	"reflect"
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags adds a flag to fs for each key but those of the file alone. Where fs has that flag already, from another Loader, the two share it: what
// it is given goes to both. Values are not looked at before Load, so that all errors have one form.
func (l *Loader) AddFlags(fs *pflag.FlagSet) {
	for _, f := range l.fields {
		if f.FileOnly() {
			continue
		}
		add := func(text string) { l.flags[f] = append(l.flags[f], text) }
		if flag := fs.Lookup(f.Flag()); flag != nil {
			value := flag.Value.(*flagValue)
			value.add = append(value.add, add)
			continue
		}
		value := &flagValue{field: f, add: []func(string){add}}
		flag := fs.VarPF(value, f.Flag(), "", f.Usage)
		if f.value.Kind() == reflect.Bool {
			flag.NoOptDefVal = "true"
		}
	}
}

// HasFlag reports whether one of the keys has the flag called name.
func (l *Loader) HasFlag(name string) bool {
	for _, f := range l.fields {
		if f.Flag() == name && !f.FileOnly() {
			return true
		}
	}
	return false
}

// loadFlags sets what the command line gave. Of a key with one value the last flag counts; lists are put together.
func (l *Loader) loadFlags() []error {
	var errs []error
	for _, f := range l.fields {
		given := l.flags[f]
		if len(given) == 0 {
			continue
		}
		text := given[len(given)-1]
		if f.value.Kind() == reflect.Slice {
			text = strings.Join(given, ",")
		}
		if err := l.set(f, text, Source{FromFlag, "--" + f.Flag()}); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// flagValue is the pflag.Value of a key. It keeps what it is given for Load.
type flagValue struct {
	field *Field
	add   []func(text string) // one for each Loader that has the flag
}

func (v *flagValue) Set(text string) error {
	for _, add := range v.add {
		add(text)
	}
	return nil
}

// String returns the default, which help shows.
func (v *flagValue) String() string {
	if v.field == nil {
		return "" // pflag asks a zero value
	}
	return v.field.Default
}

// Type returns what help shows as the placeholder of the value.
func (v *flagValue) Type() string { return typeName(v.field.value.Type()) }
