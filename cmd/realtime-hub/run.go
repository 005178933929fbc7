package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// The codes that the process exits with.
const (
	exitOK          = 0
	exitFailed      = 1   // it failed while running
	exitUsage       = 2   // wrong usage, a bad flag included
	exitInvalid     = 3   // the configuration file or the environment is not valid
	exitListen      = 4   // an address cannot be listened on
	exitUnreachable = 5   // the hub cannot be reached
	exitRefused     = 6   // Redis or the hub refused
	exitAssertion   = 7   // an assertion of bench does not hold
	exitInterrupted = 130 // Ctrl-C was pressed again while it drained
)

// process is what a subcommand has of the process that it runs in. It is immutable.
type process struct {
	args    []string // without the program's name
	env     []string // as of os.Environ
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	started time.Time
}

// run runs the command that args say until it is done or ctx is, and returns the exit code. It does not touch the
// process itself, so that several may run at once.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &process{args: args, env: env, stdin: stdin, stdout: stdout, stderr: stderr, started: time.Now()}
	root := newRoot(p)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	return p.report(err)
}

// newRoot returns the command that stands above all others.
func newRoot(p *process) *cobra.Command {
	var wantVersion bool
	root := &cobra.Command{
		Use:  "realtime-hub",
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wantVersion {
				return p.printVersion()
			}
			return cmd.Help()
		},

		SilenceErrors: true, // report prints them
		SilenceUsage:  true,
	}
	root.Flags().BoolVar(&wantVersion, "version", false, "print the version")
	root.SetArgs(append([]string{}, p.args...)) // not nil, which means os.Args
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetHelpFunc(printHelp)
	root.SetFlagErrorFunc(p.flagError)
	// No template is set anywhere: text/template calls methods by name, for which the linker keeps every method of
	// every type, and the binary doubles.
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newUp(p), newHubServer(p), newHubClient(p), newPub(p), newSub(p), newBench(p), newHealth(p), newConfig(p),
		newToken(p), newVersion(p), newCompletion(p))
	root.SetHelpCommand(newHelp())
	return root
}
