package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/soumya-codes/realtime-hub"

// pkg is one package as `go list -json` describes it.
type pkg struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// list returns the packages of the module as they are for a system and tags.
func list(t *testing.T, system, tags string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", tags,
		"-json=ImportPath,Name,Imports,TestImports,XTestImports", module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, complaint.Bytes())
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode list of packages: %v", err)
		}
		packages = append(packages, p)
	}
}

func TestImports(t *testing.T) {
	seen, said := make(map[string]bool), make(map[string]bool)
	for _, b := range builds {
		for _, p := range list(t, b.system, b.tags) {
			seen[strings.TrimPrefix(p.ImportPath, module+"/")] = true
			for _, complaint := range check(p) {
				if !said[complaint] {
					t.Errorf("%s (GOOS=%s, tags %q)", complaint, b.system, b.tags)
				}
				said[complaint] = true
			}
		}
	}
	for name := range rules {
		if !seen[name] {
			t.Errorf("there is no package %s: remove its row from internal/archtest/table_test.go", name)
		}
	}
}

// check returns what is wrong with a package's name and imports.
func check(p pkg) (complaints []string) {
	name := strings.TrimPrefix(p.ImportPath, module+"/")
	if slices.Contains(poorNames, p.Name) || slices.Contains(poorNames, path.Base(name)) {
		complaints = append(complaints, fmt.Sprintf("%s: the name says nothing: name what the package has", name))
	}
	r, ok := rules[name]
	if !ok {
		return append(complaints, fmt.Sprintf("%s has no row: add a row to rules in internal/archtest/table_test.go", name))
	}
	for _, imported := range p.Imports {
		if !r.allows(imported) {
			complaints = append(complaints, fmt.Sprintf("%s imports %s, which its row does not allow", name, imported))
		}
	}
	tests := rule{
		ours:     slices.Concat(r.ours, testRules.ours, testOurs[name], []string{name}),
		external: slices.Concat(r.external, testRules.external),
	}
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		if !tests.allows(imported) {
			complaints = append(complaints, fmt.Sprintf("tests of %s import %s, which the table does not allow", name, imported))
		}
	}
	return complaints
}

// allows reports whether a package with this rule may import another.
func (r rule) allows(imported string) bool {
	if name, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.Contains(r.ours, name) || slices.Contains(r.ours, everything[0])
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return !slices.Contains(r.not, imported)
	}
	return slices.ContainsFunc(r.external, func(m string) bool {
		return imported == m || strings.HasPrefix(imported, m+"/")
	})
}

// TestCheck sees that the check can fail, and for what it is meant to.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name string
		give pkg
		want string // in the one complaint; "" for none
	}{
		{name: "allowed", give: pkg{ImportPath: "client", Imports: []string{module + "/protocol", "net"}}},
		{name: "allowed module", give: pkg{ImportPath: "internal/app", Imports: []string{"golang.org/x/term"}}},
		{name: "everything", give: pkg{ImportPath: "internal/app", Imports: []string{module + "/internal/ws"}}},
		{
			name: "ours, not allowed", give: pkg{ImportPath: "client", Imports: []string{module + "/internal/hub"}},
			want: "client imports " + module + "/internal/hub",
		},
		{
			name: "external, not allowed", give: pkg{ImportPath: "protocol", Imports: []string{"github.com/gobwas/ws"}},
			want: "protocol imports github.com/gobwas/ws",
		},
		{
			name: "external, only alike", give: pkg{ImportPath: "internal/ws", Imports: []string{"github.com/gobwas/wss"}},
			want: "internal/ws imports github.com/gobwas/wss",
		},
		{name: "network in the core", give: pkg{ImportPath: "internal/hub", Imports: []string{"net/http"}}, want: "net/http"},
		{name: "no network in the core", give: pkg{ImportPath: "internal/hub", Imports: []string{"net/url"}}},
		{name: "no row", give: pkg{ImportPath: "internal/new"}, want: "add a row"},
		{name: "poor name", give: pkg{ImportPath: "client", Name: "util"}, want: "says nothing"},
		{name: "tests may more", give: pkg{ImportPath: "protocol", XTestImports: []string{"go.uber.org/goleak"}}},
		{name: "tests may themselves", give: pkg{ImportPath: "client", XTestImports: []string{module + "/client"}}},
		{
			name: "tests may not everything", give: pkg{ImportPath: "protocol", TestImports: []string{module + "/internal/app"}},
			want: "tests of protocol import " + module + "/internal/app",
		},
		{name: "tests of e2e may", give: pkg{ImportPath: "e2e", TestImports: []string{module + "/internal/app"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.give.ImportPath = module + "/" + test.give.ImportPath
			got := check(test.give)
			if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)) {
				t.Errorf("complaints %q, want %q", got, test.want)
			}
		})
	}
}
