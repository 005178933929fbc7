package report

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
	"github.com/soumya-codes/realtime-hub/benchmarks/peers/scenario"
)

// part matches what is generated in a page, between markers which say what.
var part = regexp.MustCompile(`(?s)<!-- results: ([a-z0-9-]+) -->\n.*?<!-- end of results -->`)

// Docs writes the tables of a page between its markers, and charts beside it in images.
func Docs(f results.File, page string) error {
	b, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	images := filepath.Join(filepath.Dir(page), "images")
	var failed error
	text := part.ReplaceAllStringFunc(string(b), func(old string) string {
		name := part.FindStringSubmatch(old)[1]
		content, err := generated(f, name, images)
		if err != nil && failed == nil {
			failed = err
		}
		return fmt.Sprintf("<!-- results: %s -->\n%s<!-- end of results -->", name, content)
	})
	if failed != nil {
		return failed
	}
	return os.WriteFile(page, []byte(text), 0o644)
}

// generated returns what stands between the markers of a name.
func generated(f results.File, name, images string) (string, error) {
	switch {
	case name == "machine":
		return machines(f), nil
	case name == "targets":
		return markdown(targets(f, scenario.Scenarios)), nil
	case strings.HasPrefix(name, "chart-"):
		c, ok := charts[strings.TrimPrefix(name, "chart-")]
		if !ok {
			return "", fmt.Errorf("the page asks for %s, which there is not", name)
		}
		svg := c.draw(f)
		if svg == nil {
			return "", nil
		}
		file := "performance-" + strings.TrimPrefix(name, "chart-") + ".svg"
		if err := os.WriteFile(filepath.Join(images, file), svg, 0o644); err != nil {
			return "", err
		}
		return fmt.Sprintf("![%s](images/%s)\n", c.title, file), nil
	case len(under(name)) == 0:
		return "", fmt.Errorf("the page asks for results of %q, which there is not", name)
	}
	return markdown(table(f, name)), nil
}
