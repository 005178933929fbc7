package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// example is a command of a document, and what it says that it prints.
type example struct{ command, output string }

// examplesOf returns the commands in the console blocks of a document.
func examplesOf(t *testing.T, path string) (all []example) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```console\n")[1:] {
		block, _, ok := strings.Cut(block, "```\n")
		if !ok || !strings.HasPrefix(block, "$ ") {
			t.Fatalf("%s: a block that does not begin with a command, or does not end: %.80s", path, block)
		}
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, output, _ := strings.Cut(step, "\n")
			all = append(all, example{command, strings.TrimSuffix(output, "\n")})
		}
	}
	return all
}

// TestHTTPDocument runs what docs/http.md shows, one after the other, and compares what is printed, but for what differs
// from one time to another.
func TestHTTPDocument(t *testing.T) {
	t.Parallel()
	h := startHub(t, "--name", "hub1")
	dialV1(t, h, "Ada", "lobby")
	examples := examplesOf(t, "../docs/http.md")
	if len(examples) < 10 {
		t.Fatalf("only %d examples", len(examples))
	}
	epoch := ""
	for _, e := range examples {
		command := strings.ReplaceAll(e.command, "localhost:8081", h.Addr())
		if epoch != "" { // of the log, as the first answer had it
			command = strings.ReplaceAll(command, "7Q2JXRTBYZ5VCAKE", epoch)
		}
		// A stream does not end by itself: what it shows first is compared.
		got, err := firstOf(t, command, len(plainly(e.output)), strings.Contains(command, "/events"))
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if plainly(got) != plainly(e.output) {
			t.Errorf("%s prints\n%s\nand the document says\n%s", e.command, got, e.output)
		}
		if _, after, ok := strings.Cut(got, `"position":"`); ok && epoch == "" {
			epoch, _, _ = strings.Cut(after, ":")
		}
	}
}

// variable is what differs between one answer and another that says the same.
var variable = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`[A-Z2-7]{16}:(\d+)`), "EPOCH:$1"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "TIME"},
	{regexp.MustCompile(`[A-Z2-7]{26}`), "ID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`retry: \d+`), "retry: N"},
	{regexp.MustCompile(`"version":"[^"]*"`), `"version":"V"`},
	{regexp.MustCompile(`"(closed|dropped)":\{[^}]*\}`), `"$1":{}`},
}

// number is a number in stats, or none: those are compared with what was done elsewhere.
var number = regexp.MustCompile(`:(\d+(\.\d+)?|null)\b`)

// plainly returns an answer without what differs from one to another.
func plainly(answer any) string {
	text, ok := answer.(string)
	if !ok {
		encoded, _ := json.Marshal(answer) // it was decoded before
		text = string(encoded)
	}
	for _, v := range variable {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	if strings.Contains(text, `"uptime_seconds"`) {
		text = number.ReplaceAllString(text, ":N")
	}
	return text
}

// firstOf runs a command and returns what it prints, without the last line's end: all of it, or, of a stream, as soon as it is
// as long as that.
func firstOf(t *testing.T, command string, most int, stream bool) (string, error) {
	t.Helper()
	shell := exec.Command("sh", "-c", "exec "+strings.Replace(command, "curl", "curl -sS", 1))
	out, problems := new(output), new(bytes.Buffer)
	shell.Stdout, shell.Stderr = out, problems
	if err := shell.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1) // sent once, when it ends
	go func() { ended <- shell.Wait() }()
	over := time.After(patience)
	for {
		select {
		case err := <-ended:
			if err != nil {
				err = errors.Join(err, errors.New(problems.String()))
			}
			return strings.TrimSuffix(out.String(), "\n"), err
		case <-over:
			_ = shell.Process.Kill()
			<-ended
			return "", fmt.Errorf("it printed only %q", out)
		case <-time.After(5 * time.Millisecond): // to look again
			if stream && len(plainly(out.String())) >= most+1 {
				_ = shell.Process.Kill()
				<-ended
				return strings.TrimSuffix(out.String(), "\n"), nil
			}
		}
	}
}
