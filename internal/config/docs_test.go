package config

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

//go:generate go test -run ^TestDocs$ . -update

// update has TestDocs write what it otherwise compares.
var update = flag.Bool("update", false, "write the table of docs/configuration.md")

// The table of all keys stands between two comments of this file.
const (
	docsFile  = "../../docs/configuration.md"
	docsBegin = "<!-- keys: written by `go generate ./internal/config` -->\n"
	docsEnd   = "<!-- end of keys -->\n"
)

// TestDocs fails where the table in the documentation is not that of the struct tags.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), docsBegin)
	_, after, ok2 := strings.Cut(rest, docsEnd)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", docsFile, docsBegin, docsEnd)
	}
	want := before + docsBegin + "\n" + keyTable() + "\n" + docsEnd + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the table of keys in %s is stale → go generate ./internal/config", docsFile)
	}
	if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDocsExamples fails where a file that the documentation shows is not valid.
func TestDocsExamples(t *testing.T) {
	text, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), "```yaml\n")[1:]
	if len(examples) == 0 {
		t.Errorf("there is none in %s", docsFile)
	}
	for _, rest := range examples {
		example, _, _ := strings.Cut(rest, "```")
		if _, _, err := load(t, new(HubServer), example, nil, nil); err != nil {
			t.Errorf("%v in\n%s", err, example)
		}
	}
}

// row is a key as one or several commands have it.
type row struct {
	field    *Field
	commands []string
}

// keyTable returns the table of all keys. Commands that have the same key, with the same default and meaning, share a
// row.
func keyTable() string {
	var rows []*row
	for _, c := range Commands() {
		for _, f := range Fields(c.New()) {
			i := slices.IndexFunc(rows, func(r *row) bool {
				return r.field.Key == f.Key && r.field.Default == f.Default && r.field.Usage == f.Usage
			})
			if i < 0 {
				rows = append(rows, &row{field: f})
				i = len(rows) - 1
			}
			rows[i].commands = append(rows[i].commands, c.Name)
		}
	}
	var b strings.Builder
	b.WriteString("| key | flag | variable | type | default | of | meaning |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		value := ""
		if r.field.Default != "" {
			value = "`" + r.field.Default + "`"
		}
		flag, variable := "`--"+r.field.Flag()+"`", "`"+r.field.Env()+"`"
		if r.field.FileOnly() {
			flag, variable = "none", "none"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", r.field.Key, flag, variable,
			typeName(r.field.value.Type()), value, strings.Join(r.commands, ", "), r.field.Usage)
	}
	return b.String()
}
