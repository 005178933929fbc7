//go:build !short

package js

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the examples of README.md as they stand there, but for the hub's address: somebody hears them.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, block := range strings.Split(string(text), "```js\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if strings.Contains(block, "ws://localhost:8081/ws") { // the others are no matter of WebSockets
			blocks = append(blocks, block)
		}
	}
	if len(blocks) != 2 {
		t.Fatalf("README.md has %d examples in JavaScript with a WebSocket, and this test knows two", len(blocks))
	}
	hub := startHubs(t, 1)[0]
	module, err := filepath.Abs("hub.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range blocks {
		if n := strings.Count(strings.TrimSpace(block), "\n") + 1; n > 10 {
			t.Errorf("an example of %d lines, more than 10:\n%s", n, block)
		}
		program := strings.NewReplacer("ws://localhost:8081/ws", hub, `"./client/js/hub.js"`, fmt.Sprintf("%q", "file://"+module)).Replace(block)
		want := "hello from the browser"
		if strings.Contains(program, "import") {
			want = "hello from JavaScript"
		}
		path := filepath.Join(t.TempDir(), "example.mjs")
		// One who hears it is there first.
		heard := fmt.Sprintf("const w = new WebSocket(%q); await new Promise((r) => w.onopen = r); w.onmessage = (e) => console.log('HEARD', e.data);\n",
			hub+"?room=lobby")
		lines := strings.SplitAfter(program, "\n")
		for i, line := range lines {
			if !strings.HasPrefix(line, "import") {
				lines[i] = heard + line
				break
			}
		}
		if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		runExample(t, path, want)
	}
}

// runExample runs a program until it says that want was heard.
func runExample(t *testing.T, path, want string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append(nodeFlags(t), path)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	found, all := false, ""
	for lines := bufio.NewScanner(out); !found && lines.Scan(); {
		all += lines.Text() + "\n"
		found = strings.HasPrefix(lines.Text(), "HEARD") && strings.Contains(lines.Text(), want)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	if !found {
		t.Errorf("nobody heard %q:\n%s%s", want, all, &complaints)
	}
}
