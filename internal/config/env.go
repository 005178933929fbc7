package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// maxValueFile is the most bytes that a file with one value may have.
const maxValueFile = 64 << 10

// loadEnv sets what environ gives. A variable that is empty counts as not set, since that is how Compose hands over a
// variable that its own environment lacks.
func (l *Loader) loadEnv(environ []string) (warnings []string, errs []error) {
	vars := ourVariables(environ)
	for _, f := range l.fields {
		if f.FileOnly() {
			continue
		}
		if err := l.loadVariable(f, vars); err != nil {
			errs = append(errs, err)
		}
	}
	return l.ignoredVariables(vars), errs
}

// loadVariable sets f where vars has its variable, or the one that names a file.
func (l *Loader) loadVariable(f *Field, vars map[string]string) error {
	name, fileName := f.Env(), f.Env()+envFileSuffix
	text, path := vars[name], vars[fileName]
	switch {
	case text != "" && path != "":
		return &Error{
			What:   "given together with " + fileName,
			Fix:    "keep one of the two",
			Source: Source{FromEnv, name},
		}
	case text != "":
		return l.set(f, text, Source{FromEnv, name})
	case path != "":
		text, err := readValue(path)
		if err != nil {
			return &Error{
				What:   fmt.Sprintf("cannot read %s: %v", path, err),
				Fix:    "name a file that holds the value alone, and that this user may read",
				Source: Source{FromEnv, fileName},
			}
		}
		return l.set(f, text, Source{FromEnv, fileName})
	}
	return nil
}

// ReadValue returns what the file at path holds, as a variable with the suffix _FILE would give it: without the newline
// at its end, and at most 64 KiB. Its error does not name the file.
func ReadValue(path string) (string, error) { return readValue(path) }

// readValue returns what the file at path holds, without the newline at its end.
func readValue(path string) (string, error) {
	text, err := readFile(path, maxValueFile)
	return strings.TrimRight(string(text), "\r\n"), err
}

// readFile returns what the file at path holds, or an error where that is more than limit bytes. The errors do not name
// the file.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("it has more than %s", Bytes(limit))
	}
	return text, nil
}

// withoutPath returns what an error of package os says beyond the name of the file.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// ourVariables returns the variables of environ that have our prefix.
func ourVariables(environ []string) map[string]string {
	vars := map[string]string{}
	for _, e := range environ {
		if name, text, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, envPrefix) {
			vars[name] = text
		}
	}
	return vars
}

// ignoredVariables returns a warning for each variable that belongs to no key of any command, or to one that this
// command, or each that has it, takes from the file alone.
func (l *Loader) ignoredVariables(vars map[string]string) []string {
	var known []string // without the prefix, which would make all of them look alike
	fileOnly := map[string]string{}
	for _, c := range Commands() {
		for _, f := range Fields(c.New()) {
			name := strings.TrimPrefix(f.Env(), envPrefix)
			if f.FileOnly() {
				fileOnly[name], fileOnly[name+envFileSuffix] = f.Key, f.Key
				continue
			}
			known = append(known, name, name+envFileSuffix)
		}
	}
	var warnings []string
	for name := range vars {
		bare := strings.TrimPrefix(name, envPrefix)
		own := l.field(fileOnly[bare])
		if slices.Contains(known, bare) && (own == nil || !own.FileOnly()) {
			continue
		}
		if key := fileOnly[bare]; key != "" {
			if vars[name] != "" {
				warnings = append(warnings, fmt.Sprintf(
					"environment variable %s is ignored → %s can be set in the configuration file alone", name, key))
			}
			continue
		}
		warning := fmt.Sprintf("unknown environment variable %s is ignored", printable(name))
		if guess := Guess(bare, known); guess != "" {
			warning += " → did you mean " + envPrefix + guess + " ?"
		}
		warnings = append(warnings, warning)
	}
	slices.Sort(warnings)
	return warnings
}

// printable returns name as it is where it consists of visible ASCII, and quoted otherwise.
func printable(name string) string {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return fmt.Sprintf("%q", name)
		}
	}
	return name
}
