package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=v0.1.0". Nothing else writes it.
var version string

// build is what is known of how the program was built.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Time    string `json:"time,omitempty"` // of the commit
	Dirty   bool   `json:"dirty,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// readBuild returns what the linker and the Go command wrote into the program.
func readBuild() build {
	b := build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if b.Version == "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Dirty = s.Value == "true"
			}
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// programVersion returns the version in a word.
func programVersion() string { return readBuild().Version }

// String returns what is known in a line.
func (b build) String() string {
	commit := ""
	if b.Commit != "" {
		commit = "commit " + b.Commit[:min(len(b.Commit), 12)] + ", "
	}
	return fmt.Sprintf("realtime-hub %s (%s%s %s/%s)", b.Version, commit, b.Go, b.OS, b.Arch)
}

// printVersion prints what is known of how the program was built, for people.
func (p *process) printVersion() error {
	_, err := fmt.Fprintln(p.stdout, readBuild())
	return err
}

// newVersion returns the command `version`.
func newVersion(p *process) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  wantArgs(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if !asJSON {
				return p.printVersion()
			}
			line, err := jsonLine(readBuild())
			if err != nil {
				return fmt.Errorf("encode the version: %w", err)
			}
			_, err = p.stdout.Write(line)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
