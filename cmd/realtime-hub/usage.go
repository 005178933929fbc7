package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/soumya-codes/realtime-hub/internal/config"
)

// usageError is a wrong call: what is wrong, and what to do about it, which may be empty.
type usageError struct{ what, fix string }

func (e *usageError) Error() string {
	if e.fix == "" {
		return e.what
	}
	return e.what + " → " + e.fix
}

// noSuchCommand refuses arguments of a command that only has others below it.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	fix := cmd.CommandPath() + " --help lists the commands"
	if guess := config.Guess(args[0], commandNames(cmd)); guess != "" {
		fix = "did you mean " + cmd.CommandPath() + " " + guess + " ?"
	}
	return &usageError{fmt.Sprintf("unknown command %q", args[0]), fix}
}

// wantArgs returns a check of the number of arguments, whose error shows the example.
func wantArgs(least, most int, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return &usageError{cmd.Name() + " is told too little", "for instance " + example}
		case len(args) > most:
			fix := "call it as " + cmd.UseLine()
			if least > 0 {
				fix = "put text of several words in quotes, for instance " + example
			}
			return &usageError{fmt.Sprintf("%s does not take %q", cmd.Name(), args[most]), fix}
		}
		return nil
	}
}

// flagError makes of what pflag says about the flags of cmd an error with a fix.
func (p *process) flagError(cmd *cobra.Command, err error) error {
	if word := p.unknownCommand(cmd); word != "" {
		return noSuchCommand(cmd, []string{word}) // its flags cannot be known
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, e)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		fix := "write it as --" + e.GetFlag().Name + "=VALUE"
		if example := e.GetFlag().DefValue; example != "" {
			fix = "for instance --" + e.GetFlag().Name + " " + example
		}
		return &usageError{"--" + e.GetFlag().Name + " needs a value", fix}
	}
	return &usageError{err.Error(), cmd.CommandPath() + " --help lists the flags"}
}

// unknownCommand returns the word that stands where a command below cmd should, or "". It has a flag behind it that the
// parser did not know, or the word would have been refused by itself.
func (p *process) unknownCommand(cmd *cobra.Command) string {
	if !cmd.HasAvailableSubCommands() {
		return ""
	}
	depth := strings.Count(cmd.CommandPath(), " ")
	if depth < len(p.args) && !strings.HasPrefix(p.args[depth], "-") {
		return p.args[depth]
	}
	return ""
}

// unknownFlag returns the error for a flag that cmd does not have: whose it is, or which one was meant.
func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	if e.GetSpecifiedShortnames() != "" {
		return &usageError{"unknown flag -" + e.GetSpecifiedShortnames(), "flags have two dashes, and " +
			cmd.CommandPath() + " --help lists them"}
	}
	name := "--" + e.GetSpecifiedName()
	fix := cmd.CommandPath() + " --help lists the flags"
	if key := fileOnlyKey(cmd.Name(), e.GetSpecifiedName()); key != "" {
		fix = key + " can be set in the configuration file alone, which --config names"
	} else if guess := config.Guess(name, flagNames(cmd.Flags())); guess != "" {
		fix = "did you mean " + guess + " ?"
	} else if owners := flagOwners(cmd.Root(), e.GetSpecifiedName()); len(owners) > 0 {
		fix = "that is a flag of " + strings.Join(owners, " and ")
	}
	return &usageError{"unknown flag " + name, fix}
}

// fileOnlyKey returns the key of a command that would have the flag called name if it could not be set in the file
// alone, or "".
func fileOnlyKey(command, name string) string {
	for _, c := range config.Commands() {
		if c.Name != command {
			continue
		}
		for _, f := range config.Fields(c.New()) {
			if f.FileOnly() && f.Flag() == name {
				return f.Key
			}
		}
	}
	return ""
}

// flagOwners returns the commands right below root that have a flag called name.
func flagOwners(root *cobra.Command, name string) []string {
	var owners []string
	for _, c := range root.Commands() {
		if c.LocalFlags().Lookup(name) != nil {
			owners = append(owners, c.Name())
		}
	}
	return owners
}
