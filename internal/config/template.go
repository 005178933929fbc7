package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Template returns a configuration file for the command called name with every key of c, its meaning and its default.
// All keys are commented out: the file changes nothing until somebody changes it, and keeps no default of today.
func Template(name string, c Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Configuration of: realtime-hub %s --config FILE\n", name)
	fmt.Fprintf(&b, "## Every key stands here with its default. Take the # away from what you change.\n")
	fmt.Fprintf(&b, "## A flag (--send-queue) and the environment (%sSEND_QUEUE) go before this file.\n", envPrefix)
	section := ""
	for _, f := range Fields(c) {
		if f.FileOnly() {
			fmt.Fprintf(&b, "\n## %s\n#%s:\n", f.Usage, f.Key)
			for _, r := range builtIn {
				fmt.Fprintf(&b, "#  - %s\n", r)
			}
			continue
		}
		indent, key := "", f.Key
		if i := strings.LastIndexByte(key, '.'); i >= 0 {
			indent = strings.Repeat("  ", strings.Count(key, "."))
			if key[:i] != section {
				section = key[:i]
				fmt.Fprintf(&b, "\n#%s:\n", section)
			}
			key = key[i+1:]
		}
		// A comment has two number signs, so that taking one away everywhere leaves the comments.
		fmt.Fprintf(&b, "\n## %s%s\n#%s%s: %s\n", indent, f.Usage, indent, key, f.yaml())
	}
	return b.String()
}

// yaml returns the default as it is written in a file.
func (f *Field) yaml() string {
	switch f.value.Kind() {
	case reflect.Slice:
		values := splitList(f.Default)
		for i, v := range values {
			values[i] = fmt.Sprintf("%q", v)
		}
		return "[" + strings.Join(values, ", ") + "]"
	case reflect.String:
		return fmt.Sprintf("%q", f.Default)
	}
	return f.Default
}
