//go:build linux

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/soumya-codes/realtime-hub/benchmarks/peers/results"
)

// majorVersion is what the paths of modules end with from the second on.
var majorVersion = regexp.MustCompile(`/v[0-9]+$`)

// machine says what this is measured on, and with which versions. It does not say whose machine it is.
func machine(p programs) (m results.Machine, err error) {
	m = results.Machine{
		Kind: "machine", Time: time.Now().UTC().Truncate(time.Second), Cores: runtime.NumCPU(),
		CPU: lineOf("/proc/cpuinfo", "model name"), Versions: map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")},
	}
	if kib, err := strconv.Atoi(strings.TrimSuffix(lineOf("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.Memory = (kib + 1<<19) >> 20
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return m, fmt.Errorf("ask for the kernel's version: %w", err)
	}
	m.Kernel = unix.ByteSliceToString(u.Release[:])
	for program, paths := range map[string][]string{
		"nats": {"github.com/nats-io/nats-server/v2"}, "coder": {"github.com/coder/websocket"}, "gws": {"github.com/lxzan/gws"},
		"gorilla": {"github.com/gorilla/websocket", "github.com/redis/go-redis/v9", "github.com/redis/rueidis"},
	} {
		info, err := buildinfo.ReadFile(filepath.Join(p.dir, program))
		if err != nil {
			return m, fmt.Errorf("read the version of %s: %w", program, err)
		}
		for _, d := range info.Deps {
			if slices.Contains(paths, d.Path) {
				m.Versions[majorVersion.ReplaceAllString(strings.TrimPrefix(d.Path, "github.com/"), "")] = strings.TrimPrefix(d.Version, "v")
			}
		}
	}
	for _, module := range []string{"socket.io", "ws"} {
		if v := versionOf(filepath.Join(p.node, "node_modules", module, "package.json")); v != "" {
			m.Versions[module] = v
		}
	}
	if v := said("node", "--version"); v != "" {
		m.Versions["Node"] = strings.TrimPrefix(v, "v")
	}
	if _, v, ok := strings.Cut(said("redis-server", "--version"), "v="); ok {
		m.Versions["Redis"], _, _ = strings.Cut(v, " ")
	}
	if v := said("git", "describe", "--tags", "--always", "--dirty"); v != "" {
		m.Versions["Realtime Hub"] = v
	}
	return m, nil
}

// lineOf returns the value of the first line `name : value` of a file, "" where there is none.
func lineOf(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// said returns what a program prints, "" where it is not here.
func said(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// versionOf returns the version in a package.json, "" where it was not installed.
func versionOf(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	var p struct{ Version string }
	if json.Unmarshal(b, &p) != nil {
		return ""
	}
	return p.Version
}
