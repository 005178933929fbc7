package main

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/soumya-codes/realtime-hub/internal/app"
	"github.com/soumya-codes/realtime-hub/internal/config"
)

// settings is how a command gets its configuration: its flags, and the file where it reads one.
type settings struct {
	process *process
	loader  *config.Loader
	file    string // value of --config
}

// newSettings gives cmd the flags of c, which is set to its defaults.
func newSettings(p *process, cmd *cobra.Command, c config.Config) *settings {
	s := &settings{process: p, loader: config.NewLoader(c)}
	cmd.Flags().SortFlags = false // in the order of the struct, which goes from what is used most
	s.loader.AddFlags(cmd.Flags())
	return s
}

// addFile gives cmd the flag that names a configuration file.
func (s *settings) addFile(cmd *cobra.Command) {
	alone := ""
	if keys := s.loader.FileOnly(); len(keys) > 0 {
		alone = ", which alone can have " + strings.Join(keys, ", ")
	}
	cmd.Flags().StringVar(&s.file, "config", "",
		"read this configuration `file` (YAML)"+alone+"; none is read otherwise")
	markFile(cmd)
}

// markFile has shells complete --config with the names of YAML files.
func markFile(cmd *cobra.Command) {
	if err := cmd.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err) // the flag is missing: a mistake of the caller
	}
}

// load fills the configuration and passes each warning to warn.
func (s *settings) load(warn func(string)) error {
	warnings, err := s.loader.Load(s.file, s.process.env)
	for _, w := range warnings {
		warn(w)
	}
	return err
}

// loadPlain fills the configuration of a command that keeps no log: warnings are printed as errors are.
func (s *settings) loadPlain() error {
	return s.load(func(w string) { s.process.complain(w, "") })
}

// loadServer fills the configuration of a command that serves, whose part for the log is l, and returns what such a
// command runs with. Warnings go to the log, where there is a configuration to make one of.
func (s *settings) loadServer(l *config.Log) (app.Env, error) {
	var warnings []string
	if err := s.load(func(w string) { warnings = append(warnings, w) }); err != nil {
		for _, w := range warnings {
			s.process.complain(w, "") // perhaps the misspelled variable is the reason
		}
		return app.Env{}, err
	}
	log := newLog(s.process.stderr, *l)
	for _, w := range warnings {
		log.Warn(w)
	}
	return app.Env{Stdout: s.process.stdout, Stderr: s.process.stderr, Log: log, Version: programVersion()}, nil
}

// newLog returns a log to w as the configuration wants it.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic(err) // Validate let it through
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: durationsWithUnit}
	if c.Format == "text" || c.Format == "auto" && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// durationsWithUnit has durations written like 1.5s, which JSON would otherwise have in nanoseconds.
func durationsWithUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
