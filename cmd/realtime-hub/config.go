package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/soumya-codes/realtime-hub/internal/config"
)

// defaultFile is how `config init` calls the file where it is not told.
const defaultFile = "realtime-hub.yaml"

// newConfig returns the command `config`.
func newConfig(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Make, check and show the configuration",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInit(p), newConfigCheck(p), newConfigShow(p))
	return cmd
}

// newConfigInit returns the command `config init`.
func newConfigInit(p *process) *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use:   "init [FILE or -]",
		Short: "Write a configuration file with every key, its meaning and its default",
		Long: "Write a configuration file with every key, its meaning and its default, all of it commented out. " +
			"FILE is " + defaultFile + " if not given, and must not exist yet; - is the standard output.",
		Args: wantArgs(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := commandWithFile(owner)
			if err != nil {
				return err
			}
			file := defaultFile
			if len(args) > 0 {
				file = args[0]
			}
			return p.writeTemplate(file, c)
		},
	}
	addFor(cmd, &owner)
	return cmd
}

// writeTemplate writes the configuration file of c.
func (p *process) writeTemplate(file string, c config.Command) error {
	text := config.Template(c.Name, c.New())
	if file == "-" {
		_, err := fmt.Fprint(p.stdout, text)
		return err
	}
	// For its owner alone, as people will write passwords into it.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &failure{fmt.Errorf("%s is there already, and left as it is", file),
			"name another file, or look at what would be written: realtime-hub config init -", exitFailed}
	}
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is written. Use it with: realtime-hub %s --config %s\n", file, c.Name, file)
	return err
}

// newConfigCheck returns the command `config check`.
func newConfigCheck(p *process) *cobra.Command {
	s := &shownSettings{process: p}
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say whether a configuration is valid: the file, the environment and the flags together",
		Args:  wantArgs(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if s.file != "" && s.file != args[0] {
					return &usageError{"two files are named, " + s.file + " and " + args[0], "name one"}
				}
				s.file = args[0]
			}
			if _, err := s.load(cmd.Flags()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "The configuration of %s is valid.\n", s.owner)
			return err
		},
	}
	s.addFlags(cmd)
	return cmd
}

// newConfigShow returns the command `config show`.
func newConfigShow(p *process) *cobra.Command {
	s := &shownSettings{process: p}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every value, and where it came from",
		Long: "Show every value that the command would run with, and where it came from: the default, a line of " +
			"the file, a variable of the environment or a flag. Secrets are left out. Besides the flags " +
			"below, all flags of the command that --for names can be given.",
		Example: "  realtime-hub config show --config realtime-hub.yaml\n  realtime-hub config show --for up --hubs 3",
		Args:    wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loader, err := s.load(cmd.Flags())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "KEY\tVALUE\tFROM")
			for _, v := range loader.Values() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", v.Key, escape(v.Text), escape(v.Source.String()))
			}
			return w.Flush()
		},
	}
	s.addFlags(cmd)
	return cmd
}

// shownSettings is how `config check` and `config show` get the configuration of another command: they have the flags
// of all commands with a file, and see only when they run whose it is.
type shownSettings struct {
	process *process
	owner   string // value of --for
	file    string // value of --config
	loaders map[string]*config.Loader
}

// addFlags gives cmd the flags of every command that has a file. They are not in its help, which would be long.
func (s *shownSettings) addFlags(cmd *cobra.Command) {
	s.loaders = map[string]*config.Loader{}
	for _, c := range commandsWithFile() {
		s.loaders[c.Name] = config.NewLoader(c.New())
		s.loaders[c.Name].AddFlags(cmd.Flags())
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Hidden = true })
	addFor(cmd, &s.owner)
	cmd.Flags().StringVar(&s.file, "config", "", "configuration `file` (YAML)")
	markFile(cmd)
}

// load fills the configuration of the command that --for names.
func (s *shownSettings) load(flags *pflag.FlagSet) (*config.Loader, error) {
	if _, err := commandWithFile(s.owner); err != nil {
		return nil, err
	}
	loader := s.loaders[s.owner]
	var foreign error
	flags.Visit(func(f *pflag.Flag) {
		if f.Hidden && !loader.HasFlag(f.Name) && foreign == nil {
			what := fmt.Sprintf("%s has no flag --%s", s.owner, f.Name)
			foreign = &usageError{what, "say with --for whose configuration is meant"}
		}
	})
	if foreign != nil {
		return nil, foreign
	}
	warnings, err := loader.Load(s.file, s.process.env)
	for _, w := range warnings {
		s.process.complain(w, "")
	}
	return loader, err
}

// addFor gives cmd the flag --for.
func addFor(cmd *cobra.Command, owner *string) {
	names := namesWithFile()
	cmd.Flags().StringVar(owner, "for", names[0], "the `command` whose configuration it is: "+strings.Join(names, ", "))
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc("for", complete); err != nil {
		panic(err) // the flag was added just now
	}
}

// commandWithFile returns the command called name, or a usage error.
func commandWithFile(name string) (config.Command, error) {
	for _, c := range commandsWithFile() {
		if c.Name == name {
			return c, nil
		}
	}
	return config.Command{}, &usageError{fmt.Sprintf("bad --for %q: no such command has a configuration file", name),
		"choose one of " + strings.Join(namesWithFile(), ", ")}
}

// commandsWithFile returns the commands that read a configuration file, `hubserver` first.
func commandsWithFile() []config.Command {
	var commands []config.Command
	for _, c := range config.Commands() {
		if c.File {
			commands = append(commands, c)
		}
	}
	return commands
}

func namesWithFile() []string {
	var names []string
	for _, c := range commandsWithFile() {
		names = append(names, c.Name)
	}
	return names
}
